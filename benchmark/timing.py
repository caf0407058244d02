"""Taking the time."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from statistics import median
from time import perf_counter
from typing import Any

Run = Callable[[], Any]


def in_turns(runs: Mapping[str, Run], rounds: int) -> dict[str, float]:
    """Median seconds of each, after a first one that does not count."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds + 1):
        for name, run in runs.items():
            before = perf_counter()
            run()
            if number:
                seconds[name].append(perf_counter() - before)
    return {name: median(values) for name, values in seconds.items()}


def time_steps(env: Any, actions: Iterable[Any]) -> float:
    """Seconds for steps of an environment with these actions."""
    before = perf_counter()
    for action in actions:
        env.step(action)
    return perf_counter() - before
