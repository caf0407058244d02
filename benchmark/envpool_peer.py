"""EnvPool's nearest task: another hand (Adroit, 24 joints on a sliding base), one ball, no images.

It is other work than ours, with another model and other substeps, so its rate is an orientation and no ratio is made
of it. The extra `envpool` installs it.
"""

from importlib.util import find_spec
from statistics import median
from typing import Any

import numpy as np

from .timing import time_steps

ENV_ID = "AdroitHandRelocate-v1"


def envpool_rate(num_envs: int, steps: int, rounds: int, threads: int) -> dict[str, Any] | None:
    """Env-steps/s and substeps/s of EnvPool under random actions, medians of rounds; None where it is not installed."""
    if find_spec("envpool") is None:
        return None
    import envpool

    env = envpool.make_gymnasium(ENV_ID, num_envs=num_envs, num_threads=threads, seed=0)
    try:
        shape = (steps, num_envs, *env.action_space.shape)
        actions = np.random.default_rng(0).uniform(-1, 1, shape).astype(env.action_space.dtype)
        seconds = []
        for _ in range(rounds):
            env.reset()
            seconds.append(time_steps(env, actions))
        rate = num_envs * steps / median(seconds)
        return {
            "env_id": ENV_ID,
            "env_steps_per_second": rate,
            "substeps_per_second": rate * env.spec.config.frame_skip,
        }
    finally:
        env.close()
