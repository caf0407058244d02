"""Teach an encoder to see the object: before a policy learns, and between PPO's updates.

Both learn from a memory of many placements. The steps between updates have an optimiser of their own and come after
PPO's (as the auxiliary phase of phasic policy gradient, Cobbe et al. 2021), so that neither PPO's gradient noise drowns
them nor they change the policy while PPO measures how far it has moved.
"""

from collections.abc import Iterator

import numpy as np
import torch
from gymnasium.vector import VectorEnv

from .encoder import Encoder
from .loss import locating_loss
from .sight import Sight
from .sight_memory import SightMemory

MINIBATCH = 512
"""Images in a gradient step."""
WARM_UP_RATE = 1e-3
"""Step size of Adam before the policy learns."""
LONGEST = 12
"""Most steps of a round: time for the hand to come between camera and object."""
STRIDE = 3
"""Steps between two images that are kept; neighbours differ too little to be worth their memory."""


class SightTraining:
    """An encoder's own training.

    Args:
        encoder: What is trained.
        sight: Tells the truth in `privileged`.
        learning_rate: Step size of Adam after the warm-up.
    """

    def __init__(self, encoder: Encoder, sight: Sight, learning_rate: float) -> None:
        self.encoder, self.sight = encoder, sight
        self.learning_rate = learning_rate
        self.groups = (*encoder.groups, "privileged")
        """Observation groups of a lesson: images, the robot's own posture, the truth."""
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
                self.memory.add({group: torch.as_tensor(obs[group]) for group in self.groups})
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
            _, position = self.encoder(*(seen[group] for group in self.encoder.groups))
            loss, error = locating_loss(self.sight, position, seen["privileged"])
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
