"""The tiers of the evaluation distribution."""

import dataclasses

import numpy as np
import pytest
import torch

from dexgrasp_envs import objects
from dexgrasp_envs.arguments import env_config
from dexgrasp_envs.config import CAMERAS, ControlConfig, EnvConfig, ObservationConfig, SpawnConfig
from dexgrasp_envs.errors import ConfigError
from dexgrasp_envs.registration import DEPTH_ID
from dexgrasp_envs.scene.tabletop import TABLE_TOP
from dexgrasp_envs.sensor_config import DEPTH_NOISES
from dexgrasp_envs.task.resets import StartSampler
from dexgrasp_envs.tiers import TIERS, on_tier
from dexgrasp_envs.vision.camera import Intrinsics, look_at
from dexgrasp_envs.vision.geom_table import part_names
from dexgrasp_envs.vision.ray_caster import RayCaster, Shot
from tests.helpers import OBJECTS, ROBOT, default_scene, make_sim
from tests.vector_envs import Make, actions

N = 24
SIZE = (60, 80)
STANDING = pytest.mark.parametrize(
    "tier",
    [
        pytest.param(name, marks=pytest.mark.skipif(tier.objects not in objects.names(), reason="no such object set"))
        for name, tier in TIERS.items()
    ],
)


def test_the_first_tier_is_the_default() -> None:
    assert next(iter(TIERS)) == "easy" and on_tier(EnvConfig(), "easy") == EnvConfig()


@pytest.mark.parametrize("name", TIERS)
def test_a_tier_decides_its_part_and_nothing_else(name: str) -> None:
    camera = dataclasses.replace(CAMERAS["front"], position_jitter=0.5, rotation_jitter=50.0)
    observation = ObservationConfig(("depth",), camera, (48, 64), depth_noise=DEPTH_NOISES["paper"])
    mine = EnvConfig("anything", observation, spawn=SpawnConfig((9.0, 9.0)), control=ControlConfig(palm_tilt=0.5))
    made, tier = on_tier(mine, name), TIERS[name]
    assert (made.objects, made.spawn, made.observation.depth_noise) == (tier.objects, tier.spawn, tier.depth_noise)
    jitter = made.observation.camera.position_jitter, made.observation.camera.rotation_jitter
    assert jitter == (tier.position_jitter, tier.rotation_jitter)
    seen = dataclasses.replace(made.observation, camera=camera, depth_noise=observation.depth_noise)
    assert made.replace(objects=mine.objects, spawn=mine.spawn, observation=seen) == mine


def test_tiers_differ_in_their_hash() -> None:
    assert len({on_tier(EnvConfig(), name).hash() for name in TIERS}) == len(TIERS)


def test_an_unknown_tier_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="'easy', 'full', 'hard', got 'brutal'"):
        on_tier(EnvConfig(), "brutal")


def test_other_options_change_a_tier_further() -> None:
    config = env_config(("depth",), tier="hard", objects="primitives12", depth_noise="off")
    assert config.objects == "primitives12" and config.observation.depth_noise == DEPTH_NOISES["off"]
    assert config.spawn == TIERS["hard"].spawn and config.observation.camera.position_jitter == 0.03


def test_the_camera_may_be_another_and_still_has_the_jitter_of_the_tier() -> None:
    camera = env_config(("depth",), tier="hard", camera="front").observation.camera
    assert camera == dataclasses.replace(CAMERAS["front"], position_jitter=0.03, rotation_jitter=3.0)


@STANDING
def test_environments_of_a_tier_step(make: Make, tier: str) -> None:
    envs = make(DEPTH_ID, tier=tier, image_size=(24, 32))
    obs, _ = envs.reset(seed=0)
    assert envs.config == on_tier(EnvConfig(observation=envs.config.observation), tier)
    assert obs in envs.observation_space and envs.step(actions(0))[0] in envs.observation_space


def test_a_policy_meets_the_same_spaces_on_all_tiers(make: Make) -> None:
    easy, hard = (make(DEPTH_ID, tier=tier, objects="primitives12", image_size=(24, 32)) for tier in ("easy", "hard"))
    assert easy.observation_space == hard.observation_space


def test_the_arm_hides_most_of_the_object_at_the_start_of_the_last_tier_and_touches_nothing() -> None:
    spawn = TIERS["hard"].spawn
    rows = torch.arange(N)
    sim = make_sim(N)
    start = StartSampler(ROBOT, OBJECTS, spawn, 0.03)(0 * rows, rows, 0 * rows, rows % len(OBJECTS))
    sim.reset(rows, start)
    sim.step(start.joint_pos[:, None].repeat(1, 4, 1))
    state = sim.state()
    assert not state.contact_count[:, :-1].any()
    fingers = [i for i, name in enumerate(ROBOT.body_names) if name.startswith(ROBOT.fingers)]
    assert state.body_pos[:, fingers, 2].min() > TABLE_TOP + 0.01
    away = state.rows(rows)
    away.body_pos[:, :-1] = -50.0
    camera = CAMERAS["right"]
    lens = Intrinsics.of(ObservationConfig(image_size=SIZE, camera=camera))
    position = np.tile(np.float32(camera.position), (N, 1))
    rotation = np.tile(look_at(camera).astype(np.float32), (N, 1, 1))
    pixels = []
    for what in (state, away):
        shot = Shot(
            rows.numpy(), (rows % len(OBJECTS)).numpy(), what.body_pos.numpy(), what.body_rot.numpy(), position,
            rotation, lens, camera.near, camera.far, 1.0,
        )  # fmt: skip
        ids = np.empty((N, *SIZE), np.int16)
        RayCaster(default_scene(), OBJECTS, 1).cast(shot, np.empty((N, *SIZE), np.float32), ids)
        pixels.append((ids == part_names(default_scene()).index("object")).sum((1, 2)))
    assert pixels[1].min() > 5
    assert (pixels[0] / pixels[1]).mean() < 0.55
