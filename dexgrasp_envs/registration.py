"""The environment ids, registered with string entry points so that nothing heavy is imported."""

import gymnasium

STATE_ID = "DexGrasp/KukaAllegro-State-v0"
"""Proprioception and the object's state."""
DEPTH_ID = "DexGrasp/KukaAllegro-Depth-v0"
"""Proprioception and a depth image."""
STEREO_ID = "DexGrasp/KukaAllegro-Stereo-v0"
"""Proprioception and a rectified pair of colour images."""
ID_GROUPS = {STATE_ID: ("state",), DEPTH_ID: ("depth",), STEREO_ID: ("left", "right")}
"""Observation groups besides `proprio`, by id."""
IDS = tuple(ID_GROUPS)
"""All ids of this package."""


def register_envs() -> None:
    """Register the ids with Gymnasium; a second call changes nothing."""
    for env_id in IDS:
        if env_id not in gymnasium.registry:
            gymnasium.register(
                env_id,
                entry_point="dexgrasp_envs.make_env:make_env",
                vector_entry_point="dexgrasp_envs.make_env:make_vector_env",
                kwargs={"env_id": env_id},
            )
