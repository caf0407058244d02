"""Checks of calls: each is done once and answered in order, whatever else comes."""

from typing import Any

import msgpack

from .. import wire
from ..lease import Progress
from ..wire import Header, Kind
from .peer import Peer, error_of
from .report import Failed
from .session import Session
from .walk import Walk, same


def answers_in_order(session: Session) -> None:
    """Every call is answered once, with its own number, before the next message."""
    peer = session.client()
    walk = Walk(session, peer)
    walk.begin(0)
    for _ in range(3):
        walk.step()
        _expect_sent(peer)


def answers_pings_during_a_call(session: Session) -> None:
    """A PONG says how far the call is: before its reply it runs or is being sent, after it it was sent."""
    peer = session.client()
    Walk(session, peer).begin(0)
    peer.call("observe", {})
    peer.send([Header(Kind.PING, peer.lease, peer.number).pack()])
    header, _ = peer.receive()
    if header.kind == Kind.PONG:
        if (header.call, header.item) not in ((peer.number, Progress.RUNNING), (peer.number, Progress.SENDING)):
            raise Failed(f"before the reply to call {peer.number} the PONG was {header}")
        peer.answer()
    elif header.kind == Kind.REPLY:
        header, _ = peer.receive()
        if (header.kind, header.call, header.item) != (Kind.PONG, peer.number, Progress.SENT):
            raise Failed(f"after the reply to call {peer.number} came {header}, expected a PONG that says it was sent")
    else:
        raise Failed(f"a call and a PING were answered with {header}")


def answers_a_replayed_step_from_its_cache(session: Session) -> None:
    """The same step again changes nothing and is answered with the same reply."""
    peer = session.client()
    walk = Walk(session, peer)
    expected = walk.steps(1, 3)
    first = [walk.begin(1), walk.step()]
    peer.replay()
    _, again = peer.answer()
    if not same(again, first[1]):
        raise Failed("a replayed step was answered with another reply than the first time")
    if not same([*first, walk.step(), walk.step()], expected):
        raise Failed("after a replayed step the environments were elsewhere: it was done twice")


def refuses_a_call_that_is_not_the_next(session: Session) -> None:
    """Stale and skipped call numbers are errors, do nothing, and the next call is taken."""
    peer = session.client()
    walk = Walk(session, peer)
    expected = walk.steps(2, 1)
    action = walk.action()
    begun = walk.begin(2)
    last = peer.number
    for number in (0, last - 1, last + 2, last + (1 << 40)):
        peer.number = number - 1
        refusal = peer.refused("step", actions=action)
        if refusal != "ProtocolError":
            raise Failed(f"call {number} after call {last} was the error {refusal}, expected ProtocolError")
    peer.number = last
    _expect_sent(peer)
    if not same([begun, walk.step()], expected):
        raise Failed("a call that was refused changed the environments")


def refuses_an_unknown_operation(session: Session) -> None:
    """An operation that there is not is an error, and the next call is taken."""
    peer = session.client()
    for operation in ("reboot", "", "__class__", 5, None, ["step"]):
        peer.refused(operation)
    peer.do("reset", seed=0, options=None)


def refuses_a_method_that_is_not_allowed(session: Session) -> None:
    """Only methods that the environment names can be called; the next call is taken."""
    peer = session.client()
    for name in ("close", "__init__", "", 5, None):
        peer.refused("call", name=name, args=[])
    peer.do("reset", seed=0, options=None)


def refuses_an_ill_formed_call(session: Session) -> None:
    """Data that are no call, or name other arguments, are an error, and the next call is taken."""
    peer = session.client()
    ill: tuple[Any, ...] = (None, 5, [], "reset", {}, {"operation": "reset"}, {"operation": "reset", "arguments": [1]})
    for data in ill:
        peer.number += 1
        peer.send_data(Header(Kind.CALL, peer.lease, peer.number), data)
        header, error = peer.answer()
        if header.kind != Kind.ERROR:
            raise Failed(f"a CALL with the data {data!r} was answered with {header}, expected an ERROR")
        error_of(error)
    peer.refused("reset", seed=0, options=None, surprise=1)
    peer.do("reset", seed=0, options=None)


def refuses_what_is_no_metadata(session: Session) -> None:
    """Metadata that are not of the format are an error at once, and the next call is taken."""
    peer = session.client()
    huge = msgpack.packb([[["u1", [1 << 47]]], [2, 0]])
    empty_but_huge = msgpack.packb([[["u1", [0, 1 << 47, 1 << 47]]], [2, 0]])
    for meta in (b"", b"\xc1", b"\x92\x90\x05\x05", huge, empty_but_huge, msgpack.packb([[], b"bytes"])):
        peer.number += 1
        peer.send([Header(Kind.CALL, peer.lease, peer.number).pack(), meta, b""])
        header, error = peer.answer()
        if header.kind != Kind.ERROR:
            raise Failed(f"a CALL with the metadata {meta[:20]!r} was answered with {header}, expected an ERROR")
        error_of(error)
    peer.do("reset", seed=0, options=None)


def refuses_a_chunk_that_is_not_the_next(session: Session) -> None:
    """A chunk out of its place is an error, and the next call is taken."""
    peer = session.client()
    peer.number += 1
    meta = msgpack.packb([[["u1", [2 * wire.CHUNK_BYTES]]], [2, 0]])
    peer.send([Header(Kind.CALL, peer.lease, peer.number).pack(), meta, b""])
    peer.send([Header(Kind.CHUNK, peer.lease, peer.number, 0, 5).pack(), b"x"])
    header, _ = peer.answer()
    if header.kind != Kind.ERROR:
        raise Failed(f"a chunk out of its place was answered with {header}, expected an ERROR")
    peer.do("reset", seed=0, options=None)


def _expect_sent(peer: Peer) -> None:
    pong = peer.ping()
    if (pong.call, pong.item) != (peer.number, Progress.SENT):
        raise Failed(f"after the answer to call {peer.number} the PONG was {pong}, expected item {Progress.SENT:d}")


CHECKS = (
    answers_in_order,
    answers_pings_during_a_call,
    answers_a_replayed_step_from_its_cache,
    refuses_a_call_that_is_not_the_next,
    refuses_an_unknown_operation,
    refuses_a_method_that_is_not_allowed,
    refuses_an_ill_formed_call,
    refuses_what_is_no_metadata,
    refuses_a_chunk_that_is_not_the_next,
)
