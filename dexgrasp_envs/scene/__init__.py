"""Neutral descriptions of a scene, independent of any engine: bodies, joints, shapes, cameras."""
