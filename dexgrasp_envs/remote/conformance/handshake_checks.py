"""Checks of the lease: who gets it, and who does not."""

from ..identity import check_description
from ..wire import CHUNK_BYTES, Header, Kind
from .peer import error_of
from .report import Failed
from .session import Session


def says_who_it_is(session: Session) -> None:
    """WELCOME describes environments, spaces and autoreset mode, of the id that was asked for."""
    session.client()
    check_description(session.identity)
    served = session.identity.get("env_id")
    if session.env_id is not None and served != session.env_id:
        raise Failed(f"it serves {served!r}, expected {session.env_id!r}")


def grants_a_repeated_hello_the_same_lease(session: Session) -> None:
    """The same HELLO again, as after a lost WELCOME, is granted the same lease."""
    peer = session.client()
    lease = peer.lease
    peer.replay()
    header, _ = peer.receive()
    if (header.kind, header.lease) != (Kind.WELCOME, lease):
        raise Failed(f"a repeated HELLO was answered with {header}, expected a WELCOME with lease {lease}")


def is_busy_for_a_second_client(session: Session) -> None:
    """A second client hears ServerBusy, and the first one goes on."""
    peer = session.client()
    header, data = session.stranger().hello()
    if header.kind != Kind.ERROR or data["type"] != "ServerBusy":
        raise Failed(f"a second HELLO was answered with {header}, expected the error ServerBusy")
    error_of(data)
    peer.do("reset", seed=0, options=None)


def refuses_calls_without_a_lease(session: Session) -> None:
    """A CALL of somebody without the lease is an ERROR (ServerLost)."""
    if session.stranger().refused("reset", seed=0, options=None) != "ServerLost":
        raise Failed("a CALL without a lease must be the error ServerLost")


def refuses_another_version(session: Session) -> None:
    """A message of another protocol version is answered with ERROR and call 0."""
    stranger = session.stranger()
    hello = bytearray(Header(Kind.HELLO, call=1).pack())
    hello[4:6] = (0xFFFF).to_bytes(2, "little")
    stranger.send([bytes(hello), b"", b""])
    header, data = stranger.receive()
    if header.kind != Kind.ERROR or header.call != 0:
        raise Failed(f"another version was answered with {header}, expected an ERROR with call 0")
    error_of(data)


def survives_what_is_no_message(session: Session) -> None:
    """Frames that are no message, or too many, are ignored, and the next message is answered."""
    peer = session.client()
    stranger = session.stranger()
    for frames in ([b""], [b"DGRP"], [b"x" * 35], [b"x" * CHUNK_BYTES], [Header(Kind.HELLO).pack()] * 9):
        stranger.send(frames)
    header, data = stranger.hello()
    if header.kind != Kind.ERROR or data["type"] != "ServerBusy":
        raise Failed(f"a HELLO after frames that are no message was answered with {header}")
    peer.ping()


def tells_its_stats(session: Session) -> None:
    """STATS is answered, without a lease, with the question's call."""
    stranger = session.stranger()
    stranger.send([Header(Kind.STATS, call=77).pack()])
    header, data = stranger.receive()
    if (header.kind, header.call) != (Kind.STATS, 77) or not isinstance(data, dict):
        raise Failed(f"STATS with call 77 was answered with {header}")
    missing = {"env_id", "num_envs", "silent", "uptime", "steps", "calls"} - data.keys()
    if missing:
        raise Failed(f"its stats lack {', '.join(sorted(missing))}")


def is_free_after_goodbye(session: Session) -> None:
    """GOODBYE gives the lease back: the next client has another one, and the old one is worth nothing."""
    first = session.client()
    lease = first.lease
    first.goodbye()
    second = session.client()
    if second.lease == lease:
        raise Failed("two clients were given the same lease")
    first.lease = lease
    refusal = first.refused("observe")
    first.lease = 0
    if refusal != "ServerLost":
        raise Failed(f"a CALL with a lease that was given back was the error {refusal}, expected ServerLost")


CHECKS = (
    says_who_it_is,
    grants_a_repeated_hello_the_same_lease,
    is_busy_for_a_second_client,
    refuses_calls_without_a_lease,
    refuses_another_version,
    survives_what_is_no_message,
    tells_its_stats,
    is_free_after_goodbye,
)
