import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexgrasp_envs.config import EnvConfig, EpisodeConfig, SpawnConfig
from dexgrasp_envs.errors import CheckpointError, ConfigError
from dexgrasp_envs.viewing.onnx_policy import OnnxPolicy, PolicyMetadata
from tests.baselines.fake_env import FAKE_CONFIG, FAKE_ID, FakeVectorEnv

onnx: Any = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

CONFIG = FAKE_CONFIG.observing("state")


def write(path: Path, metadata: dict[str, str] | None = None, group: str = "proprio", size: int = 4) -> Path:
    """A model whose action is the first two numbers of a group."""
    tensor, helper = onnx.TensorProto, onnx.helper
    graph = helper.make_graph(
        [helper.make_node("Gather", [group, "columns"], ["action"], axis=1)],
        "policy",
        [helper.make_tensor_value_info(group, tensor.FLOAT, ["batch", size])],
        [helper.make_tensor_value_info("action", tensor.FLOAT, ["batch", 2])],
        [helper.make_tensor("columns", tensor.INT64, [2], [0, 1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, about(CONFIG, (group,)).to_properties() if metadata is None else metadata)
    onnx.save(model, path)
    return path


def write_counter(path: Path) -> Path:
    """A model whose action is its memory, which grows by the first two numbers of `proprio`."""
    tensor, helper = onnx.TensorProto, onnx.helper
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["proprio", "columns"], ["seen"], axis=1),
            helper.make_node("Add", ["memory", "seen"], ["next_memory"]),
            helper.make_node("Identity", ["next_memory"], ["action"]),
        ],
        "policy",
        [
            helper.make_tensor_value_info("proprio", tensor.FLOAT, ["batch", 4]),
            helper.make_tensor_value_info("memory", tensor.FLOAT, ["batch", 2]),
        ],
        [helper.make_tensor_value_info(name, tensor.FLOAT, ["batch", 2]) for name in ("action", "next_memory")],
        [helper.make_tensor("columns", tensor.INT64, [2], [0, 1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, about(CONFIG).to_properties())
    onnx.save(model, path)
    return path


def about(config: EnvConfig, groups: tuple[str, ...] = ("proprio",)) -> PolicyMetadata:
    return PolicyMetadata(FAKE_ID, config.to_json(), config.hash(), f"fake {config.hash()}", groups)


def trained_on(path: Path, **changes: Any) -> OnnxPolicy:
    return OnnxPolicy(write(path, about(CONFIG.replace(**changes)).to_properties()))


def test_it_acts_on_raw_observations(tmp_path: Path) -> None:
    policy = OnnxPolicy(write(tmp_path / "p.onnx"))
    obs, _ = FakeVectorEnv(3).reset(seed=0)
    np.testing.assert_array_equal(policy(obs, np.ones(3, bool)), obs["proprio"][:, :2])


def test_it_remembers_until_an_episode_begins(tmp_path: Path) -> None:
    policy = OnnxPolicy(write_counter(tmp_path / "p.onnx"))
    obs = {"proprio": np.ones((2, 4), np.float32)}
    assert policy.inputs == {"proprio": ((4,), "float32")}
    for starts, wanted in (([True, True], [1, 1]), ([False, False], [2, 2]), ([False, True], [3, 1])):
        assert policy(obs, np.array(starts))[:, 0].tolist() == wanted
    assert policy({"proprio": np.ones((3, 4), np.float32)}, np.zeros(3, bool))[:, 0].tolist() == [1, 1, 1]


def test_it_says_what_it_was_trained_on(tmp_path: Path) -> None:
    policy = OnnxPolicy(write(tmp_path / "p.onnx"))
    assert policy.metadata == about(CONFIG) and policy.config == CONFIG
    assert policy.require(FakeVectorEnv(1)) is None


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no policy at"):
        OnnxPolicy(tmp_path / "absent.onnx")


def test_a_file_that_is_something_else(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("not a model")
    with pytest.raises(CheckpointError, match="not an ONNX model"):
        OnnxPolicy(tmp_path / "text.onnx")


def test_a_model_of_somebody_else(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="not a policy of this package"):
        OnnxPolicy(write(tmp_path / "foreign.onnx", {"author": "somebody"}))


def test_a_configuration_of_another_version(tmp_path: Path) -> None:
    metadata = dataclasses.replace(about(CONFIG), config="{}").to_properties()
    with pytest.raises(CheckpointError, match="not one of this version"):
        _ = OnnxPolicy(write(tmp_path / "p.onnx", metadata)).config


def test_another_configuration_is_a_warning_that_names_both(tmp_path: Path) -> None:
    other = SpawnConfig(half_extent=(0.01, 0.01))
    warning = trained_on(tmp_path / "p.onnx", spawn=other).require(FakeVectorEnv(1))
    assert warning is not None and "spawn.half_extent" in warning
    assert CONFIG.hash() in warning and CONFIG.replace(spawn=other).hash() in warning


def test_other_code_is_a_warning_that_names_both(tmp_path: Path) -> None:
    env = FakeVectorEnv(1)
    env.fingerprint = "another robot"
    warning = OnnxPolicy(write(tmp_path / "p.onnx")).require(env)
    assert warning is not None and "another robot" in warning and f"fake {CONFIG.hash()}" in warning


def test_another_task_is_an_error(tmp_path: Path) -> None:
    other = dataclasses.replace(EpisodeConfig(seconds=2.0), goal=(0.5, 0.1, 0.6))
    with pytest.raises(CheckpointError, match=r"another task: episode\.goal"):
        trained_on(tmp_path / "p.onnx", episode=other).require(FakeVectorEnv(1))


def test_a_group_that_is_not_delivered_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'touch', which this environment does not deliver"):
        OnnxPolicy(write(tmp_path / "p.onnx", group="touch")).require(FakeVectorEnv(1))


def test_a_group_of_another_size_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"float32 \(5,\), here it is float32 \(4,\)"):
        OnnxPolicy(write(tmp_path / "p.onnx", size=5)).require(FakeVectorEnv(1))
