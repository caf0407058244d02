import errno
import os
import resource
from collections.abc import Iterator

import numpy as np
import pytest

from dexgrasp_envs.remote import segment
from dexgrasp_envs.remote.segment import Segment, attach, host

pytestmark = pytest.mark.skipif(host() is None, reason="this system has no memfd")
SIZE = 5000


@pytest.fixture
def shared() -> Iterator[Segment]:
    made = Segment(SIZE)
    yield made
    made.close()


def test_what_one_end_writes_the_other_reads(shared: Segment) -> None:
    nonce, read = attach(**shared.address)
    assert nonce == shared.nonce and len(read) == SIZE
    shared.bytes[:] = np.arange(SIZE) % 251
    np.testing.assert_array_equal(read, shared.bytes)


def test_the_reader_cannot_write(shared: Segment) -> None:
    _, read = attach(**shared.address)
    with pytest.raises(ValueError, match="read-only"):
        read[0] = 1


def test_nonces_are_never_the_same(shared: Segment) -> None:
    assert Segment(SIZE).nonce != shared.nonce


def test_nobody_attaches_once_it_is_closed(shared: Segment) -> None:
    _, read = attach(**shared.address)
    address = shared.address
    shared.close()
    with pytest.raises(OSError, match=r"No such file|no segment"):
        attach(**address)
    shared.bytes[7] = 9
    assert read[7] == 9


def test_it_cannot_shrink_under_its_reader(shared: Segment) -> None:
    with pytest.raises(PermissionError):
        os.ftruncate(shared.address["descriptor"], 0)


def test_memory_that_might_shrink_is_refused() -> None:
    file = os.memfd_create("x")
    os.truncate(file, segment.START + SIZE)
    with pytest.raises(OSError, match="might shrink"):
        attach(os.getpid(), file, SIZE)
    os.close(file)


@pytest.mark.parametrize("size", [0, SIZE - 1, SIZE + 1])
def test_a_wrong_size_is_refused(shared: Segment, size: int) -> None:
    with pytest.raises(OSError, match="no segment"):
        attach(**{**shared.address, "size": size})


def test_what_is_no_memory_is_refused_without_waiting() -> None:
    ends = os.pipe()
    with pytest.raises(OSError, match="no segment"):
        attach(os.getpid(), ends[0], SIZE)
    for end in ends:
        os.close(end)


@pytest.mark.parametrize("pid", ["self", "../..", 1.5])
def test_an_address_is_made_of_numbers(shared: Segment, pid: object) -> None:
    with pytest.raises(ValueError, match="format code"):
        attach(**{**shared.address, "pid": pid})


def test_memory_that_cannot_be_had_is_an_error_at_once_and_leaves_nothing() -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(OSError) as raised:
            Segment(2 << 20)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert raised.value.errno in (errno.EFBIG, errno.ENOSPC)
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_memory_goes_with_the_last_who_holds_it() -> None:
    def mapped() -> int:
        with open("/proc/self/maps") as maps:
            return sum("memfd:dexgrasp" in line for line in maps)

    before = mapped()
    made = Segment(SIZE)
    _, read = attach(**made.address)
    assert mapped() == before + 2
    del made
    assert mapped() == before + 1
    del read
    assert mapped() == before
