"""Benchmark suites: each writes one JSON record of measured figures, ratios taken within one run."""
