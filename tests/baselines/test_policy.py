import numpy as np
import pytest
import torch
from gymnasium import spaces

from baselines.policy import ActorCritic, default_groups
from dexgrasp_envs.errors import ConfigError
from tests.baselines.fake_env import FakeVectorEnv


def make_policy(actor=("proprio", "state"), critic=("proprio", "privileged")) -> ActorCritic:
    env = FakeVectorEnv(1)
    torch.manual_seed(0)
    return ActorCritic(env.single_observation_space, env.single_action_space, actor, critic)


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


def test_log_prob_and_entropy_match_torch():
    policy = make_policy()
    mean, actions = torch.randn(5, 2), torch.randn(5, 2)
    reference = torch.distributions.Normal(mean, policy.log_std.exp().expand(5, 2))
    torch.testing.assert_close(policy.log_prob(mean, actions), reference.log_prob(actions).sum(-1))
    torch.testing.assert_close(policy.entropy(), reference.entropy().sum(-1)[0])


def test_act_is_the_clipped_mean_without_noise():
    policy = make_policy()
    torch.nn.init.constant_(policy.actor[-1].bias, 3.0)
    obs = {name: value.numpy() for name, value in random_obs().items()}
    actions = policy.act(obs)
    np.testing.assert_array_equal(actions, policy.act(obs))
    np.testing.assert_array_equal(actions, np.ones((6, 2), np.float32))


def test_acting_needs_only_the_actor_groups():
    obs = {name: value.numpy() for name, value in random_obs().items() if name == "proprio"}
    assert make_policy(actor=("proprio",)).act(obs).shape == (6, 2)


def test_unknown_and_image_groups_are_refused():
    with pytest.raises(ConfigError, match="proprio, state"):
        make_policy(actor=("touch",))
    space = spaces.Dict({"depth": spaces.Box(0, 65535, (1, 4, 4), np.uint16)})
    with pytest.raises(ConfigError, match="flat"):
        ActorCritic(space, FakeVectorEnv(1).single_action_space, ("depth",), ("depth",))
