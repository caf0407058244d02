"""Checks of saved states, for servers whose environments have them."""

from typing import Any

import numpy as np

from ..wire import Kind
from .peer import Peer, error_of
from .report import Failed, Skipped
from .session import Session
from .walk import Walk, same


def goes_on_from_a_saved_state(session: Session) -> None:
    """`get_state` changes nothing, and after `set_state` the same actions give the same bits."""
    peer = session.client()
    walk = Walk(session, peer)
    walk.begin(4)
    state = _state(peer)
    first = walk.step()
    walk.begin(5)
    peer.do("set_state", state=state)
    if not same(walk.step(), first):
        raise Failed("after set_state a step gave other bits than after the get_state that it undoes")


def refuses_a_state_that_does_not_fit(session: Session) -> None:
    """A state without its parts is an error, and nothing is changed."""
    peer = session.client()
    walk = Walk(session, peer)
    expected = walk.steps(6, 1)
    begun = walk.begin(6)
    _state(peer)
    for state in (None, {}, {"no such part": np.zeros(1)}):
        peer.refused("set_state", state=state)
    if not same([begun, walk.step()], expected):
        raise Failed("a state that was refused changed the environments")


def _state(peer: Peer) -> Any:
    peer.call("get_state", {})
    header, data = peer.answer()
    if header.kind == Kind.ERROR:
        raise Skipped(f"it offers no states: {error_of(data)}")
    return data


CHECKS = (goes_on_from_a_saved_state, refuses_a_state_that_does_not_fit)
