"""The checks pass for what this package serves, and each fails for a server that breaks its promise."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from dexgrasp_envs.registration import DEPTH_ID, STATE_ID
from dexgrasp_envs.remote.conformance import Outcome, Status, check
from dexgrasp_envs.remote.conformance.suite import CHECKS
from tests.remote.conftest import Serve
from tests.remote.envs import StatefulEnv, cartpole, image_env, text_env

MODES = pytest.mark.parametrize("mode", list(AutoresetMode), ids=lambda mode: mode.name)


def outcomes(serve: Serve, env: Any, **options: Any) -> dict[str, Outcome]:
    server = serve(env, **options)
    return {outcome.name: outcome for outcome in check(server.endpoint, deadline=20.0).outcomes}


def failures(serve: Serve, env: Any) -> dict[str, str]:
    return {name: one.reason for name, one in outcomes(serve, env).items() if one.status is Status.FAILED}


@MODES
def test_cartpole_conforms(serve: Serve, mode: AutoresetMode) -> None:
    assert failures(serve, cartpole(3, mode)) == {}


def test_a_dict_of_images_conforms(serve: Serve) -> None:
    assert failures(serve, image_env(2)) == {}


@pytest.mark.slow
@pytest.mark.parametrize("env_id", [STATE_ID, DEPTH_ID])
def test_our_environments_conform(serve: Serve, env_id: str) -> None:
    env = gymnasium.make_vec(env_id, 2, threads=1, image_size=(24, 32)).unwrapped
    # As `dexgrasp serve` does before it says READY: the first step compiles, for longer than a check may last.
    env.reset(seed=0)
    env.step(env.action_space.sample())
    report = check(serve(env).endpoint, deadline=120.0)
    assert report.count(Status.PASSED) == len(CHECKS), str(report)


@MODES
def test_texts_in_tuples_conform(serve: Serve, mode: AutoresetMode) -> None:
    assert failures(serve, text_env(2, mode)) == {}


def test_states_are_checked_where_they_are_offered(serve: Serve) -> None:
    found = outcomes(serve, StatefulEnv())
    assert found["goes_on_from_a_saved_state"].status is Status.PASSED
    found = outcomes(serve, cartpole())
    assert found["goes_on_from_a_saved_state"].status is Status.SKIPPED


def test_each_check_is_named_after_its_promise() -> None:
    assert all(run.__doc__ for run in CHECKS)
    assert len({run.__name__ for run in CHECKS}) == len(CHECKS)


def test_another_id_than_asked_for_fails(serve: Serve) -> None:
    server = serve(cartpole(), {"env_id": "CartPole-v1"})
    assert check(server.endpoint, "CartPole-v1", deadline=20.0).ok
    report = check(server.endpoint, "Other-v0", deadline=20.0)
    assert not report.ok and "it serves 'CartPole-v1', expected 'Other-v0'" in str(report)
    assert report.count(Status.SKIPPED) == len(CHECKS) - 1


def test_no_server_is_one_failure_in_time() -> None:
    report = check("tcp://127.0.0.1:9", deadline=0.2)
    assert report.count(Status.FAILED) == 1 and "does not answer within the deadline" in str(report)


class Wrong(SyncVectorEnv):
    """CartPole, to be spoilt."""

    def __init__(self, mode: AutoresetMode = AutoresetMode.SAME_STEP):
        super().__init__([lambda: gymnasium.make("CartPole-v1")] * 2, autoreset_mode=mode)


class Unseeded(Wrong):
    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        return super().reset(seed=None, options=options)


class AlwaysOneSeed(Wrong):
    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        return super().reset(seed=1, options=options)


class OutOfBounds(Wrong):
    def step(self, actions: Any) -> Any:
        obs, *rest = super().step(actions)
        return obs + 1e6, *rest


class OtherDtype(Wrong):
    def step(self, actions: Any) -> Any:
        obs, *rest = super().step(actions)
        return obs.astype(np.float64), *rest


class NoFinalObs(Wrong):
    def step(self, actions: Any) -> Any:
        *rest, infos = super().step(actions)
        infos.pop("final_obs", None)
        return *rest, infos


class ResetsAtOnce(Wrong):
    """Declares next-step autoreset, and resets in the same step."""

    def __init__(self) -> None:
        super().__init__()
        self.metadata = {**self.metadata, "autoreset_mode": AutoresetMode.NEXT_STEP}


class NoMask(Wrong):
    def __init__(self) -> None:
        super().__init__(AutoresetMode.DISABLED)

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        return super().reset(seed=seed)


class ForgetfulState(StatefulEnv):
    def set_state(self, state: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("kind", "check", "reason"),
    [
        (Unseeded, "gives_the_same_bits_for_the_same_seed", "gave other bits"),
        (AlwaysOneSeed, "gives_other_bits_for_another_seed", "gave the same bits"),
        (OutOfBounds, "observes_what_its_spaces_say", "step 1 is not in"),
        (OtherDtype, "observes_what_its_spaces_say", "obs must be an array of float32"),
        (NoFinalObs, "resets_ended_rows_as_declared", "final_obs is of None"),
        (ResetsAtOnce, "resets_ended_rows_as_declared", "same-step autoreset"),
        (NoMask, "resets_ended_rows_as_declared", "was reset"),
        (ForgetfulState, "goes_on_from_a_saved_state", "other bits"),
        (ForgetfulState, "refuses_a_state_that_does_not_fit", "REPLY, expected an ERROR"),
    ],
)
def test_a_broken_promise_fails_its_check(serve: Serve, kind: type[Wrong], check: str, reason: str) -> None:
    assert reason in failures(serve, kind())[check]
