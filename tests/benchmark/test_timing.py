import pytest

from benchmark import timing


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that only what is timed moves."""
    now = [0.0]
    monkeypatch.setattr(timing, "perf_counter", lambda: now[0])
    return now


def test_competitors_take_turns_and_the_first_round_does_not_count(clock: list[float]) -> None:
    order: list[str] = []
    took = {"slow": iter([100.0, 3.0, 9.0, 5.0]), "fast": iter([100.0, 1.0, 1.0, 2.0])}

    def run(name: str) -> None:
        order.append(name)
        clock[0] += next(took[name])

    seconds = timing.in_turns({name: lambda name=name: run(name) for name in took}, rounds=3)
    assert seconds == {"slow": 5.0, "fast": 1.0} and order == ["slow", "fast"] * 4


def test_the_time_of_steps_is_that_of_all_actions(clock: list[float]) -> None:
    class Env:
        def step(self, action: float) -> None:
            clock[0] += action

    assert timing.time_steps(Env(), [0.5, 1.5]) == 2.0
