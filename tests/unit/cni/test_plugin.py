"""The plugin's answers to calls that need neither controller nor kernel."""

import json
from typing import Any

import pytest

from netplane.cni.plugin import SUPPORTED, answer

CONFIG = {"cniVersion": "1.1.0", "name": "blue", "type": "netplane-cni", "network": "left"}
ADD = {"CNI_COMMAND": "ADD", "CNI_CONTAINERID": "c1", "CNI_NETNS": "/nowhere", "CNI_IFNAME": "eth0"}


def check(environment: dict[str, str], config: object, code: int, said: str) -> dict[str, Any]:
    """It ends with 1, and the error has all that the specification asks for."""
    stdin = config if isinstance(config, bytes) else json.dumps(config).encode()
    status, body = answer(environment, stdin)
    assert body is not None
    assert (status, body["code"], said in str(body["msg"])) == (1, code, True), body
    return body


def test_version() -> None:
    said = answer({"CNI_COMMAND": "VERSION"}, b'{"cniVersion": "1.0.0"}')
    assert said == (0, {"cniVersion": "1.0.0", "supportedVersions": SUPPORTED})


def test_errors_speak_the_version_of_the_configuration() -> None:
    assert (
        check(ADD, {**CONFIG, "cniVersion": "0.4.0", "x": 1}, 2, "x: there is no such field")["cniVersion"] == "0.4.0"
    )
    assert check({"CNI_COMMAND": "PLAY"}, CONFIG, 4, "CNI_COMMAND 'PLAY'")["cniVersion"] == "1.1.0"


@pytest.mark.parametrize("version", ["0.1.0", "0.2.0", "2.0.0", "x", ""])
def test_versions_that_it_does_not_speak(version: str) -> None:
    check(ADD, {**CONFIG, "cniVersion": version}, 1, repr(version))


def test_no_version_is_the_first_one() -> None:
    check(ADD, {name: value for name, value in CONFIG.items() if name != "cniVersion"}, 1, "'0.1.0'")
    check(ADD, {**CONFIG, "cniVersion": 1}, 7, "cniVersion")


@pytest.mark.parametrize(("command", "version"), [("CHECK", "0.3.1"), ("GC", "1.0.0"), ("STATUS", "0.4.0")])
def test_commands_that_a_version_has_not(command: str, version: str) -> None:
    check({**ADD, "CNI_COMMAND": command}, {**CONFIG, "cniVersion": version}, 1, f"{command} came with version")


def test_what_cannot_be_read() -> None:
    check(ADD, b"{", 6, "no JSON")
    check(ADD, {**CONFIG, "network": 1}, 7, "network")


def test_what_is_missing() -> None:
    check({**ADD, "CNI_COMMAND": "CHECK"}, CONFIG, 7, "prevResult")
    check({**ADD, "CNI_COMMAND": "CHECK"}, {**CONFIG, "prevResult": {}}, 7, "prevResult: it does not know eth0")
    check(
        {**ADD, "CNI_COMMAND": "CHECK"}, {**CONFIG, "prevResult": {"interfaces": 1}}, 7, "prevResult: it is no result"
    )
    check({"CNI_COMMAND": "GC"}, CONFIG, 7, "cni.dev/valid-attachments")


@pytest.mark.parametrize(("sandbox", "code"), [("/nowhere", 3), ("/proc/thread-self/ns/net", 4), ("/dev/null", 4)])
def test_sandboxes_that_are_none(sandbox: str, code: int) -> None:
    check({**ADD, "CNI_NETNS": sandbox}, CONFIG, code, sandbox)
