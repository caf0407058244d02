import json
from dataclasses import asdict, replace

import pytest

from baselines.encoder import EncoderConfig
from baselines.ppo_config import DEPTH_PPO, PPOConfig
from dexgrasp_envs.errors import ConfigError


@pytest.mark.parametrize("config", [PPOConfig(), replace(DEPTH_PPO, encoder=EncoderConfig((8,), (3,), (2,), 32))])
def test_it_survives_json(config):
    assert PPOConfig.from_plain(json.loads(json.dumps(asdict(config)))) == config


def test_unknown_fields_are_refused():
    with pytest.raises(TypeError, match="momentum"):
        PPOConfig.from_plain({"momentum": 0.9})
    with pytest.raises(TypeError, match="pooling"):
        PPOConfig.from_plain({"encoder": {"pooling": "max"}})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_steps", 0), ("n_epochs", 0), ("minibatch", 1), ("gamma", 1.5), ("gae_lambda", -0.1), ("clip", 0.0),
        ("value_clip", -1.0), ("entropy_weight", -1.0), ("bound_weight", float("inf")), ("learning_rate", float("nan")),
        ("learning_rate_range", (1e-3, 1e-5)), ("target_kl", 0.0), ("max_grad_norm", 0.0), ("hidden", (256, 0)),
        ("log_std", float("nan")), ("sight_steps", 0), ("encoder_learning_rate", 0.0), ("warm_up_rounds", 0),
        ("warm_up_steps", 0), ("sight_learning_rate", 0.0), ("sight_new_images", 0),
    ],
)  # fmt: skip
def test_impossible_hyper_parameters_are_named(name, value):
    with pytest.raises(ConfigError, match=name):
        PPOConfig(**{name: value})
