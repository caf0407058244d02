"""Are the grasps real? Forces, penetration and speeds in evaluated episodes of a policy."""

from pathlib import Path
from typing import Any

import gymnasium
import mujoco
import numpy as np
import numpy.typing as npt

from baselines.checkpoint import config_of, load_policy, require_env
from dexgrasp_envs.scene.scene import OBJECT

HOLD_STEPS = 30
"""The last two seconds of an episode are the hold."""


def grasps(checkpoint: Path, episodes: int, seed: int) -> dict[str, Any]:
    """Figures over the first episode of `episodes` environments; those of the hold over the successful ones."""
    policy, meta = load_policy(checkpoint)
    env: Any = gymnasium.make_vec(meta.env_id, num_envs=episodes, config=config_of(meta), autoreset_mode="NextStep")
    require_env(meta, env, meta.actor_groups)
    env = env.unwrapped
    obs, _ = env.reset(seed=seed)
    carried, depths, speeds, table = [], [], [], []
    lost = np.zeros(episodes, bool)
    steps = env.config.max_steps
    memory, starts = None, np.ones(episodes, bool)
    for step in range(steps):
        actions, memory = policy.predict(obs, memory, starts, deterministic=True)
        obs, _, terminated, truncated, infos = env.step(actions)
        starts = terminated | truncated
        # A row whose episode ended early plays another one, which is not counted.
        lost |= terminated | (truncated & (step < steps - 1))
        state = env.backend.state()
        speeds.append(np.linalg.norm(state.object_vel[:, :3].numpy(), axis=1))
        depths.append(deepest(env))
        if step >= steps - HOLD_STEPS:
            carried.append(state.contact_force[:, :, 2].numpy() / env.backend.object_weights()[:, None])
            table.append(state.contact_count[:, -1].numpy() > 0)
    success = infos["success"] & ~lost
    hold = np.stack(carried)[:, success]
    fingers = hold[:, :, :-2].sum(2).mean(0)
    depth, speed = np.stack(depths)[:, ~lost], np.stack(speeds)[:, ~lost]
    touching = depth[depth > 0]
    env.close()
    return {
        "episodes": episodes,
        "success_at_end": int(success.sum()),
        "lost": int(lost.sum()),
        "carried_share_of_weight": _spread(hold[:, :, :-1].sum(2).mean(0)),
        "carried_by_fingers_share_of_weight": _spread(fingers),
        "table_contacts_in_hold": int(np.stack(table)[:, success].sum()),
        "penetration_mm": _spread(1000 * touching),
        "penetration_in_hold_mm": _spread(1000 * depth[-HOLD_STEPS:, success[~lost]]),
        "object_speed_m_s": _spread(speed),
        "object_speed_in_hold_m_s": _spread(speed[-HOLD_STEPS:, success[~lost]]),
    }


def deepest(env: Any) -> npt.NDArray[np.float64]:
    """Deepest penetration of each row's object by the hand, m; 0 without contact."""
    batch = env.backend.batch
    result = np.zeros(env.num_envs)
    model, data = batch.get_model(0), mujoco.MjData(batch.model)
    body = model.body(OBJECT).id
    fixed = {model.body("table").id}
    for row in range(env.num_envs):
        model = batch.get_model(row)
        data = batch.get_data(row, data)
        mujoco.mj_forward(model, data)
        for contact in data.contact:
            bodies = {int(model.geom_bodyid[contact.geom1]), int(model.geom_bodyid[contact.geom2])}
            if body in bodies and not bodies & fixed:
                result[row] = max(result[row], -contact.dist)
    return result


def _spread(values: npt.NDArray[np.floating]) -> dict[str, float] | None:
    """Median, 5th and 95th percentile and largest; None where there is nothing to measure."""
    if not values.size:
        return None
    low, middle, high = np.percentile(values, (5, 50, 95))
    return {"median": float(middle), "p5": float(low), "p95": float(high), "max": float(values.max())}
