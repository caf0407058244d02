from pathlib import Path

import pytest

from dexgrasp_envs.cli.config_argument import read_config
from dexgrasp_envs.config import EnvConfig
from dexgrasp_envs.errors import ConfigError

CONFIG = EnvConfig().observing("depth")


def test_without_a_text_the_default_holds() -> None:
    assert read_config("", CONFIG) is CONFIG


def test_json_and_a_file_of_it_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(CONFIG.to_json())
    for text in (CONFIG.to_json(), str(tmp_path / "config.json")):
        assert read_config(text, EnvConfig()) == CONFIG


@pytest.mark.parametrize("text", ["absent.json", "{}"])
def test_what_is_no_configuration_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read|must hold exactly"):
        read_config(text, EnvConfig())
