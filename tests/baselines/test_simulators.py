import pytest

from baselines.simulators import make_envs
from dexgrasp_envs.errors import ConfigError
from tests.baselines.fake_env import FAKE_CONFIG, FAKE_ID


def test_servers_are_asked_with_keys(tmp_path):
    envs = make_envs(FAKE_ID, 4, FAKE_CONFIG, "tcp://there:5555", tmp_path).unwrapped
    assert (envs.num_envs, envs.config, envs.remote, envs.keys) == (4, FAKE_CONFIG, "tcp://there:5555", tmp_path)


def test_servers_may_have_no_keys():
    envs = make_envs(FAKE_ID, 4, FAKE_CONFIG, "tcp://there:5555", None).unwrapped
    assert (envs.remote, envs.keys) == ("tcp://there:5555", None)


def test_keys_without_servers_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="--sim"):
        make_envs(FAKE_ID, 4, FAKE_CONFIG, None, tmp_path)


def test_servers_are_asked_for_groups_and_told_what_a_loss_means():
    envs = make_envs(FAKE_ID, 4, FAKE_CONFIG, "spawn:2", None, 2, "mask").unwrapped
    assert (envs.env_groups, envs.on_server_loss) == (2, "mask")


@pytest.mark.parametrize("options", [{"env_groups": 2}, {"on_server_loss": "wait"}])
def test_what_only_servers_can_do_is_refused_without_them(options):
    with pytest.raises(ConfigError, match="--sim"):
        make_envs(FAKE_ID, 4, FAKE_CONFIG, None, None, **options)
