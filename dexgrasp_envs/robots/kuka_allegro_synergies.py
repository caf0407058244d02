"""Hand synergies from grasps of a trained policy, written by `python -m baselines.synergies`.

From 96 successful episodes of results/checkpoints/state.pt (seed 2000): the hand's joints at their end, less the
nominal posture; principal directions, not centred, 1.5 times the 95th percentile of what the grasps need.
Derived from one half, five rows explain 97.2% of the held-out half, the hand-made ones 94.4%.
"""

# fmt: off
PCA_SYNERGIES = (
    (0.26, 0.73, 1.32, 1.20, -0.02, 0.55, 0.83, 1.06, -0.17, 0.74, 1.35, 1.23, 0.40, 0.73, 1.17, 1.47),
    (-0.21, 1.05, -0.48, -0.56, -0.03, 1.16, -0.10, -0.49, 0.06, 0.98, -0.56, -0.60, -0.13, 0.16, 0.71, 0.29),
    (0.21, 0.06, -0.03, 0.01, -0.05, 0.16, 0.27, 0.09, -0.20, 0.30, 0.01, 0.00, -0.10, -0.02, -0.61, 0.02),
    (-0.11, 0.12, -0.11, -0.02, -0.08, 0.13, 0.48, 0.11, 0.26, -0.20, 0.03, 0.03, -0.00, -0.43, 0.08, -0.10),
    (0.27, -0.20, -0.19, -0.07, 0.24, 0.05, 0.20, 0.06, -0.23, -0.01, -0.07, -0.04, 0.26, 0.03, 0.19, -0.05),
)
# fmt: on
"""One row each, joints in canonical order, rad."""
