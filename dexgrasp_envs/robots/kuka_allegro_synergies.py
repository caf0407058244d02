"""Hand synergies from grasps of a trained policy, written by `python -m baselines.synergies`.

From 96 successful episodes of results/checkpoints/state.pt (seed 2000): the hand's joints at their end, less the
nominal posture; principal directions, not centred, 1.5 times the 95th percentile of what the grasps need.
Derived from one half, five rows explain 97.2% of the held-out half, the hand-made ones 94.4%.
"""

# fmt: off
PCA_SYNERGIES = (
    (0.259, 0.734, 1.323, 1.202, -0.018, 0.550, 0.835, 1.056, -0.166, 0.739, 1.350, 1.229, 0.395, 0.729, 1.172, 1.465),
    (-0.215, 1.053, -0.484, -0.558, -0.030, 1.161, -0.104, -0.489, 0.058, 0.982, -0.560, -0.600, -0.129, 0.164, 0.714, 0.293),
    (0.207, 0.058, -0.025, 0.006, -0.046, 0.160, 0.274, 0.086, -0.195, 0.302, 0.005, 0.003, -0.103, -0.020, -0.615, 0.021),
    (-0.113, 0.125, -0.109, -0.021, -0.077, 0.126, 0.480, 0.110, 0.261, -0.202, 0.033, 0.030, -0.001, -0.431, 0.076, -0.098),
    (0.270, -0.203, -0.188, -0.074, 0.243, 0.050, 0.201, 0.062, -0.232, -0.007, -0.072, -0.043, 0.263, 0.031, 0.194, -0.051),
)
# fmt: on
"""One row each, joints in canonical order, rad."""
