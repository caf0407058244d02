"""The environment ids, registered with string entry points so that nothing heavy is imported."""

import gymnasium

STATE_ID = "DexGrasp/KukaAllegro-State-v0"
"""Proprioception and the object's state."""
IDS = (STATE_ID,)
"""All ids of this package."""


def register_envs() -> None:
    """Register the ids with Gymnasium; a second call changes nothing."""
    for env_id in IDS:
        if env_id not in gymnasium.registry:
            gymnasium.register(
                env_id,
                entry_point="dexgrasp_envs.env:DexGraspEnv",
                vector_entry_point="dexgrasp_envs.vector_env:DexGraspVectorEnv",
            )
