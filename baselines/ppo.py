"""PPO over a batched simulator: Stable-Baselines3's interface, our rollouts, update and checkpoints."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any, Self

import stable_baselines3
import torch
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger

from dexgrasp_envs.adapters.sb3 import SB3VecEnv
from dexgrasp_envs.errors import CheckpointError, ConfigError

from . import checkpoint
from .adr import ADR
from .loss import ppo_loss
from .policy import ActorCritic, default_groups
from .ppo_config import PPOConfig
from .rollout_buffer import RolloutBuffer
from .rollout_collector import CutShort, RolloutCollector
from .sight import Sight
from .sight_training import SightTraining


class PPO(stable_baselines3.PPO):
    """Proximal policy optimisation with named observation groups for actor and critic.

    `iterate` does one rollout and one update; `learn` works as in Stable-Baselines3, with its callbacks and logger.
    Callbacks find `actions`, `new_obs`, `rewards` and `dones` in their `locals`; infos stay with the environment.

    Args:
        env: A Gymnasium vector environment of this package, resetting in the same step.
        config: Hyper-parameters.
        actor_groups: Observation groups of the actor; by default proprio and depth, or proprio and state.
        critic_groups: Observation groups of the critic; proprio and privileged by default, else the actor's.
        seed: Seed of environment, networks, exploration and minibatches.
        adr_level: Level of randomisation to begin with, which rises with success; of environments that have one.

    Raises:
        ConfigError: A rollout would hold fewer than two samples, or a depth policy has no `privileged` to learn from.
    """

    policy: ActorCritic  # type: ignore[assignment]
    rollout_buffer: RolloutBuffer  # type: ignore[assignment]
    observation_space: spaces.Dict
    action_space: spaces.Box

    def __init__(
        self,
        env: VectorEnv,
        config: PPOConfig | None = None,
        actor_groups: tuple[str, ...] | None = None,
        critic_groups: tuple[str, ...] | None = None,
        seed: int = 0,
        adr_level: int = 0,
    ) -> None:
        self.config = config or PPOConfig()
        self.vector_env = env
        if self.config.n_steps * env.num_envs < 2:
            raise ConfigError("a rollout of PPO needs at least 2 samples; raise n_steps or num_envs")
        super().__init__(
            ActorCritic,  # type: ignore[arg-type]
            SB3VecEnv(env),
            n_steps=self.config.n_steps,
            batch_size=self.config.minibatch,
            n_epochs=self.config.n_epochs,
            seed=seed,
            device="cpu",
            _init_setup_model=False,
        )
        default_actor, default_critic = default_groups(self.observation_space)
        self.actor_groups = actor_groups or default_actor
        self.critic_groups = critic_groups or default_critic
        self.sight = Sight.of(env) if "depth" in self.actor_groups else None
        if self.sight is not None and "privileged" not in self.critic_groups:
            raise ConfigError(
                "to train a depth policy takes the observation group `privileged`, which tells its critic and encoder "
                "where the object is; make the environment with it in `observation.groups`"
            )
        self.collector = RolloutCollector(env, seed, self.config.desynchronise)
        self.adr: ADR | None = None
        """Raises the level of randomisation; None where nothing is randomised."""
        settings = env.unwrapped.config  # type: ignore[attr-defined]
        if not settings.randomisation.nominal:
            self.adr = ADR(settings.max_steps, adr_level)
            self._set_level()
        elif adr_level:
            raise ConfigError("a level of randomisation takes environments with one: give --randomisation too")
        self.threads = torch.get_num_threads()
        self.iterations = 0
        self.seconds = 0.0
        self.record: dict[str, float] = {}
        self.started_from: dict[str, Any] | None = None
        """`path`, `steps`, `seconds`, `run` and `other_task` of what the policy began with; None without one."""
        self._logger = Logger(folder=None, output_formats=[])
        self._setup_model()

    def _setup_model(self) -> None:
        self.set_random_seed(self.seed)
        self.policy = ActorCritic(
            self.observation_space,
            self.action_space,
            self.actor_groups,
            self.critic_groups,
            self.config.hidden,
            self.config.log_std,
            self.sight,
            self.config.encoder,
        )
        heads, encoder = self.policy.parts()
        self.policy.optimizer = torch.optim.Adam(heads, lr=self.config.learning_rate, eps=1e-5, fused=True)
        if encoder:
            self.policy.optimizer.add_param_group({"params": encoder, "lr": self.config.encoder_learning_rate})
        self.sight_training: SightTraining | None = None
        if self.policy.encoder is not None and self.sight is not None:
            self.sight_training = SightTraining(self.policy.encoder, self.sight, self.config.sight_learning_rate)
        self.rollout_buffer = RolloutBuffer(
            self.observation_space,
            self.policy.groups,
            self.action_space.shape[0],
            self.config.n_steps,
            self.n_envs,
            self.policy.seen_size,
        )

    def _setup_learn(
        self, total_timesteps: int, callback: Any = None, reset_num_timesteps: bool = True, *args: Any
    ) -> tuple[int, BaseCallback]:
        fresh = reset_num_timesteps or self._last_obs is None
        result = super()._setup_learn(total_timesteps, callback, reset_num_timesteps, *args)
        if fresh:
            self._start_collecting()
        return result

    def _start_collecting(self) -> None:
        if self._last_obs is None:
            assert self.env is not None
            self._last_obs = self.env.reset()  # type: ignore[assignment]
        assert isinstance(self._last_obs, dict)
        self.collector.start(self._last_obs)

    def warm_up(self) -> Iterator[tuple[float, str]]:
        """Teach the encoder to see, before the first rollout; yields (share done, how it stands)."""
        assert self.sight_training is not None
        begin, before = perf_counter(), self.num_timesteps
        config = self.config
        passes = self.sight_training.warm_up(
            self.vector_env, config.warm_up_rounds, config.warm_up_steps, self.seed or 0
        )
        for share, steps, error in passes:
            self.num_timesteps = before + steps
            yield share, "collecting images" if error is None else f"learning to see, {error:.1f} cm"
        self.seconds += perf_counter() - begin

    def start_from(self, path: str | Path) -> None:
        """Begin with the policy of a checkpoint of any kind: networks, normalisers and standard deviations.

        Its task may be another one, as in a curriculum. Steps and seconds that went into it are not counted here, but
        noted in every checkpoint, with how the task differs.

        Raises:
            CheckpointError: Its policy is not built as this one is; the message says how not.
        """
        meta, payload = checkpoint.read(path)
        checkpoint.require_spaces(meta, self.vector_env, self.policy.groups)
        checkpoint.require_same_policy(meta, self._meta("policy", None), path)
        checkpoint.load_state(self.policy, payload["policy"], path)
        self.started_from = {
            "path": str(path),
            "steps": meta.steps,
            "seconds": meta.seconds,
            "run": meta.run,
            "other_task": checkpoint.task_differences(meta, self.vector_env),
        }

    def iterate(self) -> dict[str, float]:
        """One rollout and one update; returns `record`: counters, episode statistics, losses, seconds by part."""
        if self._last_obs is None:
            self._start_collecting()
        self.collect_rollouts(self.env, self._init_callback(None), self.rollout_buffer, self.n_steps)
        self.train()
        self.dump_logs()
        return self.record

    def dump_logs(self, iteration: int = 0) -> None:
        """Hand the last record to the logger."""
        for name, value in self.record.items():
            self.logger.record(f"train/{name}", value)
        self.logger.dump(step=self.num_timesteps)

    def collect_rollouts(self, env: Any, callback: BaseCallback, rollout_buffer: Any, n_rollout_steps: int) -> bool:
        """Fill the buffer; False if the callback stops training.

        One thread acts from flat groups, where more gain nothing; all see images and compute values.
        """

        def on_step(step: dict[str, Any]) -> bool:
            self.num_timesteps += self.n_envs
            callback.update_locals(step)
            return callback.on_step()

        start = perf_counter()
        callback.on_rollout_start()
        torch.set_num_threads(self.threads if self.policy.encoder is not None else 1)
        try:
            collected = self.collector.collect(self.policy, self.rollout_buffer, on_step)
        finally:
            torch.set_num_threads(self.threads)
            self._last_obs = self.collector.obs
        if collected is None:
            self.seconds += perf_counter() - start
            return False
        cut_short, env_seconds = collected
        self._finish_rollout(cut_short)
        callback.on_rollout_end()
        self.record |= self.collector.statistics()
        self.record["steps"] = self.num_timesteps
        self.record["success_now"] = self.collector.success_now
        if self.adr is not None:
            self.record["adr_level"] = self.adr.level
            if self.adr.update(self.collector.success_now, self.n_steps):
                self._set_level()
        self.record["env_seconds"] = env_seconds
        seconds = perf_counter() - start
        self.seconds += seconds
        self.record["seconds"] = self.seconds
        self.record["inference_seconds"] = seconds - env_seconds
        return True

    @torch.inference_mode()
    def _finish_rollout(self, cut_short: list[CutShort]) -> None:
        """Values of every step, bootstrap of rows cut short from their own last observation, advantages."""
        buffer, policy, groups = self.rollout_buffer, self.policy, self.critic_groups
        obs = buffer.flat_obs()
        chunks = zip(*(obs[group].split(self.config.minibatch) for group in groups), strict=True)
        outputs = [policy.normalized_values(dict(zip(groups, chunk, strict=True))) for chunk in chunks]
        buffer.critic_outputs.copy_(torch.cat(outputs).view_as(buffer.critic_outputs))
        buffer.values.copy_(policy.return_normalizer.denormalize(buffer.critic_outputs))
        for step, rows, last_obs in cut_short:
            buffer.rewards[step, torch.as_tensor(rows)] += self.config.gamma * policy.values(last_obs)
        assert self.collector.obs is not None
        next_values = policy.values({group: torch.as_tensor(self.collector.obs[group]) for group in groups})
        buffer.compute_advantages(next_values, self.config.gamma, self.config.gae_lambda)

    def train(self) -> None:
        """Update networks, learning rate and running statistics from the rollout in the buffer."""
        start = perf_counter()
        config, policy, buffer = self.config, self.policy, self.rollout_buffer
        policy.return_normalizer.merge(buffer.learned(buffer.returns))
        advantages = buffer.learned(buffer.advantages)
        buffer.advantages.sub_(advantages.mean()).div_(advantages.std() + 1e-8)
        old_log_std = policy.log_std.detach().clone()
        kl = 0.0
        measured: dict[str, list[torch.Tensor]] = {}
        for epoch in range(config.n_epochs):
            measured = defaultdict(list)
            for batch in buffer.minibatches(config.minibatch):
                loss, measures = ppo_loss(policy, batch, config, old_log_std, look=epoch < config.encoder_epochs)
                policy.optimizer.zero_grad(set_to_none=True)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(policy.parameters(), config.max_grad_norm)
                policy.optimizer.step()
                for name, value in measures.items():
                    measured[name].append(value.detach())
            kl = torch.stack(measured["kl"]).mean().item()
            if kl > 2.5 * config.target_kl:
                break
        if config.adaptive_lr:
            self._adapt_learning_rate(kl)
        if self.sight_training is not None:
            obs = buffer.flat_obs()
            chosen = torch.randint(len(obs["depth"]), (config.sight_new_images,))
            self.sight_training.memory.add({group: obs[group][chosen] for group in self.sight_training.groups})
            if len(self.sight_training.memory) >= config.sight_fewest_images:
                self.sight_training.train(config.sight_steps)
        policy.merge_statistics(buffer.obs)
        self.iterations += 1
        self._n_updates += 1
        returns, values = buffer.learned(buffer.returns), buffer.learned(buffer.values)
        residual = (returns - values).var() / (returns.var() + 1e-8)
        self.record |= {name: torch.stack(measures).mean().item() for name, measures in measured.items()}
        seconds = perf_counter() - start
        self.seconds += seconds
        collecting = self.record["env_seconds"] + self.record["inference_seconds"]
        self.record |= {
            "iterations": self.iterations,
            "lr": policy.optimizer.param_groups[0]["lr"],
            "std": policy.log_std.detach().exp().mean().item(),
            "entropy": policy.entropy().item(),
            "explained_variance": 1 - residual.item(),
            "update_seconds": seconds,
            "seconds": self.seconds,
            "steps_per_second": self.n_steps * self.n_envs / (collecting + seconds),
            "observed_mb_per_second": self.n_steps * self.collector.observed_bytes / 1e6 / (collecting + seconds),
        }

    def _adapt_learning_rate(self, kl: float) -> None:
        config = self.config
        factor = 1 / 1.3 if kl > 1.5 * config.target_kl else 1.2 if kl < config.target_kl / 1.5 else 1.0
        lowest, highest = config.learning_rate_range
        group = self.policy.optimizer.param_groups[0]
        group["lr"] = min(max(group["lr"] * factor, lowest), highest)

    def _set_level(self) -> None:
        """Have episodes begin at the level that training has reached."""
        assert self.adr is not None
        self.vector_env.unwrapped.set_adr_level(self.adr.level)  # type: ignore[attr-defined]

    def save(self, path: str | Path, run: dict[str, Any] | None = None) -> None:  # type: ignore[override]
        """Write a checkpoint from which training goes on exactly, with the state of the environments.

        Args:
            path: File to replace atomically.
            run: Arguments of the training command, kept as a note.
        """
        if self._last_obs is None:
            self._start_collecting()
        payload = {
            "policy": self.policy.state_dict(),
            "optimizer": self.policy.optimizer.state_dict(),
            "rng": torch.get_rng_state(),
            "rollouts": self.collector.get_state(),
        }
        if self.adr is not None:
            payload["adr"] = self.adr.get_state()
        if self.sight_training is not None:
            payload["sight"] = {
                "optimizer": self.sight_training.optimizer.state_dict(),
                "memory": self.sight_training.memory.get_state(),
            }
        checkpoint.write(path, self._meta("training", run), payload)

    def save_policy(self, path: str | Path, run: dict[str, Any] | None = None) -> None:
        """Write the policy alone: a small file to evaluate, export or ship."""
        checkpoint.write(path, self._meta("policy", run), {"policy": self.policy.state_dict()})

    @classmethod
    def load(cls, path: str | Path, env: VectorEnv) -> Self:  # type: ignore[override]
        """Go on from a checkpoint of `save` in `env`; `CheckpointError` if it does not fit."""
        meta, payload = checkpoint.read_training(path)
        checkpoint.require_env(meta, env, list(meta.observation_space))
        config = checkpoint.hyper_parameters(meta, path)
        learner = cls(env, config, tuple(meta.actor_groups), tuple(meta.critic_groups), meta.seed)
        learner.num_timesteps, learner.iterations, learner.seconds = meta.steps, meta.iterations, meta.seconds
        learner._n_updates = meta.iterations
        learner.started_from = meta.run.get("start_from")
        checkpoint.load_state(learner.policy, payload["policy"], path)
        try:
            learner.policy.optimizer.load_state_dict(payload["optimizer"])
            if learner.sight_training is not None:
                learner.sight_training.optimizer.load_state_dict(payload["sight"]["optimizer"])
                learner.sight_training.memory.set_state(payload["sight"]["memory"])
            learner.collector.set_state(payload["rollouts"])
            if learner.adr is not None:
                learner.adr.set_state(payload["adr"])
                # After the state of the environments, so that replacements of lost servers are told too.
                learner._set_level()
            torch.set_rng_state(payload["rng"])
        except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"the training state in {path} does not fit its metadata ({type(error).__name__}: {error}); it was "
                "damaged or written by another version: resume from another file"
            ) from error
        learner._last_obs = learner.collector.obs
        return learner

    def _meta(self, kind: str, run: dict[str, Any] | None) -> checkpoint.CheckpointMeta:
        return checkpoint.CheckpointMeta(
            **checkpoint.describe_env(self.vector_env, self.policy.groups),
            actor_groups=list(self.actor_groups),
            critic_groups=list(self.critic_groups),
            ppo=asdict(self.config),
            seed=self.seed or 0,
            steps=self.num_timesteps,
            iterations=self.iterations,
            seconds=self.seconds,
            sight=None if self.sight is None else asdict(self.sight),
            run=(run or {}) | ({} if self.started_from is None else {"start_from": self.started_from}),
            kind=kind,
            adr_level=0 if self.adr is None else self.adr.level,
        )
