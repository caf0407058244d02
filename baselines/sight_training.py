"""Teach an encoder to see the object: before PPO starts, and between its updates.

Both learn from a memory of many placements. The steps between updates have an optimiser of their own and come after
PPO's (as the auxiliary phase of phasic policy gradient, Cobbe et al. 2021), so that neither PPO's gradient noise drowns
them nor they change the policy while PPO measures how far it has moved.
"""

from collections.abc import Iterator

import numpy as np
import torch
from gymnasium.vector import VectorEnv

from .loss import locating_loss
from .policy import ActorCritic
from .sight_memory import SightMemory

SEEN = ("depth", "proprio", "privileged")
"""Observation groups of a lesson: an image, the robot's own posture, the truth."""
MINIBATCH = 512
"""Images in a gradient step."""
WARM_UP_RATE = 1e-3
"""Step size of Adam before PPO starts."""
LONGEST = 12
"""Most steps of a round: time for the hand to come between camera and object."""
STRIDE = 3
"""Steps between two images that are kept; neighbours differ too little to be worth their memory."""


class SightTraining:
    """The encoder's own training.

    Args:
        policy: Its encoder is trained; it has one.
        learning_rate: Step size of Adam between PPO's updates.
    """

    def __init__(self, policy: ActorCritic, learning_rate: float) -> None:
        assert policy.encoder is not None
        self.policy = policy
        self.encoder = policy.encoder
        self.learning_rate = learning_rate
        self.memory = SightMemory()
        self.optimizer = torch.optim.Adam(self.encoder.parameters(), lr=learning_rate, eps=1e-5, fused=True)

    def warm_up(
        self, env: VectorEnv, rounds: int, gradient_steps: int, seed: int
    ) -> Iterator[tuple[float, int, float | None]]:
        """Fill the memory from `rounds` resets and the random motions after them, then train.

        Yields (share done, environment steps so far, recent mean error in cm). The environment must be reset with a
        seed afterwards.
        """
        generator = np.random.default_rng(seed)
        steps = 0
        for number in range(rounds):
            length = int(generator.integers(1, LONGEST))
            for obs in _round(env, generator, seed + number, length):
                self.memory.add({group: torch.as_tensor(obs[group]) for group in SEEN})
            steps += length * env.num_envs
            yield 0.4 * (number + 1) / rounds, steps, None
        block = 50
        for first in range(0, gradient_steps, block):
            # A schedule that ends where the steps between updates go on
            rate = WARM_UP_RATE + (self.learning_rate - WARM_UP_RATE) * first / gradient_steps
            error = self.train(min(block, gradient_steps - first), rate)
            yield 0.4 + 0.6 * min(1.0, (first + block) / gradient_steps), steps, error

    def train(self, gradient_steps: int, learning_rate: float | None = None) -> float:
        """Gradient steps on samples of the memory; the mean error of the predicted positions, in cm."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate if learning_rate is None else learning_rate
        errors = []
        for _ in range(gradient_steps):
            seen = self.memory.sample(MINIBATCH)
            _, position = self.encoder(seen["depth"], seen["proprio"])
            loss, error = locating_loss(self.policy, position, seen["privileged"])
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.encoder.parameters(), 1.0)
            self.optimizer.step()
            errors.append(error)
        self.optimizer.zero_grad(set_to_none=True)
        return torch.stack(errors).mean().item()


def _round(env: VectorEnv, generator: np.random.Generator, seed: int, length: int) -> Iterator[dict[str, np.ndarray]]:
    """Observations after a reset and a random motion that changes its mind now and then."""
    env.reset(seed=seed)
    assert env.action_space.shape is not None
    action = generator.uniform(-1, 1, env.action_space.shape)
    for step in range(length):
        if step % 4 == 3:
            action = np.clip(action + generator.normal(0, 0.5, action.shape), -1, 1)
        obs, *_ = env.step(action)
        if step % STRIDE == 0 or step == length - 1:
            yield obs
