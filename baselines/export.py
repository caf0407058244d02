"""Write a policy as an ONNX file: `python -m baselines.export runs/depth/policy.pt --out runs/depth/policy.onnx`.

The inputs are the observation groups that the actor reads, raw and with their dtypes, [batch, ...]; the output `action`
is [batch, A], the mean action clipped to the action space. A recurrent student has an input `memory` and an output
`next_memory` besides, zeros where an episode begins. Normalisers and encoder are part of the model, what it was
trained on is in its metadata. The file is compared with the policy on observations of the environment before it counts.
"""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import gymnasium
import numpy as np
import torch
import tyro
from gymnasium.vector import VectorEnv
from rich.console import Console
from torch import Tensor, nn

import dexgrasp_envs  # noqa: F401  registers the environments
from dexgrasp_envs.errors import CheckpointError, MissingPackage
from dexgrasp_envs.viewing.onnx_policy import ACTION, MEMORY, NEXT_MEMORY, OnnxPolicy, PolicyMetadata
from dexgrasp_envs.viewing.policies import Observation, SmoothRandom, Starts

from .checkpoint import CheckpointMeta, config_of, load_policy, require_env
from .policy import ActorCritic
from .replacing import replacing
from .stereo_student import StereoStudent

TOLERANCE = 1e-4
"""Largest difference between an action of the file and of the policy that is accepted."""
CHECKS = 256
"""Observations on which they are compared."""
CHECKED_ENVS = 16
"""Environments that those come from, along their way."""
APART = 5
"""Steps between two observations of one environment."""
Policy = ActorCritic | StereoStudent
"""What can be exported."""
EXAMPLES = """
examples:
  python -m baselines.export results/checkpoints/state.pt --out runs/state.onnx
  python -m baselines.export runs/depth/latest.pt --out runs/depth.onnx
  python -m baselines.export results/checkpoints/stereo_state.pt --out runs/stereo.onnx
  dexgrasp view DexGrasp/KukaAllegro-Depth-v0 --policy runs/depth.onnx
"""


@dataclass(frozen=True)
class Args:
    """Write a policy as an ONNX file."""

    checkpoint: Annotated[Path, tyro.conf.Positional]
    """Checkpoint of baselines.train or baselines.distill; policy.pt and latest.pt both serve."""
    out: Path = Path("runs/policy.onnx")
    """Where to write the model."""
    seed: int = 0
    """Seed of the observations on which the model is checked."""


class Actor(nn.Module):
    """What is exported of a policy: observation groups, in its order, to clipped mean actions."""

    low: Tensor
    high: Tensor
    outputs: tuple[str, ...] = (ACTION,)
    """Names of what `forward` returns."""

    def __init__(self, policy: Policy, meta: CheckpointMeta):
        super().__init__()
        self.policy = policy
        described = {group: meta.observation_space[group] for group in policy.actor_groups}
        self.examples = {
            # By way of NumPy, whose names of dtypes these are.
            name: torch.from_numpy(np.zeros((2, *box["shape"]), box["dtype"]))
            for name, box in described.items()
        }
        """Inputs by name, two rows each, of the right shapes and dtypes."""
        for name in ("low", "high"):
            self.register_buffer(name, torch.tensor(meta.action_space[name]))

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Actions [N, A] for the inputs [N, ...] in the order of `examples`."""
        assert isinstance(self.policy, ActorCritic)
        mean = self.policy(dict(zip(self.policy.actor_groups, inputs, strict=True)))
        return (torch.clamp(mean, self.low, self.high),)


class RecurrentActor(Actor):
    """The same of a student that remembers."""

    outputs = (ACTION, NEXT_MEMORY)

    def __init__(self, policy: StereoStudent, meta: CheckpointMeta):
        super().__init__(policy, meta)
        self.examples[MEMORY] = torch.zeros(2, policy.state_size)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Actions [N, A], and what is remembered [N, S] after observing the inputs [N, ...]."""
        *groups, memory = (values[None] for values in inputs)
        obs = dict(zip(self.policy.actor_groups, groups, strict=True))
        starts = torch.zeros(1, memory.shape[1], dtype=torch.bool)
        mean, _, after = self.policy.unroll(obs, memory[0], starts)
        return torch.clamp(mean[0], self.low, self.high), after


def export(checkpoint: Path, out: Path, seed: int = 0) -> float:
    """Write the policy of a checkpoint to `out`, and return the largest difference of an action on observations.

    Raises:
        CheckpointError: The checkpoint is unreadable, does not fit the environment of this version, or the model acts
            differently; nothing is left at `out` then.
        MissingPackage: onnx, onnxscript or onnxruntime is not installed.
    """
    policy, meta = load_policy(checkpoint)
    with closing(gymnasium.make_vec(meta.env_id, num_envs=CHECKED_ENVS, config=config_of(meta))) as env:
        require_env(meta, env, meta.actor_groups)
        with replacing(out) as partial:
            write_model(policy, meta, partial)
            difference = largest_difference(policy, OnnxPolicy(partial), env, seed)
            if not difference <= TOLERANCE:
                raise CheckpointError(
                    f"the ONNX model acts differently from {checkpoint}, by {difference:.1e} at most where "
                    f"{TOLERANCE:.0e} is allowed; nothing was written: use other versions of torch and onnxscript"
                )
    return difference


def write_model(policy: Policy, meta: CheckpointMeta, path: Path) -> None:
    """Write the actor of a policy as an ONNX model with its metadata, in one file."""
    actor = (RecurrentActor(policy, meta) if isinstance(policy, StereoStudent) else Actor(policy, meta)).eval()
    batch = torch.export.Dim("batch")
    with _quiet_exporter():
        try:
            program = torch.onnx.export(
                actor,
                tuple(actor.examples.values()),
                input_names=list(actor.examples),
                output_names=list(actor.outputs),
                dynamic_shapes=(tuple({0: batch} for _ in actor.examples),),
                dynamo=True,
                verbose=False,
            )
        except ImportError as error:
            raise MissingPackage(
                f"the export takes onnx, onnxscript and onnxruntime ({error}): pip install 'dexgrasp_envs[export]'"
            ) from error
    assert program is not None
    about = PolicyMetadata(meta.env_id, meta.config, meta.config_hash, meta.fingerprint, tuple(policy.actor_groups))
    program.model.metadata_props.update(about.to_properties())
    program.save(path, external_data=False)


def largest_difference(policy: Policy, exported: OnnxPolicy, env: VectorEnv, seed: int) -> float:
    """Largest absolute difference of the actions of both on `CHECKS` observations, met by acting at random."""
    state, differences = None, []
    for obs, starts in observations(env, seed):
        actions, state = policy.predict(obs, state, starts, deterministic=True)
        differences.append(float(np.abs(actions - exported(obs, starts)).max()))
    return max(differences)


def observations(env: VectorEnv, seed: int) -> Iterator[tuple[Observation, Starts]]:
    """`CHECKS` observations of an environment under smooth random actions, all environments at a time.

    With each, where episodes have begun since the last.
    """
    (actions,) = env.single_action_space.shape or (0,)
    act = SmoothRandom(env.num_envs, actions, seed)
    obs, _ = env.reset(seed=seed)
    starts = np.ones(env.num_envs, bool)
    for step in range(APART * CHECKS // env.num_envs):
        if step % APART == 0:
            yield obs, starts
            starts = np.zeros(env.num_envs, bool)
        obs, _, terminated, truncated, _ = env.step(act(obs, starts))
        starts = starts | terminated | truncated


@contextlib.contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Without what the exporter says of packages and classes that have nothing to do with us."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)


def main() -> None:
    """Entry point."""
    args = tyro.cli(Args, description=(__doc__ or "") + EXAMPLES)
    difference = export(args.checkpoint, args.out, args.seed)
    Console().print(
        f"wrote {args.out}; largest difference from the checkpoint {difference:.1e} on {CHECKS} observations"
    )


if __name__ == "__main__":
    main()
