import stat
from pathlib import Path

import pytest
import zmq

from dexgrasp_envs.errors import ConfigError
from dexgrasp_envs.remote.keys import ClientKeys, ServerKeys, write_keys


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_keys(tmp_path / "keys")
    return tmp_path / "keys"


def test_keys_and_their_folder_are_closed_to_others(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    names = ("server.secret", "server.public", "client.secret", "client.public")
    assert files == dict.fromkeys(names, 0o600)


def test_the_keys_of_both_ends_belong_together(folder: Path) -> None:
    server, client = ServerKeys.load(folder), ClientKeys.load(folder)
    assert zmq.curve_public(server.secret) == client.server
    assert server.clients == {zmq.curve_public(client.secret)}


def test_each_end_needs_its_own_files_only(folder: Path) -> None:
    both = ServerKeys.load(folder), ClientKeys.load(folder)
    (folder / "client.secret").rename(folder / "elsewhere")
    assert ServerKeys.load(folder) == both[0]
    (folder / "elsewhere").rename(folder / "client.secret")
    (folder / "server.secret").unlink()
    assert ClientKeys.load(folder) == both[1]


def test_several_clients_can_be_listed(folder: Path) -> None:
    other = zmq.curve_keypair()[0]
    (folder / "client-two.public").write_bytes(other)
    assert other in ServerKeys.load(folder).clients and len(ServerKeys.load(folder).clients) == 2


def test_keys_are_not_overwritten(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ConfigError, match="folder without keys"):
        write_keys(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_what_was_written_is_taken_back_if_the_rest_cannot_be(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "client.secret").write_text("mine")
    with pytest.raises(ConfigError, match=r"client\.secret"):
        write_keys(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["client.secret"]


def test_a_folder_open_to_others_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(ConfigError, match="chmod 700"):
        write_keys(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("keys", "name"), [(ServerKeys, "server.secret"), (ClientKeys, "client.secret")])
def test_a_secret_that_others_can_read_is_refused(folder: Path, keys: type, name: str) -> None:
    (folder / name).chmod(0o640)
    with pytest.raises(ConfigError, match=f"chmod 600 .*{name}"):
        keys.load(folder)


@pytest.mark.parametrize(("keys", "name"), [(ServerKeys, "client.public"), (ClientKeys, "server.public")])
def test_a_missing_key_is_named(folder: Path, keys: type, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ConfigError, match=r"(client\*|server)\.public.*dexgrasp keys"):
        keys.load(folder)


@pytest.mark.parametrize("content", [b"", b"TopSecret", b"\xff" * 40, b"x" * 41])
def test_what_is_no_key_is_refused_and_not_shown(folder: Path, content: bytes) -> None:
    (folder / "client.secret").write_bytes(content)
    with pytest.raises(ConfigError, match="holds no key") as raised:
        ClientKeys.load(folder)
    assert "TopSecret" not in str(raised.value)


def test_secrets_are_not_shown(folder: Path) -> None:
    for keys in (ServerKeys.load(folder), ClientKeys.load(folder)):
        assert keys.secret.decode() not in repr(keys)
