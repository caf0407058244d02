from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch

from baselines import export as exporting
from baselines.checkpoint import CheckpointMeta, describe_env, load_policy, write
from baselines.export import export
from baselines.ppo import PPO
from baselines.ppo_config import PPOConfig
from baselines.sight import Sight
from baselines.stereo_student import StereoStudent, StereoStudentConfig
from dexgrasp_envs.config import ObservationConfig
from dexgrasp_envs.errors import CheckpointError
from dexgrasp_envs.viewing.onnx_policy import OnnxPolicy
from tests.baselines.fake_env import FAKE_CONFIG, FAKE_DEPTH_CONFIG, FAKE_DEPTH_ID, FAKE_ID, FAKE_STEREO_ID, SMALL_EYES

pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")

CONFIG = PPOConfig(n_steps=4, minibatch=8, hidden=(16,), encoder=SMALL_EYES)
FAKE_STEREO_CONFIG = FAKE_CONFIG.replace(observation=ObservationConfig(groups=("left", "right"), image_size=(24, 32)))
KINDS = {
    "state": (FAKE_ID, FAKE_CONFIG),
    "depth": (FAKE_DEPTH_ID, FAKE_DEPTH_CONFIG),
    "stereo": (FAKE_STEREO_ID, FAKE_STEREO_CONFIG),
}
"""Id and configuration of each policy."""


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Checkpoints of policies with statistics and actions far from zero; that of state can be resumed."""
    folder, paths = tmp_path_factory.mktemp("checkpoints"), {}
    for kind in ("state", "depth"):
        env_id, config = KINDS[kind]
        learner = PPO(gymnasium.make_vec(env_id, num_envs=4, config=config), CONFIG, seed=2)
        learner.iterate()
        torch.nn.init.normal_(learner.policy.actor[-1].weight, 0.0, 1.0)
        paths[kind] = folder / f"{kind}.pt"
        (learner.save if kind == "state" else learner.save_policy)(paths[kind])
    paths["stereo"] = folder / "stereo.pt"
    save_stereo_student(paths["stereo"])
    return paths


def save_stereo_student(path: Path) -> None:
    with closing(gymnasium.make_vec(FAKE_STEREO_ID, num_envs=1, config=FAKE_STEREO_CONFIG)) as env:
        config = StereoStudentConfig((16,), 16, SMALL_EYES)
        student = StereoStudent(env.single_observation_space, env.single_action_space, Sight.of(env), config)
        torch.nn.init.normal_(student.actor[-1].weight, 0.0, 1.0)
        torch.nn.init.normal_(student.correct.weight, 0.0, 1.0)
        meta = CheckpointMeta(
            **describe_env(env, student.groups),
            actor_groups=list(student.actor_groups),
            critic_groups=[],
            ppo={},
            seed=0,
            steps=0,
            iterations=0,
            seconds=0.0,
            sight=asdict(student.sight),
            student=asdict(config),
            kind="policy",
        )
        write(path, meta, {"policy": student.state_dict()})


@pytest.fixture(scope="module")
def exported(checkpoints: dict[str, Path]) -> dict[str, tuple[float, Path]]:
    """Largest difference and file of each kind."""
    files = {kind: path.with_suffix(".onnx") for kind, path in checkpoints.items()}
    return {kind: (export(checkpoints[kind], file), file) for kind, file in files.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_acts_as_the_policy_for_any_number_of_rows(
    kind: str, checkpoints: dict[str, Path], exported: dict[str, tuple[float, Path]]
) -> None:
    difference, file = exported[kind]
    policy, _ = load_policy(checkpoints[kind])
    assert difference < 1e-4
    for rows in (1, 7):
        env_id, config = KINDS[kind]
        env, exported_policy, state = gymnasium.make_vec(env_id, num_envs=rows, config=config), OnnxPolicy(file), None
        obs, _ = env.reset(seed=5)
        for step in range(4):
            starts = np.full(rows, step in (0, 2))
            actions = exported_policy(obs, starts)
            wanted, state = policy.predict(obs, state, starts, deterministic=True)
            assert actions.shape == (rows, 2) and actions.dtype == np.float32
            np.testing.assert_allclose(actions, wanted, atol=1e-4)
            obs, *_ = env.step(actions)


def test_actions_are_clipped(exported: dict[str, tuple[float, Path]]) -> None:
    obs = {"proprio": np.full((2, 4), 50, np.float32), "state": np.full((2, 2), -50, np.float32)}
    assert np.abs(OnnxPolicy(exported["state"][1])(obs, np.ones(2, bool))).max() == 1


def test_images_are_taken_as_they_are_observed(exported: dict[str, tuple[float, Path]]) -> None:
    assert OnnxPolicy(exported["depth"][1]).inputs == {
        "proprio": ((7,), "float32"),
        "depth": ((1, 24, 32), "uint16"),
    }


def test_the_metadata_are_the_checkpoints(
    checkpoints: dict[str, Path], exported: dict[str, tuple[float, Path]]
) -> None:
    about, (_, meta) = OnnxPolicy(exported["state"][1]).metadata, load_policy(checkpoints["state"])
    assert about.groups == ("proprio", "state") and about.env_id == FAKE_ID
    assert (about.config, about.config_hash) == (meta.config, meta.config_hash)
    assert about.fingerprint == meta.fingerprint


def test_a_model_that_acts_differently_is_not_left_behind(
    checkpoints: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "largest_difference", lambda *_: 0.01)
    with pytest.raises(CheckpointError, match="acts differently"):
        export(checkpoints["state"], tmp_path / "policy.onnx")
    assert not list(tmp_path.iterdir())


def test_the_difference_is_found_where_there_is_one(
    checkpoints: dict[str, Path], exported: dict[str, tuple[float, Path]]
) -> None:
    policy, _ = load_policy(checkpoints["state"])
    with torch.no_grad():
        policy.actor[-1].bias += 0.01
    env = gymnasium.make_vec(FAKE_ID, num_envs=4, config=FAKE_CONFIG)
    found = exporting.largest_difference(policy, OnnxPolicy(exported["state"][1]), env, 0)
    assert found == pytest.approx(0.01, rel=0.01)


def test_a_missing_or_foreign_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "text.pt").write_text("not a checkpoint")
    for name in ("absent.pt", "text.pt"):
        with pytest.raises(CheckpointError, match=name):
            export(tmp_path / name, tmp_path / "policy.onnx")
