import gymnasium
import pytest

from dexgrasp_envs.cli import main
from dexgrasp_envs.registration import ID_GROUPS, IDS


def test_every_id_of_the_package_is_listed_with_its_groups(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    printed = capsys.readouterr().out
    for env_id in IDS:
        row = next(line for line in printed.splitlines() if env_id in line)
        assert ", ".join(("proprio", *ID_GROUPS[env_id])) in row


def test_what_gymnasium_knows_of_us_is_what_is_listed() -> None:
    assert {env_id for env_id, spec in gymnasium.registry.items() if spec.namespace == "DexGrasp"} == set(IDS)


@pytest.mark.parametrize("env_id", IDS)
def test_the_list_is_true(env_id: str) -> None:
    env = gymnasium.make(env_id)
    assert isinstance(env.observation_space, gymnasium.spaces.Dict)
    assert set(env.observation_space) == {"proprio", *ID_GROUPS[env_id]}
    assert env.action_space.shape == (11,)
    env.close()
