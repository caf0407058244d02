import pytest

from dexgrasp_envs import errors
from dexgrasp_envs.errors import DexGraspError, RemoteError
from dexgrasp_envs.remote.failures import failure_from_data, failure_to_data

OURS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DexGraspError)]


@pytest.mark.parametrize("kind", OURS)
def test_our_errors_come_back_as_they_were(kind: type[DexGraspError]) -> None:
    back = failure_from_data(failure_to_data(kind("what to do")), "tcp://there")
    assert type(back) is kind and str(back) == "what to do"


def test_a_note_says_where_an_error_was_raised() -> None:
    back = failure_from_data(failure_to_data(errors.ActionError("x")), "tcp://there (call 3)")
    assert back.__notes__ == ["raised by tcp://there (call 3)"]


def test_other_errors_come_back_as_remote_errors_with_type_and_message() -> None:
    back = failure_from_data(failure_to_data(ZeroDivisionError("by zero")), "tcp://there")
    assert type(back) is RemoteError and str(back) == "tcp://there: ZeroDivisionError: by zero"


@pytest.mark.parametrize(
    "data", [None, [], {"type": "Exception", "ours": True}, {"type": "annotations", "ours": True}, {"type": 5}]
)
def test_whatever_a_server_says_is_a_remote_error(data: object) -> None:
    assert type(failure_from_data(data, "tcp://there")) is RemoteError


def test_endless_messages_are_cut() -> None:
    assert len(failure_to_data(ValueError("x" * 10**6))["message"]) < 20_000
