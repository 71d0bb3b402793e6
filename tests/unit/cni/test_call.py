"""The environment of a call: what is needed, and what cannot be."""

import pytest

from netplane.cni.call import Call, parse_call
from netplane.cni.errors import CniError, Code

ADD = {"CNI_COMMAND": "ADD", "CNI_CONTAINERID": "c1", "CNI_NETNS": "/run/netns/x", "CNI_IFNAME": "eth0"}


def test_a_call() -> None:
    call = parse_call({**ADD, "CNI_ARGS": "IgnoreUnknown=1;IP=10.0.0.7;", "PATH": "/bin"})
    assert call == Call("ADD", "c1", "eth0", "/run/netns/x", {"IgnoreUnknown": "1", "IP": "10.0.0.7"})
    assert call.device_id == "c1:eth0"


@pytest.mark.parametrize("command", ["VERSION", "GC", "STATUS"])
def test_calls_about_no_container(command: str) -> None:
    assert parse_call({"CNI_COMMAND": command}) == Call(command, "", "", "", {})


def test_del_needs_no_namespace() -> None:
    assert parse_call({**ADD, "CNI_COMMAND": "DEL", "CNI_NETNS": ""}).sandbox == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"CNI_COMMAND": ""}, "CNI_COMMAND"),
        ({"CNI_COMMAND": "add"}, "CNI_COMMAND 'add'"),
        ({"CNI_CONTAINERID": ""}, "ADD needs CNI_CONTAINERID"),
        ({"CNI_NETNS": ""}, "ADD needs CNI_NETNS"),
        ({"CNI_IFNAME": "", "CNI_NETNS": ""}, "ADD needs CNI_NETNS, CNI_IFNAME"),
        ({"CNI_CONTAINERID": "../x"}, "CNI_CONTAINERID '../x'"),
        ({"CNI_CONTAINERID": "-x"}, "CNI_CONTAINERID"),
        ({"CNI_CONTAINERID": "x" * 201}, "CNI_CONTAINERID"),
        ({"CNI_IFNAME": "."}, "CNI_IFNAME '.'"),
        ({"CNI_IFNAME": "a/b"}, "CNI_IFNAME"),
        ({"CNI_IFNAME": "a:b"}, "CNI_IFNAME"),
        ({"CNI_IFNAME": "a b"}, "CNI_IFNAME"),
        ({"CNI_IFNAME": "a" * 16}, "CNI_IFNAME"),
        ({"CNI_ARGS": "IP"}, "CNI_ARGS 'IP'"),
        ({"CNI_ARGS": "=1"}, "CNI_ARGS"),
    ],
)
def test_bad_environments(change: dict[str, str], said: str) -> None:
    with pytest.raises(CniError, match=said) as caught:
        parse_call({**ADD, **change})
    assert caught.value.code is Code.INVALID_ENVIRONMENT
