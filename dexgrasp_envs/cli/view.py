"""`dexgrasp view`: watch a policy, live in the browser or as a video."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from ..config import EnvConfig
from ..errors import ConfigError, DexGraspError
from ..registration import IDS
from .config_argument import read_config

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv

    from ..viewing.policies import Policy
    from ..viewing.rollout import Moment

VIDEO_EPISODES = 4
"""Episodes of a video, by default."""


def view(
    env_id: tyro.conf.Positional[str],
    policy: str = "",
    num_envs: int = 1,
    episodes: int | None = None,
    out: Path | None = None,
    config: str = "",
    seed: int = 0,
    port: int = 8080,
    seconds: float | None = None,
) -> int:
    """Watch a policy, live in the browser or as a video, with what it sees beside the scene.

    The live view is served to this machine only; from another one, forward the port: ssh -L 8080:localhost:8080 HOST.
    Ctrl-C ends it, and ends a video with the frames so far.

    Commands to copy:

        dexgrasp view DexGrasp/KukaAllegro-State-v0
        dexgrasp view DexGrasp/KukaAllegro-Depth-v0 --out runs/random.mp4 --episodes 2
        python -m baselines.export results/checkpoints/depth.pt --out runs/depth.onnx
        dexgrasp view DexGrasp/KukaAllegro-Depth-v0 --policy runs/depth.onnx --num-envs 4
        dexgrasp view DexGrasp/KukaAllegro-State-v0 --policy my_module:make_policy

    Args:
        env_id: Id of an environment of this package, see `dexgrasp list`.
        policy: What acts: an ONNX file of baselines.export, or module:factory, where factory(env) returns a function
            that maps observation groups [N, ...], and in which of N rows an episode begins, to actions [N, A]; smooth
            random actions if it is left out.
        num_envs: Number of environments.
        episodes: Episodes of every environment; without it, 4 in a video and no end in the browser.
        out: Write this video, an .mp4 file, in place of the live view.
        config: Configuration as JSON or the path of a JSON file; by default that of the ONNX policy, if there is one.
        seed: Seed of environments and random actions.
        port: Port of the live view; the next free one if it is taken.
        seconds: End after this time.
    """
    try:
        if seconds is not None and seconds <= 0:
            raise ConfigError(f"--seconds must be positive, got {seconds}")
        with _open(env_id, policy, num_envs, config, seed, "rgb_array" if out else None) as (env, act):
            if out is not None:
                _write(env, act, out, seed, VIDEO_EPISODES if episodes is None else episodes, seconds)
            else:
                _serve(env, act, seed, episodes, seconds, port)
    except DexGraspError as error:
        print(f"dexgrasp view: {error}", file=sys.stderr)
        return 1
    return 0


@contextlib.contextmanager
def _open(
    env_id: str, policy: str, num_envs: int, config: str, seed: int, render_mode: str | None
) -> Iterator[tuple[VectorEnv, Policy]]:
    """The environment and what acts in it, which has been found to fit."""
    if env_id not in IDS:
        raise ConfigError(f"there is no environment {env_id!r} in this package; there are {', '.join(IDS)}")
    import gymnasium

    from ..viewing.onnx_policy import OnnxPolicy
    from ..viewing.policies import SmoothRandom, from_factory

    loaded = OnnxPolicy(Path(policy)) if policy.endswith(".onnx") else None
    settings = read_config(config, EnvConfig() if loaded is None else loaded.config)
    options: dict[str, Any] = {"config": settings, "render_mode": render_mode, "autoreset_mode": "Disabled"}
    with contextlib.closing(gymnasium.make_vec(env_id, num_envs, **options)) as env:
        act: Policy
        if loaded is not None:
            if warning := loaded.require(env):
                print(f"dexgrasp view: warning: {warning}", file=sys.stderr)
            act, words = loaded, str(loaded.path)
        elif policy:
            act, words = from_factory(policy, env), policy
        else:
            (actions,) = env.single_action_space.shape or (0,)
            act, words = SmoothRandom(num_envs, actions, seed), "smooth random actions (--policy takes another)"
        in_force: EnvConfig = env.unwrapped.config  # type: ignore[attr-defined]
        print(f"{env_id}, {num_envs} environment(s), configuration {in_force.hash()}, policy: {words}", flush=True)
        yield env, act


def _write(env: VectorEnv, act: Policy, out: Path, seed: int, episodes: int, seconds: float | None) -> None:
    from ..viewing.rollout import frame, rollout
    from ..viewing.video import check_path, write_video

    check_path(out)
    score = _Score()
    moments = _until(seconds, rollout(env, act, seed, episodes))
    frames = write_video(out, (frame(env, score.count(moment)) for moment in moments), env.metadata["render_fps"])
    print(f"wrote {out}: {frames} frames; {score.words}")


def _serve(env: VectorEnv, act: Policy, seed: int, episodes: int | None, seconds: float | None, port: int) -> None:
    from ..viewing.browser import BrowserView
    from ..viewing.panes import panes, tiled
    from ..viewing.rollout import rollout

    unwrapped: Any = env.unwrapped
    score = _Score()
    with BrowserView(unwrapped.scene, unwrapped.objects, env.num_envs, port) as browser:
        print(f"{browser.url} (Ctrl-C ends)", flush=True)
        for moment in _in_real_time(_until(seconds, rollout(env, act, seed, episodes)), env.metadata["render_fps"]):
            seen = [panes({name: group[i] for name, group in moment.obs.items()}) for i in range(env.num_envs)]
            images = {name: tiled([each[name] for each in seen]) for name in seen[0]}
            score.count(moment)
            browser.show(unwrapped.backend.state(), moment.infos["object"], images, score.words)
    print(score.words)


class _Score:
    """How the episodes so far ended."""

    def __init__(self) -> None:
        self._episodes = self._successes = 0

    def count(self, moment: Moment) -> Moment:
        """Take a moment into account, and hand it on."""
        self._episodes += int(moment.finished.sum())
        self._successes += int((moment.infos["success"] & moment.finished).sum())
        return moment

    @property
    def words(self) -> str:
        return f"{self._successes} of {self._episodes} episode(s) ended in success"


def _until(seconds: float | None, moments: Iterator[Moment]) -> Iterator[Moment]:
    """The moments until the time is over or someone presses Ctrl-C; a second Ctrl-C ends without manners."""
    end = None if seconds is None else time.monotonic() + seconds
    pressed: list[int] = []
    before = signal.getsignal(signal.SIGINT)

    def press(number: int, _: object) -> None:
        pressed.append(number)
        signal.signal(signal.SIGINT, before)

    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, press)
    try:
        for moment in moments:
            yield moment
            if pressed or (end is not None and time.monotonic() > end):
                break
    finally:
        signal.signal(signal.SIGINT, before)


def _in_real_time(moments: Iterator[Moment], fps: int) -> Iterator[Moment]:
    """The moments at the rate at which they happen, or as fast as they come."""
    due = time.monotonic()
    for moment in moments:
        time.sleep(max(0.0, due - time.monotonic()))
        yield moment
        due = max(due + 1 / fps, time.monotonic())
