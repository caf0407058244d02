"""Checks of what becomes of rows whose episode ended, as declared by `autoreset_mode`."""

import time
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode

from ..replies import check_reply
from ..rows import take
from .peer import Peer
from .report import Failed, Skipped
from .session import Session
from .walk import Walk, same

_SHARE = 0.8
"""Of the check's time in which an episode must end."""


def resets_ended_rows_as_declared(session: Session) -> None:
    """Same step: last observations in final_obs. Next step: a step without reward. Disabled: by reset_mask only."""
    peer = session.client()
    walk = Walk(session, peer)
    data, done = _walk_to_an_end(session, walk)
    if session.mode is AutoresetMode.SAME_STEP:
        _same_step(session, data, done)
    elif session.mode is AutoresetMode.NEXT_STEP:
        _next_step(walk, data, done)
    else:
        _disabled(peer, data, done)
    # Whatever the mode, things go on.
    walk.step()


def _walk_to_an_end(session: Session, walk: Walk) -> tuple[Any, npt.NDArray[np.bool_]]:
    stop = time.monotonic() + _SHARE * (session.end - time.monotonic())
    walk.begin(0)
    steps = 0
    while steps < session.most_steps and time.monotonic() < stop:
        steps += 1
        data = walk.step()
        done = data["terminated"] | data["truncated"]
        if done.any():
            return data, done
        final = data["final_obs"]
        if final is not None and len(final["index"]):
            raise Failed("there is a final_obs though no episode ended")
    raise Skipped(f"no episode ended within {steps} steps; give it more --deadline or --steps")


def _same_step(session: Session, data: Any, done: npt.NDArray[np.bool_]) -> None:
    check_reply("step", data, session.single_space("observation"), session.num_envs)
    final, ended = data["final_obs"], np.flatnonzero(done).tolist()
    if final is None or final["index"].tolist() != ended:
        found = None if final is None else final["index"].tolist()
        raise Failed(f"the rows {ended} ended, but final_obs is of {found}")
    space = session.single_space("observation")
    for k, row in enumerate(ended):
        if not space.contains(take(final["obs"], k)):
            raise Failed(f"the last observation of row {row} is not in {space}")
        if same(take(final["obs"], k), take(data["obs"], row)):
            raise Failed(f"row {row} ended, but obs is its last observation and not the next episode's first")


def _next_step(walk: Walk, data: Any, done: npt.NDArray[np.bool_]) -> None:
    if data["final_obs"] is not None:
        raise Failed("there is a final_obs, which is for same-step autoreset")
    after = walk.step()
    if after["rewards"][done].any() or after["terminated"][done].any() or after["truncated"][done].any():
        raise Failed("the step after an episode's end must reset the row, without reward or end")
    for row in np.flatnonzero(done).tolist():
        if same(take(after["obs"], row), take(data["obs"], row)):
            raise Failed(f"row {row} was not reset by the step after its episode's end")


def _disabled(peer: Peer, data: Any, done: npt.NDArray[np.bool_]) -> None:
    if data["final_obs"] is not None:
        raise Failed("there is a final_obs, which is for same-step autoreset")
    obs = peer.do("reset", seed=None, options={"reset_mask": done})["obs"]
    for row, ended in enumerate(done):
        if same(take(obs, row), take(data["obs"], row)) == bool(ended):
            raise Failed(f"reset with reset_mask {done.tolist()}: row {row} was {'not ' * bool(ended)}reset")


CHECKS = (resets_ended_rows_as_declared,)
