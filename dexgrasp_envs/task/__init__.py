"""Reward, success, resets and observation groups: batched tensor functions, free of any engine."""
