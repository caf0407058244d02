"""Checkpoints: one file with JSON metadata and state dicts, read without unpickling code."""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import VectorEnv

from dexgrasp_envs.config import EnvConfig
from dexgrasp_envs.errors import CheckpointError, ConfigError
from dexgrasp_envs.remote.identity import differences

from .policy import ActorCritic
from .ppo_config import PPOConfig
from .replacing import replacing
from .sight import Sight
from .stereo_student import StereoStudent, StereoStudentConfig

SCHEMA = 1
ENTRIES = {
    "policy": {"policy"},
    "training": {"policy", "optimizer", "rng", "rollouts"},
    "distillation": {"policy", "optimizer", "rng", "progress"},
}
"""What a checkpoint of each kind holds beside its metadata."""


@dataclass(frozen=True)
class CheckpointMeta:
    """What a checkpoint was made for and how far it got."""

    env_id: str
    """Gymnasium id of the environment."""
    config: str
    """Canonical JSON of its configuration."""
    config_hash: str
    """Hash of that configuration."""
    fingerprint: str
    """Identifies configuration, robot, scene and objects: `DexGraspVectorEnv.fingerprint`."""
    task_fingerprint: str
    """The same whatever is observed: `DexGraspVectorEnv.task_fingerprint`."""
    observation_space: dict[str, dict[str, Any]]
    """Observation group -> {"shape", "dtype"}, of the groups that the policy reads."""
    action_space: dict[str, list[float]]
    """{"low", "high"} of one environment."""
    actor_groups: list[str]
    """Observation groups of the actor."""
    critic_groups: list[str]
    """Observation groups of the critic."""
    ppo: dict[str, Any]
    """Hyper-parameters, the fields of `PPOConfig`."""
    seed: int
    """Seed of training."""
    steps: int
    """Environment steps taken, over all environments."""
    iterations: int
    """Updates made."""
    seconds: float
    """Wall-clock time spent training."""
    sight: dict[str, Any] | None = None
    """Camera and what else an actor of images needs, the fields of `Sight`; None where none are seen."""
    student: dict[str, Any] | None = None
    """Architecture of a recurrent student, the fields of `StereoStudentConfig`; None of PPO's policies."""
    adr_level: int = 0
    """Level of randomisation that training has reached."""
    run: dict[str, Any] = field(default_factory=dict)
    """Arguments of the training command."""
    kind: str = "training"
    """"training" and "distillation" can be resumed, "policy" holds the policy alone."""
    schema: int = SCHEMA
    """Version of this file format."""

    @property
    def blind(self) -> bool:
        """Whether the actor saw nothing of the object."""
        return self.actor_groups == ["proprio"]


def describe_env(env: VectorEnv, groups: Sequence[str]) -> dict[str, Any]:
    """The fields of `CheckpointMeta` that come from an environment."""
    assert isinstance(env.single_observation_space, spaces.Dict)
    assert isinstance(env.single_action_space, spaces.Box)
    config = env.unwrapped.config  # type: ignore[attr-defined]
    return {
        "env_id": _id_of(env),
        "config": config.to_json(),
        "config_hash": config.hash(),
        "fingerprint": env.unwrapped.fingerprint,  # type: ignore[attr-defined]
        "task_fingerprint": env.unwrapped.task_fingerprint,  # type: ignore[attr-defined]
        "observation_space": {group: _describe(env.single_observation_space[group]) for group in groups},
        "action_space": {
            "low": env.single_action_space.low.tolist(),
            "high": env.single_action_space.high.tolist(),
        },
    }


def write(path: str | Path, meta: CheckpointMeta, payload: dict[str, Any]) -> None:
    """Write atomically: a reader sees the old file or the new one, never a part."""
    with replacing(Path(path)) as partial:
        torch.save({"meta": json.dumps(asdict(meta)), **payload}, partial)


def read(path: str | Path) -> tuple[CheckpointMeta, dict[str, Any]]:
    """Metadata and the other entries of a checkpoint.

    Raises:
        CheckpointError: The file is missing, unreadable, incomplete, from stock SB3, or of another schema.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint at {path}; give a .pt file written by baselines.train")
    if _is_stock_sb3(path):
        raise CheckpointError(
            f"{path} is a stock Stable-Baselines3 archive, which can run code when loaded; expected a checkpoint of "
            "this package: train with baselines.train, or load that archive with Stable-Baselines3 itself"
        )
    try:
        payload = torch.load(path, map_location="cpu", weights_only=True)
        data = json.loads(payload.pop("meta"))
        schema = data["schema"]
        meta = CheckpointMeta(**data) if schema == SCHEMA else None
    except Exception as error:  # torch.load raises whatever the bytes lead it into
        raise CheckpointError(
            f"{path} is not a checkpoint of this package ({type(error).__name__}: {str(error).splitlines()[0][:120]}); "
            "it may be incomplete or something else: use another file"
        ) from error
    if meta is None:
        raise CheckpointError(
            f"{path} has checkpoint schema {schema}, this version reads schema {SCHEMA}; "
            "use the version of the package that wrote it, or train again"
        )
    missing = ENTRIES.get(meta.kind, {"a known kind"}) - set(payload)
    if missing:
        raise CheckpointError(
            f"{path} calls itself a checkpoint of kind {meta.kind!r}, but lacks {', '.join(sorted(missing))}; "
            "it was damaged or made by something else: use another file"
        )
    return meta, payload


def read_training(path: str | Path, kind: str = "training") -> tuple[CheckpointMeta, dict[str, Any]]:
    """`read` for resuming: `CheckpointError` also where the file is of another kind."""
    meta, payload = read(path)
    if meta.kind != kind:
        held = "a policy alone" if meta.kind == "policy" else f"the state of a {meta.kind} run"
        raise CheckpointError(f"{path} holds {held}, not that of a {kind} run; resume from latest.pt of one")
    return meta, payload


def config_of(meta: CheckpointMeta) -> EnvConfig:
    """The configuration that a checkpoint was trained on; `CheckpointError` if this version has other fields."""
    try:
        return EnvConfig.from_json(meta.config)
    except ConfigError as error:
        raise CheckpointError(
            f"the checkpoint's configuration is not one of this version ({error}); train again, or use the version of "
            "the package that wrote it"
        ) from error


def hyper_parameters(meta: CheckpointMeta, path: str | Path) -> PPOConfig:
    """The hyper-parameters of a checkpoint; `CheckpointError` if this version has others."""
    try:
        return PPOConfig.from_plain(meta.ppo)
    except (TypeError, ConfigError) as error:
        raise CheckpointError(
            f"{path} has hyper-parameters that this version does not take ({error}); train again, or use the version "
            "of the package that wrote it"
        ) from error


def require_env(meta: CheckpointMeta, env: VectorEnv, groups: Sequence[str]) -> None:
    """Raise `CheckpointError` unless `env` has the checkpoint's id, spaces of `groups` and fingerprint."""
    if _id_of(env) != meta.env_id:
        raise CheckpointError(f"the checkpoint was made for {meta.env_id}, not for {_id_of(env)}; make that one")
    require_spaces(meta, env, groups)
    fingerprint = env.unwrapped.fingerprint  # type: ignore[attr-defined]
    if fingerprint != meta.fingerprint:
        raise CheckpointError(
            f"the checkpoint was trained on an environment with fingerprint {meta.fingerprint}, this one has "
            f"{fingerprint}: configuration, robot, scene or objects have changed since; train again, or use "
            "the version of the package that wrote it"
        )


def require_task(meta: CheckpointMeta, env: VectorEnv, groups: Sequence[str]) -> None:
    """Raise `CheckpointError` unless `env` sets the checkpoint's task, whatever else it observes than `groups`."""
    found = list(differences(_task(_config(env)), _task(config_of(meta))))
    if found:
        raise CheckpointError(
            f"the checkpoint is of another task: {'; '.join(found)}. Make the environment with the checkpoint's "
            "configuration, where only `observation` may differ"
        )
    if env.unwrapped.task_fingerprint != meta.task_fingerprint:  # type: ignore[attr-defined]
        raise CheckpointError(
            f"the checkpoint's task has the fingerprint {meta.task_fingerprint}, this environment's "
            f"{env.unwrapped.task_fingerprint}: "  # type: ignore[attr-defined]
            "robot, scene, objects or code have changed since; train again, or use the version that wrote it"
        )
    require_spaces(meta, env, groups)


def task_differences(meta: CheckpointMeta, env: VectorEnv) -> list[str]:
    """How the task of `env` differs from the one that a checkpoint learned, observations apart, in words."""
    return list(differences(_task(config_of(meta)), _task(_config(env))))


def require_same_policy(meta: CheckpointMeta, mine: CheckpointMeta, path: str | Path) -> None:
    """Raise `CheckpointError` unless the policy of `meta` reads and sees like `mine` and has the same networks."""
    found = list(differences(_architecture(mine, path), _architecture(meta, path)))
    if found:
        raise CheckpointError(
            f"the policy in {path} is built in another way: {'; '.join(found)}. Ask for the same groups, camera, "
            "hidden layers and encoder"
        )


def _config(env: VectorEnv) -> EnvConfig:
    return env.unwrapped.config  # type: ignore[attr-defined]


def _task(config: EnvConfig) -> dict[str, Any]:
    return {name: value for name, value in asdict(config).items() if name != "observation"}


def _architecture(meta: CheckpointMeta, path: str | Path) -> dict[str, Any]:
    """What decides the shapes and the meaning of a policy's weights."""
    config = asdict(hyper_parameters(meta, path))
    networks = {name: config[name] for name in ("hidden", "encoder") if name != "encoder" or meta.sight is not None}
    return {name: getattr(meta, name) for name in ("actor_groups", "critic_groups", "sight", "student")} | networks


def require_spaces(meta: CheckpointMeta, env: VectorEnv, groups: Sequence[str]) -> None:
    """Raise `CheckpointError` unless `env` has the checkpoint's action space and its spaces of `groups`."""
    found = describe_env(env, [g for g in groups if g in env.single_observation_space.spaces])  # type: ignore[attr-defined]
    for group in groups:
        have, want = found["observation_space"].get(group), meta.observation_space.get(group)
        if have != want:
            raise CheckpointError(
                f"observation group {group!r} is {_words(have)} in this environment, the checkpoint expects "
                f"{_words(want)}; make the environment with the checkpoint's configuration"
            )
    if found["action_space"] != meta.action_space:
        raise CheckpointError(
            f"the action space is {found['action_space']}, the checkpoint expects {meta.action_space}; "
            "make the environment that it was trained on"
        )


def load_policy(path: str | Path) -> tuple[ActorCritic | StereoStudent, CheckpointMeta]:
    """The policy of a checkpoint of any kind, without an environment."""
    meta, payload = read(path)
    low, high = (np.array(meta.action_space[end], dtype=np.float32) for end in ("low", "high"))
    observed = spaces.Dict({group: _box(described) for group, described in meta.observation_space.items()})
    sight = None if meta.sight is None else Sight(**meta.sight)
    policy: ActorCritic | StereoStudent
    if meta.student is not None and sight is not None:
        policy = StereoStudent(observed, spaces.Box(low, high), sight, _student_config(meta.student, path))
    else:
        config = hyper_parameters(meta, path)
        policy = ActorCritic(
            observed,
            spaces.Box(low, high),
            meta.actor_groups,
            meta.critic_groups,
            config.hidden,
            sight=sight,
            encoder=config.encoder,
        )
    load_state(policy, payload["policy"], path)
    return policy, meta


def load_actor_critic(path: str | Path) -> tuple[ActorCritic, CheckpointMeta]:
    """`load_policy` of what PPO trains; `CheckpointError` for a recurrent student."""
    policy, meta = load_policy(path)
    if not isinstance(policy, ActorCritic):
        raise CheckpointError(f"{path} holds a recurrent student; take a policy of baselines.train")
    return policy, meta


def _student_config(data: dict[str, Any], path: str | Path) -> StereoStudentConfig:
    try:
        return StereoStudentConfig.from_plain(data)
    except (KeyError, TypeError, ConfigError) as error:
        raise CheckpointError(
            f"{path} has an architecture that this version does not take ({error}); distil again, or use the version "
            "of the package that wrote it"
        ) from error


def load_state(policy: torch.nn.Module, state: dict[str, Any], path: str | Path) -> None:
    """Put weights into a policy; `CheckpointError` where they do not fit."""
    try:
        policy.load_state_dict(state)
    except (RuntimeError, TypeError) as error:
        raise CheckpointError(
            f"the weights in {path} do not fit the policy that its metadata describes; use another file: {error}"
        ) from error


def _id_of(env: VectorEnv) -> str:
    return env.spec.id if env.spec is not None else "unregistered"


def _describe(box: spaces.Space[Any]) -> dict[str, Any]:
    assert isinstance(box, spaces.Box)
    return {"shape": list(box.shape), "dtype": str(box.dtype)}


def _box(described: dict[str, Any]) -> spaces.Box:
    dtype = np.dtype(described["dtype"])
    low, high = (-np.inf, np.inf) if dtype.kind == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return spaces.Box(low, high, tuple(described["shape"]), dtype.type)


def _words(described: dict[str, Any] | None) -> str:
    return "absent" if described is None else f"{described['dtype']} {tuple(described['shape'])}"


def _is_stock_sb3(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "_stable_baselines3_version" in archive.namelist()
    except zipfile.BadZipFile:  # no archive, or a damaged one: reading it will tell
        return False
