"""Automatic domain randomisation: the rule that raises the level of the environments."""

from dataclasses import dataclass

from dexgrasp_envs.config import ADR_LEVELS, RANDOMISATIONS, RandomisationConfig
from dexgrasp_envs.errors import ConfigError


def named_randomisation(name: str) -> RandomisationConfig:
    """One of `RANDOMISATIONS`; ConfigError for another name."""
    if name not in RANDOMISATIONS:
        raise ConfigError(f"--randomisation must be one of {', '.join(RANDOMISATIONS)}, got {name!r}")
    return RANDOMISATIONS[name]


@dataclass
class ADR:
    """Raises the level by one when enough environments succeed and the last raise is long enough ago.

    Never lowers it. The figures are those of DextrAH. What counts is the success region at any moment, not at the ends
    of episodes; the wait lets most environments have begun episodes of the level that is judged.
    """

    max_steps: int
    """Length of an episode, steps."""
    level: int = 0
    """Level of episodes that begin now, 0 .. `ADR_LEVELS`."""
    waited: int = 0
    """Steps that every environment has taken since the last raise."""
    success: float = 0.4
    """More than this share of the environments must be in the success region."""
    episodes: float = 5.0
    """So many episode lengths must have passed since the last raise."""

    def update(self, success: float, steps: int) -> bool:
        """Take in a rollout of `steps` steps, during which the share `success` succeeded; whether the level rose."""
        self.waited += steps
        if self.level >= ADR_LEVELS or success <= self.success or self.waited < self.episodes * self.max_steps:
            return False
        self.level += 1
        self.waited = 0
        return True

    def get_state(self) -> dict[str, int]:
        """What training goes on from."""
        return {"level": self.level, "waited": self.waited}

    def set_state(self, state: dict[str, int]) -> None:
        """The inverse of `get_state`."""
        self.level, self.waited = int(state["level"]), int(state["waited"])
