"""The budgets of the design against what was measured."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from baselines.record import Record
from baselines.result_table import ResultTable

_BUDGETS: tuple[tuple[str, str, tuple[str, ...], float, bool], ...] = (
    ("state env-steps/s, of the fastest bare MuJoCo", "throughput", ("ratio_to_fastest_bare",), 0.85, True),
    ("depth 120x160 env-steps/s, of State", "render", ("depth_to_state",), 0.7, True),
    ("depth 120x160 env-steps/s, of AsyncVectorEnv + mujoco.Renderer", "render", ("depth_to_peer",), 5.0, True),
    (
        "noise and randomisation, share of a depth 120x160 env-step",
        "render",
        ("noise_and_randomisation_share_of_depth_step",),
        0.15,
        False,
    ),
    (
        "depth 120x160 frames/s on one core, of MuJoCo's OpenGL",
        "render",
        ("frames_per_second_and_core", "120x160", "ratio"),
        8.0,
        True,
    ),
    (
        "stereo pairs 120x160/s on one core, of MuJoCo's OpenGL",
        "render",
        ("stereo_pairs_per_second_and_core", "120x160", "ratio"),
        4.0,
        True,
    ),
    ("depth env-steps/s over shared memory, of in process", "transport", ("shared_memory_to_in_process",), 0.95, True),
    ("depth env-steps/s over tcp, of in process", "transport", ("tcp_to_in_process",), 0.8, True),
    (
        "batch drawn into shared memory, copied out: memcpys added",
        "transport",
        ("batch", "drawn_into_shared_memory_adds_memcpys"),
        1.3,
        False,
    ),
    (
        "batch drawn into shared memory, seen there: memcpys added",
        "transport",
        ("batch", "drawn_into_shared_memory_views_adds_memcpys"),
        1.3,
        False,
    ),
    (
        "batch copied into shared memory, copied out: memcpys in all",
        "transport",
        ("batch", "shared_memory_to_memcpy"),
        1.3,
        False,
    ),
    (
        "batch copied into shared memory, seen there: memcpys in all",
        "transport",
        ("batch", "shared_memory_views_to_memcpy"),
        1.3,
        False,
    ),
    ("batch over tcp, of the best of bare pyzmq", "transport", ("batch", "tcp_to_best_pyzmq"), 1.5, False),
    ("two groups, policy sleeps as long as a step", "transport", ("overlap_with_sleep", "ratio"), 1.6, True),
    (
        "two groups, depth network, of one with the same cores",
        "transport",
        ("overlap_with_network", "ratio"),
        1.3,
        True,
    ),
    (
        "two groups, depth network, of one on all cores in turn",
        "transport",
        ("overlap_with_network", "ratio_to_all_cores"),
        1.3,
        True,
    ),
    ("deepest penetration of an object, mm", "grasps", ("penetration_mm", "max"), 6.0, False),
    ("silhouette IoU of the primitives", "robotfit", ("silhouette_iou_mean",), 0.85, True),
    ("depth error of the primitives, mm", "robotfit", ("depth_error_mm_median",), 10.0, False),
)
"""(what, kind of record, where in its metrics, target, whether more is better)."""


def headlines(records: Mapping[str, Record]) -> ResultTable | None:
    """One row a target and record that measured it; None without any."""
    rows: list[dict[str, Any]] = []
    commands = []
    for what, kind, path, target, more in _BUDGETS:
        for name, record in records.items():
            value: Any = record["metrics"] if record["kind"] == kind else None
            for key in path:
                value = value.get(key) if isinstance(value, dict) else None
            if value is not None:
                met = value >= target if more else value <= target
                rows.append({"figure": what, "measured": value, "target": target, "met": met, "record": name})
                rows[-1]["at"] = "least" if more else "most"
                commands.append(record["command"])
    if not rows:
        return None
    numbers = pd.DataFrame(rows, dtype=object)
    shown = pd.DataFrame(
        {
            "figure": row["figure"],
            "measured": f"{row['measured']:.3g}",
            "target": f"at {row['at']} {row['target']:g}",
            "met": "yes" if row["met"] else "**no**",
            "record": row["record"],
        }
        for row in rows
    )
    return ResultTable("targets", "Speed and fidelity against their targets", shown, numbers, commands)
