import torch

from baselines.sight_memory import SightMemory


def looks(first: int, count: int) -> dict[str, torch.Tensor]:
    """Images and truths that tell which one they are."""
    number = torch.arange(first, first + count)
    depth = number.to(torch.uint16).view(-1, 1, 1, 1).expand(count, 1, 2, 3).clone()
    return {"depth": depth, "privileged": number.float().view(-1, 1)}


def test_images_keep_their_dtype_and_their_truth():
    memory = SightMemory(100)
    memory.add(looks(0, 30))
    memory.add(looks(30, 20))
    seen = memory.sample(64)
    assert seen["depth"].dtype == torch.uint16 and seen["depth"].shape == (64, 1, 2, 3) and len(memory) == 50
    assert torch.equal(seen["depth"][:, 0, 0, 0].to(torch.float32), seen["privileged"][:, 0])


def test_a_full_memory_takes_in_new_images_in_the_place_of_random_ones():
    torch.manual_seed(0)
    memory = SightMemory(40)
    memory.add(looks(0, 50))
    memory.add(looks(100, 20))
    kept = memory.kept["privileged"][:, 0]
    assert len(memory) == 40
    assert 10 <= (kept >= 100).sum() <= 20
    assert torch.equal(memory.kept["depth"][:, 0, 0, 0].to(torch.float32), kept)


def test_what_is_kept_is_a_copy():
    memory = SightMemory(10)
    moments = looks(0, 5)
    memory.add(moments)
    moments["privileged"][:] = -1
    assert (memory.kept["privileged"] >= 0).all()


def test_the_state_brings_everything_back():
    memory, other = SightMemory(10), SightMemory(10)
    memory.add(looks(0, 7))
    other.set_state(memory.get_state())
    for group, values in memory.kept.items():
        assert torch.equal(other.kept[group], values)


def test_an_empty_memory_has_an_empty_state():
    memory = SightMemory(10)
    memory.set_state(SightMemory(10).get_state())
    assert len(memory) == 0


def test_large_images_are_fewer(monkeypatch):
    monkeypatch.setattr("baselines.sight_memory.MAX_BYTES", 8 * (2 * 3 * 2 + 4))
    memory = SightMemory(100)
    memory.add(looks(0, 50))
    memory.add(looks(50, 5))
    assert len(memory) == 8
