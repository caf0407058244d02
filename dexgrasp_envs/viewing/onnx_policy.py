"""Policies as ONNX files: what such a file says of itself, and how it acts."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from gymnasium.vector import VectorEnv

from ..config import EnvConfig
from ..errors import CheckpointError, ConfigError, MissingPackage
from ..remote.identity import differences
from .policies import Inputs, Observation, Starts, require_inputs

ACTION = "action"
"""Name of the output: actions [batch, A], clipped to -1..1."""
MEMORY, NEXT_MEMORY = "memory", "next_memory"
"""Names of an input and an output that recurrent policies have besides: what they remember, [batch, size]."""
PREFIX = "dexgrasp."
"""Before the names of the metadata in a file."""
TASK_FIELDS = ("physics", "control", "controller", "joint_delta", "fabric", "episode")
"""Parts of the configuration that decide what an action does and what is to be done: they must agree."""
_DTYPES = {"tensor(float)": "float32", "tensor(uint16)": "uint16", "tensor(uint8)": "uint8"}


@dataclass(frozen=True)
class PolicyMetadata:
    """What a policy was trained on; strings in the model's metadata, under `PREFIX`."""

    env_id: str
    """Gymnasium id of the environment."""
    config: str
    """Canonical JSON of its configuration."""
    config_hash: str
    """Hash of that configuration."""
    fingerprint: str
    """Identifies configuration, robot, scene, objects and code: `DexGraspVectorEnv.fingerprint`."""
    groups: tuple[str, ...]
    """Observation groups that the policy reads: the names of the inputs."""

    def to_properties(self) -> dict[str, str]:
        """As the properties of an ONNX model."""
        values = asdict(self) | {"groups": json.dumps(self.groups)}
        return {PREFIX + name: value for name, value in values.items()}

    @classmethod
    def from_properties(cls, properties: dict[str, str], where: str) -> Self:
        """The inverse; `CheckpointError` for a model that was not written by `baselines.export`."""
        try:
            values: dict[str, Any] = {field.name: properties[PREFIX + field.name] for field in fields(cls)}
            values["groups"] = tuple(map(str, json.loads(values["groups"])))
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise CheckpointError(
                f"{where} is an ONNX model, but not a policy of this package ({type(error).__name__}: {error}); "
                "write one with `python -m baselines.export`"
            ) from error
        return cls(**values)


class OnnxPolicy:
    """Acts by onnxruntime, on one thread of the CPU, and remembers what a recurrent policy remembers.

    Raises:
        CheckpointError: The file is missing, no ONNX model, or not a policy of this package.
        MissingPackage: onnxruntime is not installed.
    """

    def __init__(self, path: Path):
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingPackage(
                "an ONNX policy takes onnxruntime: pip install 'dexgrasp_envs[view]', or pip install onnxruntime"
            ) from error
        if not path.is_file():
            raise CheckpointError(f"there is no policy at {path}; write one with `python -m baselines.export`")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # a class of its own for every way in which a file can be wrong
            raise CheckpointError(
                f"{path} is not an ONNX model that onnxruntime can run ({type(error).__name__}: "
                f"{str(error).splitlines()[0][:160]}); write one with `python -m baselines.export`"
            ) from error
        self.path = path
        """The file."""
        self.metadata = PolicyMetadata.from_properties(
            dict(self._session.get_modelmeta().custom_metadata_map), str(path)
        )
        """What it was trained on."""
        self._memory_size: int | None = next(
            (node.shape[1] for node in self._session.get_inputs() if node.name == MEMORY), None
        )
        self._memory = np.zeros((0, 0), np.float32)

    def __call__(self, obs: Observation, starts: Starts) -> npt.NDArray[np.float32]:
        """Actions [N, A] in -1..1 for raw observation groups [N, ...]; episodes begin in the rows `starts` [N]."""
        inputs = {group: obs[group] for group in self.metadata.groups}
        if self._memory_size is None:
            return self._session.run([ACTION], inputs)[0]
        if len(self._memory) != len(starts):
            self._memory = np.zeros((len(starts), self._memory_size), np.float32)
        inputs[MEMORY] = self._memory * ~starts[:, None]
        action, self._memory = self._session.run([ACTION, NEXT_MEMORY], inputs)
        return action

    @property
    def inputs(self) -> Inputs:
        """What it reads of an environment."""
        return {
            node.name: (tuple(node.shape[1:]), _DTYPES.get(node.type, node.type))
            for node in self._session.get_inputs()
            if node.name != MEMORY
        }

    @property
    def config(self) -> EnvConfig:
        """The configuration that it was trained on; `CheckpointError` if this version has other fields."""
        try:
            return EnvConfig.from_json(self.metadata.config)
        except ConfigError as error:
            raise CheckpointError(
                f"the configuration in {self.path} is not one of this version ({error}); export the policy anew"
            ) from error

    def require(self, env: VectorEnv) -> str | None:
        """Check that the policy fits the environment; returns a warning where it was trained on something else.

        Raises:
            CheckpointError: The environment sets another task (`TASK_FIELDS`).
            ConfigError: It does not deliver what the policy reads.
        """
        require_inputs(str(self.path), self.inputs, env)
        here: EnvConfig = env.unwrapped.config  # type: ignore[attr-defined]
        found = list(differences(asdict(here), asdict(self.config)))
        if task := [text for text in found if text.split()[0].partition(".")[0] in TASK_FIELDS]:
            raise CheckpointError(f"{self.path} was trained for another task: {'; '.join(task)}")
        if here.hash() != self.metadata.config_hash:
            return (
                f"{self.path} was trained on the configuration {self.metadata.config_hash}, this one is {here.hash()}: "
                f"{'; '.join(found)}"
            )
        fingerprint: str = env.unwrapped.fingerprint  # type: ignore[attr-defined]
        if fingerprint != self.metadata.fingerprint:
            return (
                f"{self.path} was trained on the fingerprint {self.metadata.fingerprint}, this one is {fingerprint}: "
                "robot, scene, objects or code have changed since"
            )
        return None
