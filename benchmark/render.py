"""Depth images and stereo pairs: the ray-caster against MuJoCo's OpenGL renderer, and the Depth id against the usual
way and our State id.

The work is that of a grasping policy in the middle of its episodes. All ratios are of medians within one run.
"""

import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import gymnasium
import mujoco
import numpy as np

from dexgrasp_envs.config import ADR_LEVELS, EnvConfig
from dexgrasp_envs.registration import STATE_ID
from dexgrasp_envs.scene.scene import ViewCamera
from dexgrasp_envs.sim.mujoco.offscreen import OffscreenRenderer, free_camera
from dexgrasp_envs.vector_env import DexGraspVectorEnv
from dexgrasp_envs.vision.camera import Intrinsics, look_at, mounted_poses
from dexgrasp_envs.vision.geom_table import part_names
from dexgrasp_envs.vision.looks import draw_light
from dexgrasp_envs.vision.ray_caster import RayCaster, Shot

from .mesh_frames import mesh_env
from .peer_env import PeerEnv, fastest_settings, use_one_thread_each
from .progress import Tell, silent
from .throughput import Workload, record_work, time_environment, time_parts
from .timing import in_turns, time_steps

SIZES = ((48, 64), (60, 80), (120, 160), (240, 320))
"""(height, width) of the images."""
PAIR_SIZES = ((48, 64), (120, 160), (240, 320))
"""The same of both images of a stereo pair."""
NOISY, RANDOM, STATE_RANDOM = "depth with noise", "depth with noise and randomisation", "state with randomisation"
"""Names of the ids with the paper's noise of depth, and with its randomisation at the last level."""
PEER_ENVS = (2, 4, 8, 16)
"""Numbers of environments in AsyncVectorEnv; the fastest counts."""


def render(
    checkpoint: Path, num_envs: int, steps: int, rounds: int, warm_up: int, tell: Tell = silent
) -> dict[str, Any]:
    """The figures of the suite; `steps` actions are replayed `rounds` times, `warm_up` actions into the episodes.

    Raises:
        RenderingError: There is no OpenGL to compare with.
    """
    use_one_thread_each()
    tell("a policy grasps")
    env, work = record_work(checkpoint, num_envs, steps, warm_up)
    require_opengl(env)
    env.set_state(work.start)
    frames: dict[str, dict[str, float]] = {}
    pairs: dict[str, dict[str, float]] = {}
    for kind, sizes, found in (("frames", SIZES, frames), ("pairs", PAIR_SIZES, pairs)):
        for size in sizes:
            name = "x".join(map(str, size))
            tell(f"{kind} of {name}")
            found[name] = frame_rates(env, size, rounds, pair=kind == "pairs")
    tell("frames with meshes")
    meshes = frames_with_meshes(num_envs, rounds)
    depth, noisy = env.config.observing("depth"), {"depth_noise": "paper"}
    random = {"randomisation": "paper", "adr_level": ADR_LEVELS}
    competitors = {
        "state": (env, work),
        STATE_RANDOM: varied(env, work, env.config, random),
        "depth": varied(env, work, depth, {}),
        NOISY: varied(env, work, depth, noisy),
        RANDOM: varied(env, work, depth, noisy | random),
    }
    tell("env-steps with depth")
    seconds: dict[str, list[float]] = {name: [] for name in competitors}
    for _ in range(rounds):
        for name, (which, what) in competitors.items():
            seconds[name].append(time_environment(which, what))
    rates = {name: num_envs * steps / median(values) for name, values in seconds.items()}
    peers = {}
    for workers in (count for count in PEER_ENVS if count <= num_envs):
        tell(f"AsyncVectorEnv of {workers}")
        peers[str(workers)] = peer_rate(env, work, workers, rounds)
    parts = {name: time_parts(which, what) for name, (which, what) in competitors.items()}
    rates["AsyncVectorEnv + mujoco.Renderer"] = max(peers.values())
    for one, _ in competitors.values():
        one.close()
    return {
        "num_envs": num_envs,
        "steps": steps,
        "rounds": rounds,
        "contact_share": work.contact_share,
        "frames_per_second_and_core": frames,
        "mesh_frames_per_second_and_core": meshes,
        "stereo_pairs_per_second_and_core": pairs,
        "env_steps_per_second_120x160": rates,
        "peer_env_steps_per_second_by_num_envs": peers,
        "noise_share_of_depth_step": 1.0 - rates[NOISY] / rates["depth"],
        "noise_and_randomisation_share_of_depth_step": 1.0 - rates[RANDOM] / rates["depth"],
        "randomisation_share_of_state_step": 1.0 - rates[STATE_RANDOM] / rates["state"],
        "share_of_step": parts,
        "depth_to_state": rates["depth"] / rates["state"],
        "depth_to_peer": rates["depth"] / rates["AsyncVectorEnv + mujoco.Renderer"],
    }


def require_opengl(env: DexGraspVectorEnv) -> None:
    """Raise RenderingError, which says how to install one, if there is no OpenGL."""
    camera = env.config.observation.camera
    renderer = OffscreenRenderer(ViewCamera(camera.position, camera.target, camera.fovy))
    renderer.render(env.backend.batch, 0)  # type: ignore[attr-defined]
    renderer.close()


def frames_with_meshes(num_envs: int, rounds: int) -> dict[str, float]:
    """Depth frames/s of 120x160 where objects are meshes; OpenGL draws their convex pieces, we their triangles."""
    env = mesh_env(num_envs)
    rates = frame_rates(env, (120, 160), rounds, pair=False)
    env.close()
    return rates


def frame_rates(env: DexGraspVectorEnv, size: tuple[int, int], rounds: int, pair: bool) -> dict[str, float]:
    """Depth frames/s, or stereo pairs/s, of both renderers, the whole process on one core, the same scenes and camera.

    Pairs are shaded, ours with shadows and textures, which OpenGL's fastest settings lack.
    """
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        ours, theirs = our_frames(env, size, pair), opengl_frames(env, size, pair)
        seconds = in_turns({"ray_caster": ours, "opengl": theirs}, rounds)
    finally:
        os.sched_setaffinity(0, cores)
    rates = {name: env.num_envs / value for name, value in seconds.items()}
    return rates | {"ratio": rates["ray_caster"] / rates["opengl"]}


def our_frames(env: DexGraspVectorEnv, size: tuple[int, int], pair: bool) -> Callable[[], None]:
    """Casts one frame, or pair, of every environment, on one thread; the first one compiles."""
    n, camera = env.num_envs, env.config.observation.camera
    state = env.backend.state()
    zero = np.zeros(n, np.int64)
    position, rotation = mounted_poses(camera, zero, zero, zero)
    beside = position + np.float32(env.config.observation.stereo.baseline) * rotation[:, :, 0]
    object_index = env.get_state()["task.object_index"].astype(np.int64)
    caster = RayCaster(env.scene, env.objects, 1)
    observation = env.config.observation
    lens = Intrinsics(size[1], size[0], Intrinsics.of(observation).focal * size[0] / observation.image_size[0])
    left = Shot(
        np.arange(n), object_index, state.body_pos.numpy(), state.body_rot.numpy(), position, rotation, lens,
        camera.near, camera.far, 1e-4,
    )  # fmt: skip
    right = replace(left, camera_pos=beside)
    out, images = np.empty((n, *size), np.uint16), np.empty((2, n, 3, *size), np.uint8)
    lights, tints = draw_light(observation.stereo.light, len(part_names(env.scene)), zero, zero, zero)

    def run() -> None:
        if not pair:
            caster.cast(left, out)
            return
        for eye, image in zip((left, right), images, strict=True):
            caster.shade(eye, lights, tints, image)

    return run


def opengl_frames(env: DexGraspVectorEnv, size: tuple[int, int], pair: bool) -> Callable[[], None]:
    """Draws one depth frame, or pair, of every environment; kinematics are computed beforehand and not timed."""
    batch, camera = env.backend.batch, env.config.observation.camera  # type: ignore[attr-defined]
    models = [batch.get_model(row) for row in range(env.num_envs)]
    datas = [batch.get_data(row) for row in range(env.num_envs)]
    for model, data in zip(models, datas, strict=True):
        mujoco.mj_forward(model, data)
        fastest_settings(model)
    models[0].vis.global_.fovy = camera.fovy
    renderer = mujoco.Renderer(models[0], *size)
    if not pair:
        renderer.enable_depth_rendering()
    eye, option = free_camera(ViewCamera(camera.position, camera.target, camera.fovy)), mujoco.MjvOption()
    right = free_camera(ViewCamera(camera.position, camera.target, camera.fovy))
    right.lookat[:] += env.config.observation.stereo.baseline * look_at(camera)[:, 0]
    out = np.empty((*size, 3), np.uint8) if pair else np.empty((*size,), np.float32)

    def run() -> None:
        for model, data in zip(models, datas, strict=True):
            mujoco.mjv_updateScene(model, data, option, None, eye, mujoco.mjtCatBit.mjCAT_ALL, renderer.scene)
            renderer.render(out=out)
            if pair:
                # The geoms of the scene are those of the left camera.
                mujoco.mjv_updateCamera(model, data, right, renderer.scene)
                renderer.render(out=out)

    return run


def varied(
    env: DexGraspVectorEnv, work: Workload, config: EnvConfig, options: dict[str, Any]
) -> tuple[DexGraspVectorEnv, Workload]:
    """The same environments with another configuration and options, in the same state.

    At a level of randomisation, all that is drawn during an episode has its full range; masses and servos are nominal
    until the next one begins, so that the work is the same.
    """
    made: Any = gymnasium.make_vec(STATE_ID, num_envs=env.num_envs, config=config, **options).unwrapped
    own = made.get_state()
    kept = ("env.fingerprint", "task.adr_level", "task.next_adr_level")
    start = own | work.start | {name: own[name] for name in kept}
    start["task.adr_level"] = own["task.next_adr_level"]
    return made, Workload(start, work.actions, work.targets, work.contact_share)


def peer_rate(env: DexGraspVectorEnv, work: Workload, num_envs: int, rounds: int) -> float:
    """Env-steps/s of AsyncVectorEnv over `num_envs` plain simulations with OpenGL depth at 120x160."""
    env.set_state(work.start)
    batch, camera = env.backend.batch, env.config.observation.camera  # type: ignore[attr-defined]
    seen_from = ViewCamera(camera.position, camera.target, camera.fovy)
    targets = work.targets[:, :num_envs]
    with tempfile.TemporaryDirectory() as folder:
        for row in range(num_envs):
            mujoco.mj_saveModel(batch.get_model(row), str(Path(folder) / f"model{row}.mjb"))
        np.savez(Path(folder) / "work.npz", state=np.asarray(work.start["sim.state"], np.float64)[:num_envs])
        makers = [partial(PeerEnv, folder, row, targets.shape[2], (120, 160), seen_from) for row in range(num_envs)]
        peer = gymnasium.vector.AsyncVectorEnv(makers, shared_memory=True, context="spawn")
        try:
            seconds = []
            for _ in range(rounds):
                peer.reset()
                seconds.append(time_steps(peer, targets))
        finally:
            peer.close()
    return num_envs * len(targets) / median(seconds)
