import torch

from baselines.sight_memory import SightMemory


def looks(first: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Images and truths that tell which one they are."""
    number = torch.arange(first, first + count)
    return number.to(torch.uint16).view(-1, 1, 1, 1).expand(count, 1, 2, 3).clone(), number.float().view(-1, 1)


def test_images_keep_their_dtype_and_their_truth():
    memory = SightMemory(100)
    memory.add(*looks(0, 30))
    memory.add(*looks(30, 20))
    images, truth = memory.sample(64)
    assert images.dtype == torch.uint16 and images.shape == (64, 1, 2, 3) and len(memory) == 50
    assert torch.equal(images[:, 0, 0, 0].to(torch.float32), truth[:, 0])


def test_a_full_memory_takes_in_new_images_in_the_place_of_random_ones():
    torch.manual_seed(0)
    memory = SightMemory(40)
    memory.add(*looks(0, 50))
    memory.add(*looks(100, 20))
    kept = memory.privileged[:, 0]
    assert len(memory) == 40
    assert 10 <= (kept >= 100).sum() <= 20
    assert torch.equal(memory.images[:, 0, 0, 0].to(torch.float32), kept)


def test_what_is_kept_is_a_copy():
    memory = SightMemory(10)
    images, truth = looks(0, 5)
    memory.add(images, truth)
    truth[:] = -1
    assert (memory.privileged >= 0).all()


def test_the_state_brings_everything_back():
    memory, other = SightMemory(10), SightMemory(10)
    memory.add(*looks(0, 7))
    other.set_state(memory.get_state())
    assert torch.equal(other.images, memory.images) and torch.equal(other.privileged, memory.privileged)


def test_large_images_are_fewer(monkeypatch):
    monkeypatch.setattr("baselines.sight_memory.MAX_BYTES", 8 * 2 * 3 * 2)
    memory = SightMemory(100)
    memory.add(*looks(0, 50))
    memory.add(*looks(50, 5))
    assert len(memory) == 8
