"""Checks of what replies hold: spaces that travel are those of the observations, and seeds decide the bits."""

from ..replies import check_reply
from .report import Failed
from .session import Session
from .walk import Walk, same

_STEPS = 5


def observes_what_its_spaces_say(session: Session) -> None:
    """Replies have their fields, and observations shapes, dtypes and bounds of the space."""
    peer = session.client()
    walk = Walk(session, peer)
    space = session.batched_space("observation")
    for number, data in enumerate(walk.steps(0, _STEPS)):
        check_reply("step" if number else "reset", data, session.single_space("observation"), session.num_envs)
        if not space.contains(data["obs"]):
            raise Failed(f"the observation of {f'step {number}' if number else 'the reset'} is not in {space}")


def observes_again(session: Session) -> None:
    """`observe` gives the last observation."""
    peer = session.client()
    walk = Walk(session, peer)
    for take in (lambda: walk.begin(0), walk.step):
        seen = take()["obs"]
        if not same(peer.do("observe")["obs"], seen):
            raise Failed("observe gave another observation than the last reset or step")


def gives_the_same_bits_for_the_same_seed(session: Session) -> None:
    """A reset with a seed begins the same episodes, bit for bit."""
    walk = Walk(session, session.client())
    if not same(walk.steps(11, _STEPS), walk.steps(11, _STEPS)):
        raise Failed("resets with the same seed, and the same actions, gave other bits")


def gives_other_bits_for_another_seed(session: Session) -> None:
    """A reset with another seed begins other episodes."""
    walk = Walk(session, session.client())
    if same(walk.steps(11, _STEPS), walk.steps(12, _STEPS)):
        raise Failed("resets with two seeds, and the same actions, gave the same bits")


CHECKS = (
    observes_what_its_spaces_say,
    observes_again,
    gives_the_same_bits_for_the_same_seed,
    gives_other_bits_for_another_seed,
)
