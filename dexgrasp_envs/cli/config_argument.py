"""A configuration on the command line."""

from pathlib import Path

from ..config import EnvConfig
from ..errors import ConfigError


def read_config(text: str, default: EnvConfig) -> EnvConfig:
    """A configuration as JSON, or from the path of a JSON file; `default` for an empty text.

    Raises:
        ConfigError: The file is unreadable, or what it holds is no configuration.
    """
    if not text:
        return default
    try:
        return EnvConfig.from_json(text if text.lstrip().startswith("{") else Path(text).read_text())
    except OSError as error:
        raise ConfigError(f"the configuration cannot be read: {error}") from None
