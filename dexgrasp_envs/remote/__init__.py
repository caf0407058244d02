"""Serve and consume any Gymnasium vector environment over ZeroMQ."""
