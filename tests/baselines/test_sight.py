import json
from dataclasses import asdict

import numpy as np
import torch

from baselines.sight import Sight
from dexgrasp_envs.config import ObservationConfig
from tests.baselines.fake_env import CAMERA, FAKE_DEPTH_CONFIG, FakeVectorEnv, _on_table


def test_positions_are_found_in_the_flat_groups():
    env = FakeVectorEnv(5, FAKE_DEPTH_CONFIG, id_groups=("depth",))
    obs = {name: torch.as_tensor(values) for name, values in env.reset(seed=3)[0].items()}
    sight = Sight.of(env)
    assert sight.camera == CAMERA
    np.testing.assert_allclose(sight.object_position(obs["privileged"]), _on_table(env.goal), atol=1e-6)
    np.testing.assert_allclose(sight.palm_position(obs["proprio"]), _on_table(env.position), atol=1e-6)


def test_it_survives_json():
    sight = Sight.of(FakeVectorEnv(1, FAKE_DEPTH_CONFIG, id_groups=("depth",)))
    obs = torch.randn(2, 7)
    again = Sight(**json.loads(json.dumps(asdict(sight))))
    assert torch.equal(again.palm_position(obs), sight.palm_position(obs))
    assert torch.equal(again.object_position(obs), sight.object_position(obs))


def test_an_environment_without_privileged_observations_tells_no_object():
    config = FAKE_DEPTH_CONFIG.replace(observation=ObservationConfig(image_size=(24, 32)))
    assert Sight.of(FakeVectorEnv(1, config, id_groups=("depth",))).object_from_goal is None
