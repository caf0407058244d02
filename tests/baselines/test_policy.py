import numpy as np
import pytest
import torch
from gymnasium import spaces

from baselines.policy import ActorCritic, default_groups
from baselines.sight import Sight
from dexgrasp_envs.errors import ConfigError
from tests.baselines.fake_env import FAKE_DEPTH_CONFIG, FakeVectorEnv


def make_policy(actor=("proprio", "state"), critic=("proprio", "privileged")) -> ActorCritic:
    env = FakeVectorEnv(1)
    torch.manual_seed(0)
    return ActorCritic(env.single_observation_space, env.single_action_space, actor, critic)


def make_seeing(actor=("proprio", "depth"), critic=("proprio", "privileged")) -> ActorCritic:
    env = FakeVectorEnv(1, FAKE_DEPTH_CONFIG, id_groups=("depth",))
    torch.manual_seed(0)
    policy = ActorCritic(
        env.single_observation_space, env.single_action_space, actor, critic, hidden=(32,), sight=Sight.of(env)
    )
    torch.nn.init.orthogonal_(policy.actor[-1].weight, 1.0)  # so that what is seen shows
    return policy


def random_obs(n: int = 6) -> dict[str, torch.Tensor]:
    return {"proprio": torch.randn(n, 4), "state": torch.randn(n, 2), "privileged": torch.randn(n, 3)}


def test_actor_and_critic_read_their_own_groups():
    policy, obs = make_policy(), random_obs()
    changed = obs | {"privileged": torch.randn(6, 3)}
    torch.testing.assert_close(policy(obs), policy(changed))
    assert not torch.allclose(policy.values(obs), policy.values(changed))
    changed = obs | {"state": torch.randn(6, 2)}
    assert not torch.allclose(policy(obs), policy(changed))
    torch.testing.assert_close(policy.values(obs), policy.values(changed))


def test_default_groups_with_without_privileged_and_blind():
    full = FakeVectorEnv(1).single_observation_space
    plain = spaces.Dict({name: full[name] for name in ("proprio", "state")})
    assert default_groups(full) == (("proprio", "state"), ("proprio", "privileged"))
    assert default_groups(plain) == (("proprio", "state"), ("proprio", "state"))
    assert default_groups(full, blind=True) == (("proprio",), ("proprio", "privileged"))


def test_an_actor_with_images_sees_no_state_by_default():
    space = FakeVectorEnv(1, FAKE_DEPTH_CONFIG).single_observation_space
    assert set(space) == {"proprio", "state", "depth", "privileged"}
    assert default_groups(space) == (("proprio", "depth"), ("proprio", "privileged"))
    assert default_groups(space, blind=True) == (("proprio",), ("proprio", "privileged"))
    unprivileged = spaces.Dict({name: space[name] for name in ("proprio", "depth")})
    assert default_groups(unprivileged) == (("proprio", "depth"), ("proprio",))


def test_log_prob_and_entropy_match_torch():
    policy = make_policy()
    mean, actions = torch.randn(5, 2), torch.randn(5, 2)
    reference = torch.distributions.Normal(mean, policy.log_std.exp().expand(5, 2))
    torch.testing.assert_close(policy.log_prob(mean, actions), reference.log_prob(actions).sum(-1))
    torch.testing.assert_close(policy.entropy(), reference.entropy().sum(-1)[0])


def test_a_deterministic_prediction_is_the_clipped_mean_without_noise():
    policy = make_policy()
    torch.nn.init.constant_(policy.actor[-1].bias, 3.0)
    obs = {name: value.numpy() for name, value in random_obs().items()}
    actions, _ = policy.predict(obs, deterministic=True)
    np.testing.assert_array_equal(actions, policy.predict(obs, deterministic=True)[0])
    np.testing.assert_array_equal(actions, np.ones((6, 2), np.float32))


def test_acting_needs_only_the_actor_groups():
    obs = {name: value.numpy() for name, value in random_obs().items() if name == "proprio"}
    assert make_policy(actor=("proprio",)).predict(obs)[0].shape == (6, 2)


def test_unknown_and_image_groups_are_refused():
    with pytest.raises(ConfigError, match="proprio, state"):
        make_policy(actor=("touch",))
    with pytest.raises(ConfigError, match="flat"):
        make_seeing(critic=("proprio", "depth"))


def test_what_a_seeing_actor_takes_is_named():
    with pytest.raises(ConfigError, match="'depth'; this environment has privileged, proprio, state"):
        make_policy(actor=("proprio", "depth"))
    with pytest.raises(ConfigError, match="proprio"):
        make_seeing(actor=("depth",))


def test_a_seeing_actor_reads_images_and_its_critic_does_not():
    env = FakeVectorEnv(6, FAKE_DEPTH_CONFIG, id_groups=("depth",))
    obs = {name: torch.as_tensor(values) for name, values in env.reset(seed=0)[0].items()}
    policy = make_seeing()
    changed = obs | {"depth": obs["depth"].flip(0)}
    assert not torch.allclose(policy(obs), policy(changed))
    torch.testing.assert_close(policy.values(obs), policy.values(changed))


def test_a_seeing_actor_reads_the_predicted_position_from_its_palm():
    policy = make_seeing()
    inputs = []
    policy.actor.register_forward_pre_hook(lambda module, args: inputs.append(args[0]))
    env = FakeVectorEnv(6, FAKE_DEPTH_CONFIG, id_groups=("depth",))
    obs = {name: torch.as_tensor(values) for name, values in env.reset(seed=0)[0].items()}
    with torch.no_grad():
        policy.encoder.locate[-1].bias[0] = 10.0  # 1 m off
    _, position = policy.act_and_locate(obs)
    expected = (position - policy.sight.palm_position(obs["proprio"])) / 0.1
    torch.testing.assert_close(inputs[0][:, -2:], expected[:, 1:])
    assert (inputs[0][:, -3] == 5).all() and (expected[:, 0] > 5).all()
