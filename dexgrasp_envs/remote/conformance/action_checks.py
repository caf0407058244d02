"""Checks of actions: what no environment could mean is refused before any environment is stepped."""

from typing import Any

import numpy as np
from gymnasium import spaces

from .peer import Peer
from .report import Failed, Skipped
from .session import Session
from .walk import Walk, same


def refuses_actions_of_another_shape(session: Session) -> None:
    """Actions of too few or too many environments are an error, and nothing is stepped."""
    peer = session.client()
    walk = Walk(session, peer)
    good = walk.action()
    bad = [_leaves(good, lambda leaf: leaf[:-1]), _leaves(good, lambda leaf: _with_one_more(leaf)), None]
    _expect_refused(peer, walk, bad)


def refuses_actions_that_are_not_finite(session: Session) -> None:
    """NaN and infinity in actions are an error, and nothing is stepped."""
    peer = session.client()
    walk = Walk(session, peer)
    good = walk.action()
    bad = [_leaves(good, lambda leaf, value=value: _spoilt(leaf, value)) for value in (np.nan, np.inf)]
    if all(same(good, one) for one in bad):
        raise Skipped("no part of an action is a floating-point number")
    _expect_refused(peer, walk, bad)


def refuses_actions_of_another_dtype(session: Session) -> None:
    """Text instead of numbers, and fractions instead of integers, are an error, and nothing is stepped."""
    peer = session.client()
    walk = Walk(session, peer)
    good = walk.action()
    bad = [_leaves(good, lambda leaf: [["left"] * leaf.size] if isinstance(leaf, np.ndarray) else 5)]
    fractions = _leaves(good, _as_fractions)
    _expect_refused(peer, walk, bad if same(good, fractions) else [*bad, fractions])


def takes_actions_of_its_space(session: Session) -> None:
    """Samples of the space, and for boxes its bounds, are actions."""
    peer = session.client()
    walk = Walk(session, peer)
    walk.begin(0)
    walk.step()
    space = session.batched_space("action")
    if isinstance(space, spaces.Box) and space.is_bounded():
        for bound in (space.low, space.high):
            walk.begin(0)
            peer.do("step", actions=bound)


def _expect_refused(peer: Peer, walk: Walk, bad: list[Any]) -> None:
    expected = walk.steps(3, 1)
    begun = walk.begin(3)
    for actions in bad:
        peer.refused("step", actions=actions)
    if not same([begun, walk.step()], expected):
        raise Failed("actions that were refused changed the environments")


def _leaves(actions: Any, change: Any) -> Any:
    """Actions with all their arrays, and tuples of texts, changed."""
    if isinstance(actions, dict):
        return {name: _leaves(part, change) for name, part in actions.items()}
    if isinstance(actions, tuple) and not isinstance(actions[0], str):
        return tuple(_leaves(part, change) for part in actions)
    return change(actions)


def _with_one_more(leaf: Any) -> Any:
    return np.concatenate([leaf, leaf[:1]]) if isinstance(leaf, np.ndarray) else (*leaf, leaf[0])


def _spoilt(leaf: Any, value: float) -> Any:
    if not isinstance(leaf, np.ndarray) or leaf.dtype.kind != "f":
        return leaf
    leaf = leaf.copy()
    leaf.reshape(-1)[-1] = value
    return leaf


def _as_fractions(leaf: Any) -> Any:
    return leaf + 0.5 if isinstance(leaf, np.ndarray) and leaf.dtype.kind != "f" else leaf


CHECKS = (
    takes_actions_of_its_space,
    refuses_actions_of_another_shape,
    refuses_actions_that_are_not_finite,
    refuses_actions_of_another_dtype,
)
