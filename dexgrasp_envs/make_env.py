"""What `gymnasium.make` and `gymnasium.make_vec` call, by the id's entry points."""

from typing import TYPE_CHECKING, Any

from gymnasium.vector import VectorEnv

from .registration import ID_GROUPS

if TYPE_CHECKING:
    from .env import DexGraspEnv


def make_env(env_id: str, **options: Any) -> "DexGraspEnv":
    """One environment of an id; options are those of `DexGraspEnv`."""
    from .env import DexGraspEnv

    return DexGraspEnv(id_groups=ID_GROUPS[env_id], **options)


def make_vector_env(env_id: str, num_envs: int = 1, *, remote: str | None = None, **options: Any) -> VectorEnv:
    """Many environments of an id, in this process, or from simulators elsewhere.

    Args:
        env_id: One of `registration.IDS`.
        num_envs: Number of environments.
        remote: None, "spawn:K" for K child processes that share the environments out, "ray:K" for K on the machines of
            a Ray cluster, or the endpoints of running servers, "tcp://a:5555,tcp://b:5555"; the results are the same
            bits.
        options: Those of `DexGraspVectorEnv`.
    """
    if remote is not None:
        from .remote_env import make_remote

        return make_remote(env_id, num_envs, remote, **options)
    from .vector_env import DexGraspVectorEnv

    return DexGraspVectorEnv(num_envs, id_groups=ID_GROUPS[env_id], **options)
