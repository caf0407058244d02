import numpy as np
import torch
from gymnasium import spaces

from baselines.rollout_buffer import RolloutBuffer

T, N = 7, 5


def make_buffer() -> RolloutBuffer:
    space = spaces.Dict(
        {
            "proprio": spaces.Box(-1, 1, (3,), np.float32),
            "depth": spaces.Box(0, 65535, (1, 4, 6), np.uint16),
            "left": spaces.Box(0, 255, (3, 4, 6), np.uint8),
            "unused": spaces.Box(-1, 1, (1000,), np.float32),
        }
    )
    return RolloutBuffer(space, ("proprio", "depth", "left"), action_size=2, steps=T, num_envs=N)


def test_advantages_match_a_plain_loop():
    buffer = make_buffer()
    generator = torch.Generator().manual_seed(0)
    buffer.rewards.copy_(torch.randn(T, N, generator=generator))
    buffer.values.copy_(torch.randn(T, N, generator=generator))
    buffer.dones.copy_(torch.rand(T, N, generator=generator) < 0.3)
    last = torch.randn(N, generator=generator)
    buffer.compute_advantages(last, gamma=0.9, gae_lambda=0.8)
    for n in range(N):
        for t in range(T):
            expected, weight = 0.0, 1.0
            for k in range(t, T):
                done = bool(buffer.dones[k, n])
                following = last[n] if k == T - 1 else buffer.values[k + 1, n]
                bootstrap = 0.0 if done else 0.9 * float(following)
                expected += weight * (float(buffer.rewards[k, n]) + bootstrap - float(buffer.values[k, n]))
                weight *= 0.9 * 0.8
                if done:
                    break
            assert abs(expected - float(buffer.advantages[t, n])) < 1e-5
    torch.testing.assert_close(buffer.returns, buffer.advantages + buffer.values)


def test_images_keep_their_dtype_and_values():
    buffer = make_buffer()
    rng = np.random.default_rng(0)
    depth = rng.integers(0, 65536, (T, N, 1, 4, 6), dtype=np.uint16)
    left = rng.integers(0, 256, (T, N, 3, 4, 6), dtype=np.uint8)
    for step in range(T):
        buffer.store_obs(step, {"proprio": np.zeros((N, 3), np.float32), "depth": depth[step], "left": left[step]})
        buffer.rewards[step] = torch.arange(step * N, (step + 1) * N)
    buffer.returns.copy_(buffer.rewards)
    for batch in buffer.minibatches(8):
        assert batch.obs["depth"].dtype == torch.uint16 and batch.obs["left"].dtype == torch.uint8
        order = batch.returns.long().numpy()
        np.testing.assert_array_equal(batch.obs["depth"].numpy(), depth.reshape(T * N, 1, 4, 6)[order])
        np.testing.assert_array_equal(batch.obs["left"].numpy(), left.reshape(T * N, 3, 4, 6)[order])


def test_minibatches_visit_every_sample_once():
    buffer = make_buffer()
    buffer.returns.copy_(torch.arange(T * N).view(T, N))
    visited = torch.cat([batch.returns for batch in buffer.minibatches(8)])
    assert sorted(visited.tolist()) == list(range(T * N))


def test_memory_is_what_the_chosen_groups_need():
    buffer = make_buffer()
    images = T * N * (24 * 2 + 72)
    floats = T * N * 4 * (3 + 2 + 2 + 6)
    assert buffer.nbytes == images + floats + 2 * T * N


def test_samples_that_are_not_used_are_in_no_minibatch_and_in_no_statistics():
    buffer = RolloutBuffer(spaces.Dict({"proprio": spaces.Box(-1, 1, (2,))}), ("proprio",), 1, 3, 4)
    buffer.actions[:] = torch.arange(12.0).view(3, 4, 1)
    assert buffer.learned(buffer.returns) is buffer.returns
    buffer.used[1, 2] = buffer.used[2, 0] = False
    left = [*range(6), 7, 9, 10, 11]
    assert sorted(torch.cat([batch.actions for batch in buffer.minibatches(4)]).flatten().tolist()) == left
    assert buffer.learned(buffer.actions).flatten().tolist() == left
