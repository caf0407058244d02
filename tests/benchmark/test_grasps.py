from pathlib import Path

import baselines  # noqa: F401  sets OpenMP's waiting before torch is imported
from benchmark.grasps import grasps


def test_grasps_of_a_policy_that_holds_nothing_have_no_hold_figures(checkpoint: Path) -> None:
    metrics = grasps(checkpoint, episodes=2, seed=0)
    assert metrics["success_at_end"] == 0
    assert metrics["carried_share_of_weight"] is None and metrics["penetration_in_hold_mm"] is None
    assert metrics["object_speed_m_s"]["max"] >= 0.0
