from pathlib import Path

import numpy as np
import pytest

from dexgrasp_envs.errors import ConfigError
from dexgrasp_envs.viewing.policies import SmoothRandom, from_factory, require_inputs
from tests.baselines.fake_env import FakeVectorEnv

STARTS = np.zeros(4, bool)
MODULE = """
import numpy as np

def make(env):
    return lambda obs, starts: np.full((env.num_envs, 2), 0.5)

def wants_depth(env):
    policy = make(env)
    policy.groups = ["proprio", "depth"]
    return policy

def nothing(env):
    return None

number = 3
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "some_policies.py").write_text(MODULE)
    (tmp_path / "broken_policies.py").write_text("import no_such_package")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "some_policies", raising=False)


def test_random_actions_stay_in_bounds_and_change_slowly() -> None:
    act = SmoothRandom(4, 11, seed=0)
    actions = np.stack([act({}, STARTS) for _ in range(500)])
    assert actions.shape == (500, 4, 11) and actions.dtype == np.float32 and np.abs(actions).max() <= 1
    assert actions.std() > 0.4 and np.diff(actions, axis=0).std() < 0.5 * actions.std()


def test_random_actions_repeat_with_their_seed() -> None:
    first, same, other = (SmoothRandom(2, 11, seed)({}, STARTS) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()


def test_a_factory_of_the_current_folder_makes_the_policy_of_an_environment() -> None:
    assert from_factory("some_policies:make", FakeVectorEnv(3))({}, STARTS).tolist() == [[0.5, 0.5]] * 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("some_policies", "FILE.onnx or module:factory"),
        ("absent_policies:make", "'absent_policies' cannot be imported"),
        ("broken_policies:make", "no_such_package"),
        ("some_policies:absent", "has no function 'absent'; it has make, nothing, wants_depth"),
        ("some_policies:number", "has no function 'number'"),
        ("some_policies:nothing", "returned NoneType"),
        (
            "some_policies:wants_depth",
            "reads the group 'depth', which this environment does not deliver; it has privileged",
        ),
    ],
)
def test_what_is_wrong_with_a_factory_is_said(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        from_factory(text, FakeVectorEnv(1))


def test_another_shape_or_dtype_of_a_group_is_refused() -> None:
    env = FakeVectorEnv(1)
    require_inputs("it", {"proprio": ((4,), "float32")}, env)
    for wanted in (((5,), "float32"), ((4,), "uint16")):
        with pytest.raises(ConfigError, match=r"here it is float32 \(4,\)"):
            require_inputs("it", {"proprio": wanted}, env)
