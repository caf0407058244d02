"""What it costs that environments live in another process: over shared memory, over tcp, encrypted, and in the usual
ways; and what two groups of environments win by stepping one while the policy thinks about the other.

All ratios are of medians within one run, in which the competitors take turns.
"""

import contextlib
import os
import pickle
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import gymnasium
import numpy as np
import torch
import zmq
from gymnasium.vector import AsyncVectorEnv

from baselines.policy import ActorCritic
from baselines.sight import Sight
from dexgrasp_envs.registration import DEPTH_ID
from dexgrasp_envs.remote.client import RemoteVectorEnv
from dexgrasp_envs.remote.keys import ClientKeys, write_keys

from .image_batch import DrawnBatch, ImageBatch, Images
from .memory import resident
from .progress import Tell, silent
from .timing import Run, in_turns
from .transport_server import BARE, CHUNK, serving, serving_id

THINKING = 0.02
"""Time for which a policy sleeps, as long as its environments, s."""
_WORKERS = 8
"""Processes of AsyncVectorEnv for a batch, each with its share of the images."""


def transport(num_envs: int, steps: int, rounds: int, batch: int, soak: int, tell: Tell = silent) -> dict[str, Any]:
    """The figures of the suite: `num_envs` depth environments, batches of `batch` MiB, `soak` steps for the memory."""
    tell(f"{num_envs} depth environments")
    depth = depth_environments(num_envs, steps, rounds)
    tell("two groups")
    sleeping = {name: overlap_with_sleep(groups, batch=2, rounds=steps) for name, groups in (("one", 1), ("two", 2))}
    thinking = overlap_with_network(num_envs, steps, rounds)
    tell(f"batches of {batch} MiB")
    batched = batches(batch, steps, rounds)
    tell(f"memory over {soak} steps")
    return {
        "num_envs": num_envs,
        "steps": steps,
        "rounds": rounds,
        "depth_env_steps_per_second": depth,
        "shared_memory_to_in_process": depth["shared memory"] / depth["in process"],
        "tcp_to_in_process": depth["tcp"] / depth["in process"],
        "batch": batched,
        "overlap_with_sleep": sleeping | {"ratio": sleeping["one"] / sleeping["two"]},
        "overlap_with_network": thinking,
        "memory": memory(soak),
    }


def depth_environments(num_envs: int, steps: int, rounds: int) -> dict[str, float]:
    """Env-steps/s of the Depth id at 120x160: here, remote, pickled through a REP socket, and as AsyncVectorEnv."""
    peer_envs = min(num_envs, 2 * (os.cpu_count() or 1))
    with contextlib.ExitStack() as stack:
        tcp, _ = stack.enter_context(serving_id(DEPTH_ID, num_envs))
        pickled, _ = stack.enter_context(serving("pickle", num_envs, "--env-id", DEPTH_ID))
        # Each is spawned: a fork of a process that has compiled kernels would end.
        spawn = {"context": "spawn", "shared_memory": True}
        envs: dict[str, Any] = {
            "in process": gymnasium.make_vec(DEPTH_ID, num_envs),
            "shared memory": gymnasium.make_vec(DEPTH_ID, num_envs, remote="spawn:1"),
            "tcp": RemoteVectorEnv([tcp], shared_memory=False),
            "pickle over tcp": Pickled(pickled, num_envs),
            "AsyncVectorEnv": gymnasium.make_vec(DEPTH_ID, peer_envs, "async", vector_kwargs=spawn, threads=1),
        }
        for env in envs.values():
            stack.callback(env.close)
            env.reset(seed=0)
        numbers = np.random.default_rng(0)
        actions = numbers.uniform(-1, 1, (steps, num_envs, 11)).astype(np.float32)

        def stepping(env: Any) -> Run:
            return lambda: [env.step(action[: env.num_envs]) for action in actions]

        seconds = in_turns({name: stepping(env) for name, env in envs.items()}, rounds)
        return {name: envs[name].num_envs * steps / value for name, value in seconds.items()}


def batches(batch: int, steps: int, rounds: int) -> dict[str, Any]:
    """Seconds for a batch of so many MiB by each way, and the ratios to what cannot be left out.

    Images are there already, so that a step costs nothing but the way, or are drawn at each step, which costs one copy
    in process too: then it is compared what the way adds to that.
    """
    workers = min(batch, _WORKERS)
    here = ImageBatch(batch)
    source = here.reset()[0]["image"]
    warm = np.empty_like(source)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "keys"
        write_keys(folder)
        plain, _ = stack.enter_context(serving("ours", batch))
        shared, _ = stack.enter_context(serving("ours", batch))
        viewed, _ = stack.enter_context(serving("ours", batch))
        drawn, _ = stack.enter_context(serving("drawn", batch))
        drawn_viewed, _ = stack.enter_context(serving("drawn", batch))
        curve, _ = stack.enter_context(serving("ours", batch, "--keys", str(folder)))
        pickled, _ = stack.enter_context(serving("pickle", batch))
        envs: dict[str, Any] = {
            "shared memory": RemoteVectorEnv([shared]),
            "shared memory, views": RemoteVectorEnv([viewed], copy=False),
            "drawn in process": DrawnBatch(batch),
            "drawn into shared memory": RemoteVectorEnv([drawn]),
            "drawn into shared memory, views": RemoteVectorEnv([drawn_viewed], copy=False),
            "tcp": RemoteVectorEnv([plain], shared_memory=False),
            "tcp, encrypted": RemoteVectorEnv([curve], shared_memory=False, keys=ClientKeys.load(folder)),
            "pickle over tcp": Pickled(pickled, batch),
            # Gymnasium's: an environment a process, its observations in shared memory.
            "AsyncVectorEnv": AsyncVectorEnv(
                [partial(Images, batch // workers)] * workers, shared_memory=True, context="spawn"
            ),
        }
        for env in envs.values():
            stack.callback(env.close)
            env.reset(seed=0)
        actions = np.zeros((batch, 1), np.float32)
        runs: dict[str, Run] = {name: lambda env=env: env.step(actions[: env.num_envs]) for name, env in envs.items()}  # type: ignore[misc]
        runs["memcpy"] = lambda: np.copyto(warm, source)
        runs["memcpy into fresh memory"] = source.copy
        for way in BARE:
            endpoint, _ = stack.enter_context(serving(way, batch))
            runs[f"pyzmq, {way}"] = stack.enter_context(contextlib.closing(Raw(endpoint, way, warm))).receive
        seconds = in_turns(runs, max(rounds, steps))
    raw = min(value for name, value in seconds.items() if name.startswith("pyzmq"))

    def added(name: str) -> float:
        return (seconds[name] - seconds["drawn in process"]) / seconds["memcpy"]

    return {
        "mib": batch,
        "milliseconds": {name: 1e3 * value for name, value in seconds.items()},
        "shared_memory_to_memcpy": seconds["shared memory"] / seconds["memcpy"],
        "shared_memory_views_to_memcpy": seconds["shared memory, views"] / seconds["memcpy"],
        "drawn_into_shared_memory_adds_memcpys": added("drawn into shared memory"),
        "drawn_into_shared_memory_views_adds_memcpys": added("drawn into shared memory, views"),
        "shared_memory_to_memcpy_into_fresh_memory": seconds["shared memory"] / seconds["memcpy into fresh memory"],
        "tcp_to_best_pyzmq": seconds["tcp"] / raw,
        "encrypted_to_plain_tcp": seconds["tcp, encrypted"] / seconds["tcp"],
    }


class Pickled:
    """A vector environment at a REP socket, as many projects do it."""

    def __init__(self, endpoint: str, num_envs: int):
        self.num_envs = num_envs
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.REQ)
        self._socket.connect(endpoint)

    def reset(self, seed: int) -> Any:
        """Of all rows."""
        return self._ask("reset", seed)

    def step(self, actions: Any) -> Any:
        """Of all rows."""
        return self._ask("step", actions)

    def close(self) -> None:
        """Free the socket."""
        self._context.destroy(linger=0)

    def _ask(self, name: str, argument: Any) -> Any:
        self._socket.send(pickle.dumps((name, argument), protocol=pickle.HIGHEST_PROTOCOL))
        # Its server is this benchmark's own child.
        return pickle.loads(self._socket.recv(copy=False).buffer)


class Raw:
    """Bare bytes at a PAIR socket, in one message or in chunks, each received into its place."""

    def __init__(self, endpoint: str, way: str, into: np.ndarray):
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.PAIR)
        self._socket.connect(endpoint)
        self._way, self._into = way, into.reshape(-1)

    def receive(self) -> None:
        """One batch."""
        self._socket.send(b"")
        if self._way == "frame":
            self._socket.recv(copy=False)
            return
        for offset in range(0, len(self._into), CHUNK):
            self._into[offset : offset + CHUNK] = np.frombuffer(self._socket.recv(copy=False).buffer, np.uint8)

    def close(self) -> None:
        """Free the socket."""
        self._context.destroy(linger=0)


def overlap_with_sleep(groups: int, batch: int, rounds: int) -> float:
    """Seconds of a step of all environments, where they and the policy sleep for the same time."""
    options = ("--groups", str(groups), "--seconds", str(THINKING))
    with serving("ours", batch, *options) as (endpoint, _), contextlib.closing(RemoteVectorEnv([endpoint])) as env:

        def sleep(obs: Any) -> np.ndarray:
            time.sleep(THINKING / groups)
            return np.zeros((batch // groups, 1), np.float32)

        return rollout(env, sleep, rounds)


def overlap_with_network(num_envs: int, steps: int, rounds: int) -> dict[str, Any]:
    """Seconds of a step of all depth environments and of the depth network, in one group and in two.

    Simulator and network have half the cores each, as if they were on machines of their own. "one, all cores" is what
    the synchronous loop makes of one machine, on which they take turns: each then has all cores.
    """
    threads = torch.get_num_threads()
    cores = os.cpu_count() or 1
    half = max(1, cores // 2)
    with contextlib.ExitStack() as stack:
        stack.callback(torch.set_num_threads, threads)
        runs: dict[str, Callable[[], float]] = {}
        for name, groups, own in (("one", 1, half), ("two", 2, half), ("one, all cores", 1, cores)):
            env: Any = gymnasium.make_vec(DEPTH_ID, num_envs, remote="spawn:1", threads=own, env_groups=groups)
            stack.callback(env.close)
            space, actions = env.single_observation_space, env.single_action_space
            policy = ActorCritic(space, actions, ("proprio", "depth"), ("proprio",), sight=Sight.of(env))
            act = partial(_act, policy, own)
            runs[name] = partial(rollout, env.unwrapped, act, steps)
        taken: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds + 1):
            for name, run in runs.items():
                # What it says, not the time of the call, in which there is a reset too.
                taken[name].append(run())
        # The first one, in which memory and caches are still cold, does not count.
        seconds = {name: median(values[1:]) for name, values in taken.items()}
    ratios = {
        "ratio": seconds["one"] / seconds["two"],
        "ratio_to_all_cores": seconds["one, all cores"] / seconds["two"],
    }
    return seconds | ratios


def _act(policy: ActorCritic, threads: int, obs: Any) -> np.ndarray:
    torch.set_num_threads(threads)
    return policy.predict(obs, deterministic=True)[0]


def rollout(env: RemoteVectorEnv, act: Callable[[Any], Any], steps: int) -> float:
    """Seconds of a step of all groups, each begun as soon as its actions are there."""
    for group in env.groups:
        group.send(act(group.reset(seed=0)[0]))
    before = perf_counter()
    for _ in range(steps):
        for group in env.groups:
            group.send(act(group.recv()[0]))
    seconds = (perf_counter() - before) / steps
    for group in env.groups:
        group.recv()
    return seconds


def memory(steps: int, batch: int = 4) -> dict[str, float]:
    """Resident memory of both ends after the first tenth of the steps and after all, over both planes, MiB."""
    figures = {}
    for name, shared in (("shared memory", True), ("tcp", False)):
        with (
            serving("ours", batch) as (endpoint, pid),
            contextlib.closing(RemoteVectorEnv([endpoint], shared_memory=shared)) as env,
        ):
            env.reset(seed=0)
            for end, count in (("early", steps // 10), ("late", steps - steps // 10)):
                for _ in range(count):
                    env.step(np.zeros((batch, 1), np.float32))
                figures[f"{name}, server, {end}"] = resident(pid)
                figures[f"{name}, client, {end}"] = resident(os.getpid())
    return figures
