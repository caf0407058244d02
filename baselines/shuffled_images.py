"""Does a policy look at its images?"""

from collections.abc import Iterable

import numpy as np

from dexgrasp_envs.config import IMAGE_GROUPS
from dexgrasp_envs.errors import ConfigError

from .evaluation import Policy


def has_images(groups: Iterable[str]) -> bool:
    """Whether there are images among observation groups."""
    return bool(set(groups) & set(IMAGE_GROUPS))


class ShuffledImages:
    """Acts as another policy, but sees in every step the images of another environment, drawn anew.

    A policy that uses its images fails now; one that goes on as before never looked.

    Args:
        policy: The policy; groups with four axes [N, C, H, W] are its images.
        seed: Seed of the draws.
    """

    def __init__(self, policy: Policy, seed: int) -> None:
        self.policy = policy
        self.random = np.random.default_rng(seed)

    def predict(
        self,
        observation: dict[str, np.ndarray],
        state: tuple[np.ndarray, ...] | None = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = False,
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...] | None]:
        """`predict` of the policy for its own flat observations and somebody else's images.

        Raises:
            ConfigError: There are no images, or only one environment.
        """
        images = [group for group, values in observation.items() if values.ndim == 4]
        num_envs = len(next(iter(observation.values())))
        if not images or num_envs < 2:
            raise ConfigError(
                f"images are shuffled among at least 2 environments that observe some, got {num_envs} with the groups "
                f"{', '.join(observation)}; raise num_envs, or leave the shuffling out"
            )
        order = self.random.permutation(num_envs)
        source = np.empty(num_envs, dtype=np.int64)
        source[order] = np.roll(order, 1)  # one random cycle: nobody keeps its own
        seen = observation | {group: observation[group][source] for group in images}
        return self.policy.predict(seen, state, episode_start, deterministic)
