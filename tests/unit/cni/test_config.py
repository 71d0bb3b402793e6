"""Network configurations: what is taken, what is refused and how, and where tokens come from."""

from pathlib import Path
from typing import Any

import pytest

from netplane.cni.config import Attached, Dns, Runtime, parse_body, parse_config, read_access
from netplane.cni.errors import CniError, Code

LEAST = {"cniVersion": "1.1.0", "name": "blue", "type": "netplane-cni", "network": "left"}
SECRET = "a-secret-of-somebody"


def check_refused(change: dict[str, Any], code: Code, said: str) -> None:
    """It is refused with this code and words, and no message repeats the secret."""
    with pytest.raises(CniError) as caught:
        parse_config({**LEAST, **change})
    assert (caught.value.code, said in str(caught.value)) == (code, True), str(caught.value)
    assert SECRET not in str(caught.value)


def test_the_least() -> None:
    config = parse_config({**LEAST, "host": "h1"})
    assert (config.network, config.subnet, config.security_groups, config.wait) == ("left", None, None, 30)
    assert config.mark == "netplane-cni blue on h1"


def test_all_of_it() -> None:
    config = parse_config(
        {
            **LEAST,
            "subnet": "left-a",
            "security_groups": ["web", "db"],
            "project": "p",
            "url": "http://192.0.2.1:9696",
            "token_file": "/etc/netplane/token",
            "wait": 5,
            "dns": {"nameservers": ["192.0.2.53"], "search": ["x.test"]},
            "capabilities": {"ips": True, "mac": True, "portMappings": True},
            "runtimeConfig": {"ips": ["10.0.0.7/24"], "mac": "02:00:00:00:00:01", "portMappings": []},
            "args": {"cni": {}},
            "ipam": {},
            "disableCheck": False,
            "prevResult": {"interfaces": []},
            "cni.dev/valid-attachments": [{"containerID": "c1", "ifname": "eth0"}],
            "cni.dev/attachments": [],
        }
    )
    assert config.runtime == Runtime(("10.0.0.7/24",), "02:00:00:00:00:01")
    assert config.valid == (Attached("c1", "eth0"),)
    assert config.dns == Dns(nameservers=("192.0.2.53",), search=("x.test",))


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"network": None}, Code.INVALID_CONFIGURATION, "`network`"),
        ({"network": ""}, Code.INVALID_CONFIGURATION, "`network`"),
        ({"network": 7}, Code.INVALID_CONFIGURATION, "`network`"),
        ({"name": "x" * 111}, Code.INVALID_CONFIGURATION, "`name`"),
        ({"wait": 0}, Code.INVALID_CONFIGURATION, "`wait`"),
        ({"security_groups": "web"}, Code.INVALID_CONFIGURATION, "`security_groups`"),
        ({"cni.dev/valid-attachments": [{"containerID": "c1"}]}, Code.INVALID_CONFIGURATION, "ifname"),
        ({"token": SECRET}, Code.INVALID_CONFIGURATION, "token_file"),
        ({"tokn": SECRET}, Code.UNSUPPORTED_FIELD, "tokn"),
        ({"ipam": {"type": "host-local"}}, Code.UNSUPPORTED_FIELD, 'ipam: {"type":"host-local"}'),
        ({"ipMasq": True}, Code.UNSUPPORTED_FIELD, "ipMasq: true"),
    ],
)
def test_what_is_refused(change: dict[str, Any], code: Code, said: str) -> None:
    check_refused(change, code, said)


def test_a_network_must_be_named() -> None:
    with pytest.raises(CniError, match="network"):
        parse_config({name: value for name, value in LEAST.items() if name != "network"})


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'"x"', b"\xff"])
def test_what_is_no_configuration(text: bytes) -> None:
    with pytest.raises(CniError) as caught:
        parse_body(text)
    assert caught.value.code is Code.UNDECODABLE


def test_where_the_token_comes_from(tmp_path: Path) -> None:
    """The configuration wins over the environment; what `netplane up` keeps is the last resort."""
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n")
    environment = {"NETPLANE_URL": "http://192.0.2.1:1", "NETPLANE_TOKEN": "other"}
    mine = parse_config({**LEAST, "token_file": str(file), "url": "http://192.0.2.2:2"})
    assert read_access(mine, environment) == ("http://192.0.2.2:2", SECRET)
    assert read_access(parse_config(LEAST), environment) == ("http://192.0.2.1:1", "other")


def test_the_token_of_netplane_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETPLANE_STATE", str(tmp_path))
    with pytest.raises(CniError, match="no token"):
        read_access(parse_config(LEAST), {})
    (tmp_path / "tokens.toml").write_text(f'[[token]]\nsecret = "{SECRET}"\nproject = "admin"\nroles = ["admin"]\n')
    assert read_access(parse_config(LEAST), {}) == ("http://127.0.0.1:9696", SECRET)


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", b"two\nlines", b"\xff\xfe"])
def test_files_without_a_token(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    for path in (file, tmp_path / "nothing", tmp_path):
        with pytest.raises(CniError, match="token_file") as caught:
            read_access(parse_config({**LEAST, "token_file": str(path)}), {})
        assert caught.value.code is Code.INVALID_CONFIGURATION
