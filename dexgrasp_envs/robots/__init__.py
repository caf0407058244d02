"""Robots: figures, names, limits, shapes, synergies and batched kinematics."""
