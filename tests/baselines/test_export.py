from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch

from baselines import export as exporting
from baselines.checkpoint import load_policy
from baselines.export import export
from baselines.ppo import PPO
from baselines.ppo_config import PPOConfig
from dexgrasp_envs.errors import CheckpointError
from dexgrasp_envs.viewing.onnx_policy import OnnxPolicy
from tests.baselines.fake_env import FAKE_CONFIG, FAKE_DEPTH_CONFIG, FAKE_DEPTH_ID, FAKE_ID, SMALL_EYES

pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")

CONFIG = PPOConfig(n_steps=4, minibatch=8, hidden=(16,), encoder=SMALL_EYES)
KINDS = {"state": (FAKE_ID, FAKE_CONFIG), "depth": (FAKE_DEPTH_ID, FAKE_DEPTH_CONFIG)}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Checkpoints of policies with statistics and actions far from zero; that of state can be resumed."""
    folder, paths = tmp_path_factory.mktemp("checkpoints"), {}
    for kind, (env_id, config) in KINDS.items():
        learner = PPO(gymnasium.make_vec(env_id, num_envs=4, config=config), CONFIG, seed=2)
        learner.iterate()
        torch.nn.init.normal_(learner.policy.actor[-1].weight, 0.0, 1.0)
        paths[kind] = folder / f"{kind}.pt"
        (learner.save if kind == "state" else learner.save_policy)(paths[kind])
    return paths


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
        obs, _ = gymnasium.make_vec(env_id, num_envs=rows, config=config).reset(seed=5)
        actions = OnnxPolicy(file)(obs)
        assert actions.shape == (rows, 2) and actions.dtype == np.float32
        np.testing.assert_allclose(actions, policy.predict(obs, deterministic=True)[0], atol=1e-4)


def test_actions_are_clipped(exported: dict[str, tuple[float, Path]]) -> None:
    obs = {"proprio": np.full((2, 4), 50, np.float32), "state": np.full((2, 2), -50, np.float32)}
    assert np.abs(OnnxPolicy(exported["state"][1])(obs)).max() == 1


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
