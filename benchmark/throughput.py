"""State env-steps/s against bare MuJoCo on the same work, where a step's time goes, and scaling over environments.

The work is that of a grasping policy in the middle of its episodes, hands in contact: its actions are recorded once,
then the same actions (for the environment) and the same servo set-points (for bare MuJoCo) are replayed from the same
state, in turn, several times. The ratios compare medians of the same run.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import gymnasium
import mujoco
import numpy as np
import numpy.typing as npt
from mujoco.rollout import Rollout

from baselines.checkpoint import CheckpointMeta, config_of, load_policy
from dexgrasp_envs.config import RANDOMISATIONS, EnvConfig
from dexgrasp_envs.registration import STATE_ID
from dexgrasp_envs.types import Arrays
from dexgrasp_envs.vector_env import DexGraspVectorEnv

from .envpool_peer import envpool_rate
from .memory import memory_per_env
from .progress import Tell, silent
from .timing import time_steps

ENVS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
"""Numbers of environments of the scaling curve."""


@dataclass(frozen=True)
class Workload:
    """What is replayed."""

    start: Arrays
    """State of the environment at the start."""
    actions: npt.NDArray[np.float32]
    """[T, N, 11]."""
    targets: npt.NDArray[np.float64]
    """[T, N, S, J] servo set-points that those actions lead to."""
    contact_share: float
    """Share of environments whose object touches a finger, at the end."""


def throughput(
    checkpoint: Path,
    num_envs: int,
    steps: int,
    rounds: int,
    warm_up: int,
    sizes: tuple[int, ...] = ENVS,
    tell: Tell = silent,
) -> dict[str, Any]:
    """The figures of the suite; `steps` actions are replayed `rounds` times, `warm_up` actions into the episode.

    `sizes` are the numbers of environments of the scaling curve. EnvPool's rate is there where it is installed.
    """
    tell("a policy grasps")
    env, work = record_work(checkpoint, num_envs, steps, warm_up)
    peers: dict[str, Callable[[], float]] = {
        "dexgrasp_envs": lambda: time_environment(env, work),
        "mujoco.batch.Batch": bare_batch(env, work),
        "mujoco.rollout": bare_rollout(env, work),
    }
    seconds: dict[str, list[float]] = defaultdict(list)
    for turn in range(rounds):
        tell(f"round {turn + 1} of {rounds}")
        for name, run in peers.items():
            seconds[name].append(run())
    rates = {name: num_envs * steps / median(values) for name, values in seconds.items()}
    fastest = max((name for name in rates if name != "dexgrasp_envs"), key=rates.__getitem__)
    parts = time_parts(env, work)
    threads, config = env.backend.batch.nthread, env.config.to_json()  # type: ignore[attr-defined]
    env.close()
    tell("memory")
    memory = memory_per_env(STATE_ID, config)
    tell("EnvPool")
    other = envpool_rate(num_envs, steps, rounds, threads)
    return {
        "num_envs": num_envs,
        "steps": steps,
        "rounds": rounds,
        "contact_share": work.contact_share,
        "seconds": dict(seconds),
        "env_steps_per_second": rates,
        "fastest_bare": fastest,
        "ratio_to_fastest_bare": rates["dexgrasp_envs"] / rates[fastest],
        "share_of_step": parts,
        "memory_per_env_kib": memory,
        "scaling": scaling(checkpoint, steps, warm_up, sizes, tell),
    } | ({} if other is None else {"envpool": other})


def work_config(meta: CheckpointMeta) -> EnvConfig:
    """What the policy is measured in: all is as it was trained, but for randomisation, which is measured on its own."""
    return config_of(meta).replace(randomisation=RANDOMISATIONS["none"])


def record_work(checkpoint: Path, num_envs: int, steps: int, warm_up: int) -> tuple[DexGraspVectorEnv, Workload]:
    """Let the policy grasp for `warm_up` actions, then record the next `steps`."""
    policy, meta = load_policy(checkpoint)
    env: Any = gymnasium.make_vec(meta.env_id, num_envs=num_envs, config=work_config(meta)).unwrapped
    obs, _ = env.reset(seed=0)
    for _ in range(warm_up):
        obs, *_ = env.step(policy.predict(obs, deterministic=True)[0])
    start = env.get_state()
    actions, targets = [], []
    step_backend = env.backend.step

    def recording(setpoints: Any) -> None:
        targets.append(setpoints.double().numpy().copy())
        step_backend(setpoints)

    env.backend.step = recording
    for _ in range(steps):
        actions.append(policy.predict(obs, deterministic=True)[0])
        obs, *_ = env.step(actions[-1])
    env.backend.step = step_backend
    touching = (env.backend.state().contact_count[:, :4] > 0).any(1).float().mean().item()
    return env, Workload(start, np.stack(actions), np.stack(targets), touching)


def time_environment(env: DexGraspVectorEnv, work: Workload) -> float:
    """Seconds for the recorded actions, through the environment's `step`."""
    env.set_state(work.start)
    return time_steps(env, work.actions)


def bare_batch(env: DexGraspVectorEnv, work: Workload) -> Callable[[], float]:
    """The same substeps with nothing around them: one `Batch.rollout` an action."""
    env.set_state(work.start)
    batch = env.backend.bare_batch()  # type: ignore[attr-defined]

    def run() -> float:
        batch.state[...] = work.start["sim.state"]
        begin = perf_counter()
        for control in work.targets:
            batch.rollout(control.shape[1], control, record=())
        return perf_counter() - begin

    return run


def bare_rollout(env: DexGraspVectorEnv, work: Workload) -> Callable[[], float]:
    """The same substeps through `mujoco.rollout`, one call an action."""
    # Rows may have been reset, and given another object, since the recording began.
    env.set_state(work.start)
    batch = env.backend.batch  # type: ignore[attr-defined]
    models = [batch.get_model(row) for row in range(env.num_envs)]
    data = [mujoco.MjData(models[0]) for _ in range(batch.nthread)]
    spec = mujoco.mjtState.mjSTATE_FULLPHYSICS
    full = np.empty((env.num_envs, mujoco.mj_stateSize(models[0], spec)))
    steps = work.targets.shape[2]
    state = np.empty((env.num_envs, steps, full.shape[1]))
    scratch = mujoco.MjData(models[0])
    for row, values in enumerate(np.asarray(work.start["sim.state"], np.float64)):
        mujoco.mj_setState(models[row], scratch, values, mujoco.mjtState.mjSTATE_INTEGRATION)
        mujoco.mj_getState(models[row], scratch, full[row], spec)
    weight = batch.bind("xfrc_applied").reshape(env.num_envs, 1, -1).copy()
    warm_start = batch.bind("qacc_warmstart").copy()
    control_spec = int(mujoco.mjtState.mjSTATE_CTRL) | int(mujoco.mjtState.mjSTATE_XFRC_APPLIED)
    pool = Rollout(nthread=batch.nthread)

    def run() -> float:
        initial = full
        controls = [
            np.concatenate([control, np.broadcast_to(weight, (env.num_envs, steps, weight.shape[-1]))], 2)
            for control in work.targets
        ]
        begin = perf_counter()
        for control in controls:
            pool.rollout(
                models,
                data,
                initial,
                control,
                control_spec=control_spec,
                nstep=steps,
                initial_warmstart=warm_start,
                state=state,
            )
            initial = np.ascontiguousarray(state[:, -1])
        return perf_counter() - begin

    return run


def time_parts(env: DexGraspVectorEnv, work: Workload) -> dict[str, float]:
    """Share of a step's time in each part."""
    spent: dict[str, float] = defaultdict(float)

    def timed(owner: Any, method: str, name: str) -> Callable[[], None]:
        original = getattr(owner, method)

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            begin = perf_counter()
            try:
                return original(*args, **kwargs)
            finally:
                spent[name] += perf_counter() - begin

        setattr(owner, method, wrapper)
        return lambda: setattr(owner, method, original)

    restore = [
        timed(env._controller, "step", "control"),
        timed(env.backend, "step", "physics"),
        timed(env._task, "step", "task"),
        timed(env._task, "push", "task"),
        timed(env, "_restart", "resets"),
    ]
    if env._rig is not None:
        restore.append(timed(env, "_look", "images"))
    total = time_environment(env, work)
    for undo in restore:
        undo()
    spent["other"] = total - sum(spent.values())
    return {name: value / total for name, value in spent.items()}


def scaling(checkpoint: Path, steps: int, warm_up: int, sizes: tuple[int, ...], tell: Tell) -> dict[str, float]:
    """Env-steps/s by number of environments."""
    rates = {}
    for size in sizes:
        tell(f"scaling: {size} environments")
        env, work = record_work(checkpoint, size, steps, warm_up)
        rates[str(size)] = size * steps / median(time_environment(env, work) for _ in range(3))
        env.close()
    return rates
