"""Small valid records of every kind."""

from typing import Any

from baselines.record import PROJECT, SCHEMA
from baselines.statistics import wilson

Record = dict[str, Any]


def core(kind: str, metrics: dict[str, Any]) -> Record:
    return {
        "project": PROJECT,
        "schema": SCHEMA,
        "kind": kind,
        "seed": 0,
        "config_hashes": {},
        "command": f"python -m benchmark.run {kind}",
        "versions": {"python": "3.11.7", "numpy": None},
        "machine": {"cpu": "a CPU", "cores": 2, "system": "Linux x86_64"},
        "metrics": metrics,
    }


def evaluation(
    successes: int = 9,
    path: str = "results/checkpoints/depth.pt",
    groups: tuple[str, ...] = ("proprio", "depth"),
    blind: bool = False,
    shuffled: bool = False,
) -> Record:
    """Ten episodes, of which the first `successes` succeed."""
    outcomes = [i < successes for i in range(10)]
    rate = wilson(successes, 10)
    interval = {"rate": rate.estimate, "low": rate.low, "high": rate.high}
    names = ("success_at_end", "success_once", "lifted")
    metrics = {"episodes": 10, "success_share": 0.25, "mean_return": 1.5, "diverged": 0}
    env_id = "DexGrasp/KukaAllegro-Depth-v0"
    return core("evaluation", metrics | {name: dict(interval) for name in names}) | {
        "seed": 1000,
        "config_hashes": {env_id: "0123456789abcdef"},
        "command": f"python -m baselines.evaluate {path}" + (" --shuffle-images" if shuffled else ""),
        "env_id": env_id,
        "config": {"objects": "primitives12"},
        "fingerprint": "fedcba9876543210",
        "checkpoint": {
            "path": path,
            "steps": 2_500_000,
            "seconds": 90.0,
            "blind": blind,
            "actor_groups": list(groups),
            "config_hash": "0123456789abcdef",
            "run": {"env_id": env_id, "minutes": 8.0, "steps": None, "seed": 1, "out": "runs/depth", "blind": blind},
        },
        "num_envs": 5,
        "episodes_per_env": 2,
        "shuffled_images": shuffled,
        "object_names": ["a"],
        "episodes": dict.fromkeys(names, outcomes) | {"success_share": [0.25] * 10},
    }


def blind() -> Record:
    return evaluation(0, "results/checkpoints/blind.pt", ("proprio",), blind=True)


def throughput(rate: float = 900.0) -> Record:
    metrics = {
        "num_envs": 4, "steps": 3, "rounds": 2, "contact_share": 0.5,
        "env_steps_per_second": {"dexgrasp_envs": rate, "mujoco.batch.Batch": 1000.0},
        "fastest_bare": "mujoco.batch.Batch", "ratio_to_fastest_bare": rate / 1000.0,
        "share_of_step": {"physics": 0.9, "other": 0.1},
        "memory_per_env_kib": 50.0,
        "scaling": {"16": 800.0, "2": 200.0},
    }  # fmt: skip
    return core("throughput", metrics)


def render() -> Record:
    frames = {
        "120x160": {"ray_caster": 900.0, "opengl": 100.0, "ratio": 9.0},
        "48x64": {"ray_caster": 4000.0, "opengl": 200.0, "ratio": 20.0},
    }
    metrics = {
        "num_envs": 4, "steps": 3, "rounds": 2, "contact_share": 0.5, "frames_per_second_and_core": frames,
        "stereo_pairs_per_second_and_core": {"120x160": {"ray_caster": 3000.0, "opengl": 1000.0, "ratio": 3.0}},
        "env_steps_per_second_120x160": {"state": 1000.0, "depth": 600.0, "AsyncVectorEnv + mujoco.Renderer": 100.0},
        "mesh_frames_per_second_and_core": {"ray_caster": 700.0, "opengl": 100.0, "ratio": 7.0},
        "share_of_step": {"state": {"physics": 0.9, "other": 0.1}, "depth": {"images": 0.4, "physics": 0.6}},
        "noise_and_randomisation_share_of_depth_step": 0.1,
        "depth_to_state": 0.6, "depth_to_peer": 6.0,
    }  # fmt: skip
    return core("render", metrics)


def grasps() -> Record:
    spread = {"median": 0.5, "p5": 0.1, "p95": 0.9, "max": 10.0}
    names = ("carried_share_of_weight", "penetration_mm", "penetration_in_hold_mm")
    metrics = {"episodes": 3, "success_at_end": 0, "lost": 1, "object_speed_in_hold_m_s": None}
    return core("grasps", metrics | dict.fromkeys(names, spread))


def robotfit() -> Record:
    return core(
        "robotfit",
        {
            "postures": 3, "primitives": 46, "silhouette_iou_mean": 0.9, "silhouette_iou_worst": 0.8,
            "depth_error_mm_median": 2.0, "depth_error_mm_p90": 9.0,
        },
    )  # fmt: skip


def transport() -> Record:
    metrics = {
        "num_envs": 4, "steps": 3, "rounds": 2, "shared_memory_to_in_process": 0.9, "tcp_to_in_process": 0.85,
        "depth_env_steps_per_second": {"in process": 1000.0, "shared memory": 900.0, "tcp": 850.0},
        "batch": {
            "mib": 2, "milliseconds": {"memcpy": 1.0, "shared memory": 2.0}, "shared_memory_to_memcpy": 2.0,
            "shared_memory_views_to_memcpy": 1.1, "tcp_to_best_pyzmq": 1.2,
            "drawn_into_shared_memory_adds_memcpys": 1.1, "drawn_into_shared_memory_views_adds_memcpys": 0.1,
        },
        "overlap_with_sleep": {"one": 0.04, "two": 0.02, "ratio": 2.0},
        "overlap_with_network": {
            "one": 0.5, "two": 0.4, "ratio": 1.25, "one, all cores": 0.3, "ratio_to_all_cores": 0.75,
        },
        "memory": {"tcp, server, early": 60.0, "tcp, server, late": 61.0},
    }  # fmt: skip
    return core("transport", metrics)


def one_of_each() -> dict[str, Record]:
    """By name."""
    made = {make.__name__: make() for make in (throughput, render, grasps, robotfit, transport, blind)}
    return made | {"depth": evaluation(), "depth_shuffled": evaluation(0, shuffled=True)}
