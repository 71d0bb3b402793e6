"""The first administrator."""

from pathlib import Path

from netplane.api.identity.login.passwords import is_password
from netplane.controller.first import ensure_administrator
from netplane.model import User
from netplane.store import Store


def test_an_empty_store_gets_an_administrator_once(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/netplane.db")
    ensure_administrator(store, tmp_path, "http://127.0.0.1:9696")
    files = {path.name: path for path in tmp_path.iterdir() if not path.name.startswith("netplane.db")}
    assert set(files) == {"clouds.yaml", "openrc"}
    assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o600}
    password = next(
        line.partition("=")[2]
        for line in files["openrc"].read_text().splitlines()
        if line.startswith("export OS_PASSWORD=")
    )
    assert f"password: {password}\n" in files["clouds.yaml"].read_text()
    with store.read() as reader:
        (user,) = reader.list(User)
    assert is_password(password, user.password)
    before = files["openrc"].read_text()
    ensure_administrator(store, tmp_path, "http://127.0.0.1:9696")
    assert files["openrc"].read_text() == before
    store.close()
