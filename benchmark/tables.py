"""Tables of the benchmark records, by kind."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from baselines.record import Record
from baselines.result_table import ResultTable

Records = Mapping[str, Record]
"""Records of one kind by name; several of a kind stay rows of their own."""
_GRASPS = {
    "episodes": ("episodes",),
    "successes": ("success_at_end",),
    "lost": ("lost",),
    "weight carried in the hold, share, median": ("carried_share_of_weight", "median"),
    "5th percentile": ("carried_share_of_weight", "p5"),
    "penetration mm, median": ("penetration_mm", "median"),
    "most": ("penetration_mm", "max"),
    "in the hold, most": ("penetration_in_hold_mm", "max"),
    "object's speed in the hold m/s, median": ("object_speed_in_hold_m_s", "median"),
}
_ROBOT_FIT = {
    "postures": ("postures",),
    "primitives": ("primitives",),
    "silhouette IoU, mean": ("silhouette_iou_mean",),
    "worst": ("silhouette_iou_worst",),
    "depth error mm, median": ("depth_error_mm_median",),
    "90th percentile": ("depth_error_mm_p90",),
}


def throughput(records: Records) -> list[ResultTable]:
    """State env-steps/s of all competitors, scaling over environments, and where a step's time goes."""
    rates, scaling, parts, memory = [], [], [], []
    for name, record in records.items():
        metrics = record["metrics"]
        fastest = metrics["env_steps_per_second"].get(metrics["fastest_bare"])
        for who, rate in metrics["env_steps_per_second"].items():
            rates.append(
                _row(name, record, simulator=who, rate=rate, ratio=None if fastest is None else rate / fastest)
            )
        if "envpool" in metrics:
            other = metrics["envpool"]
            who = f"EnvPool {other['env_id']} (other work)"
            rates.append(_row(name, record, who, other["env_steps_per_second"], None))
        scaling += [
            {"record": name, "environments": int(size), "env-steps/s": rate}
            for size, rate in sorted(metrics["scaling"].items(), key=lambda item: int(item[0]))
        ]
        parts += [{"record": name, "part": part, "share": share} for part, share in metrics["share_of_step"].items()]
        memory.append({"record": name, "environments": "State", "KiB each": metrics["memory_per_env_kib"]})
    return [
        _table("throughput", "State env-steps/s on the same work; relative to the fastest bare MuJoCo", rates, records),
        _table("throughput_scaling", "Env-steps/s by number of environments", scaling, records),
        _table("throughput_parts", "Shares of the time of a step", parts, records),
        _table("throughput_memory", "Resident memory of an environment", memory, records),
    ]


def render(records: Records) -> list[ResultTable]:
    """Depth frames/s and stereo pairs/s on one core, depth env-steps/s, and where a step's time goes."""
    rates, parts, meshes = [], [], []
    for name, record in records.items():
        metrics = record["metrics"]
        state = metrics["env_steps_per_second_120x160"]["state"]
        for who, rate in metrics["env_steps_per_second_120x160"].items():
            rates.append(_row(name, record, who, rate, rate / state))
        for who, shares in metrics["share_of_step"].items():
            parts += [
                {"record": name, "environment": who, "part": part, "share": share} for part, share in shares.items()
            ]
        meshes.append({"record": name, "height x width": "120x160", **metrics["mesh_frames_per_second_and_core"]})
    return [
        _by_size(
            "render_frames",
            "Depth frames/s on one core, ray-caster and MuJoCo's OpenGL",
            "frames_per_second_and_core",
            records,
        ),
        _table("render_meshes", "The same where objects are meshes, drawn by OpenGL as convex pieces", meshes, records),
        _by_size(
            "render_pairs",
            "Stereo pairs/s on one core, ray-caster with shadows and textures, MuJoCo's OpenGL without",
            "stereo_pairs_per_second_and_core",
            records,
        ),
        _table("render_env_steps", "Env-steps/s with depth of 120x160; relative to the State id", rates, records),
        _table("render_parts", "Shares of the time of a step", parts, records),
    ]


def transport(records: Records) -> list[ResultTable]:
    """What each way of moving observations costs, and what two groups of environments win."""
    rates, times, overlaps, memory = [], [], [], []
    for name, record in records.items():
        metrics, batch = record["metrics"], record["metrics"]["batch"]
        network = metrics["overlap_with_network"]
        in_turns = {"one": network["one, all cores"], "two": network["two"], "ratio": network["ratio_to_all_cores"]}
        steps = metrics["depth_env_steps_per_second"]
        rates += [
            {"record": name, "way": way, "env-steps/s": rate, "ratio": rate / steps["in process"]}
            for way, rate in steps.items()
        ]
        times += [
            {"record": name, "way": way, "MiB": batch["mib"], "ms": ms, "ratio": ms / batch["milliseconds"]["memcpy"]}
            for way, ms in batch["milliseconds"].items()
        ]
        memory += [{"record": name, "end": end, "MiB": value} for end, value in metrics["memory"].items()]
        overlaps += [
            {"record": name, "policy": policy} | {f"{groups}, ms": 1e3 * found[groups] for groups in ("one", "two")}
            | {"ratio": found["ratio"]}
            for policy, found in (
                ("sleeps as long as a step", metrics["overlap_with_sleep"]),
                ("depth network", network),
                ("depth network; one group: in turns at all cores", in_turns),
            )
        ]  # fmt: skip
    return [
        _table("transport_env_steps", "Depth env-steps/s at 120x160; relative to this process", rates, records),
        _table("transport_batch", "Milliseconds for a batch of images; relative to one memcpy of it", times, records),
        _table("transport_overlap", "A step of all environments, in one group and in two", overlaps, records),
        _table("transport_memory", "Memory of both ends, MiB", memory, records),
    ]


def grasps(records: Records) -> list[ResultTable]:
    """Forces, penetration and speeds."""
    return [
        _table("grasps", "Forces, penetration and speeds in evaluated episodes", _picked(records, _GRASPS), records)
    ]


def robotfit(records: Records) -> list[ResultTable]:
    """Silhouettes and depth of the primitives."""
    rows = _picked(records, _ROBOT_FIT)
    return [_table("robotfit", "The robot's primitives against its real meshes", rows, records)]


def _by_size(name: str, title: str, metric: str, records: Records) -> ResultTable:
    """One row an image size, small ones first."""
    rows = [
        {"record": record, "height x width": size, **values}
        for record, measured in records.items()
        for size, values in sorted(measured["metrics"][metric].items(), key=lambda item: _pixels(item[0]))
    ]
    return _table(name, title, rows, records)


def _picked(records: Records, columns: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    rows = []
    for name, record in records.items():
        row: dict[str, Any] = {"record": name}
        for column, path in columns.items():
            value: Any = record["metrics"]
            for key in path:
                value = None if value is None else value[key]
            row[column] = value
        rows.append(row)
    return rows


def _row(name: str, record: Record, simulator: str, rate: float, ratio: float | None) -> dict[str, Any]:
    metrics = record["metrics"]
    return {
        "record": name,
        "simulator": simulator,
        "env-steps/s": rate,
        "ratio": ratio,
        "environments": metrics["num_envs"],
        "steps x rounds": f"{metrics['steps']} x {metrics['rounds']}",
        "in contact": metrics["contact_share"],
    }


def _table(name: str, title: str, rows: list[dict[str, Any]], records: Records) -> ResultTable:
    numbers = pd.DataFrame(rows, dtype=object)
    return ResultTable(name, title, numbers.map(words), numbers, [records[row["record"]]["command"] for row in rows])


def words(value: Any) -> str:
    """A figure as people read it."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return str(value)


def _pixels(size: str) -> int:
    height, width = size.split("x")
    return int(height) * int(width)
