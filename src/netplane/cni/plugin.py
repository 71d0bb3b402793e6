"""The plugin as a program: environment and stdin in, one JSON object out.

What a command needs is imported once the call is known to be well-formed.
"""

import os
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import json

from netplane.cni.call import Call, parse_call
from netplane.cni.config import Config, parse_body, parse_config, parse_version
from netplane.cni.errors import CniError, Code

SUPPORTED = ("0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")
SINCE = {"CHECK": "0.4.0", "GC": "1.1.0", "STATUS": "1.1.0"}
"""The version of the specification that a command came with."""

Command = Callable[[Call, Config, Mapping[str, str]], dict[str, object] | None]


def main() -> None:
    """`netplane-cni`; exits with 0, or with 1 after an error in the specification's form."""
    status, said = answer(os.environ, sys.stdin.buffer.read())
    if said is not None:
        sys.stdout.buffer.write(json.encode(said) + b"\n")
        sys.stdout.buffer.flush()
    sys.exit(status)


def answer(environment: Mapping[str, str], stdin: bytes) -> tuple[int, dict[str, object] | None]:
    """The exit status and what stdout says; None for nothing."""
    version = SUPPORTED[-1]
    try:
        call = parse_call(environment)
        body = parse_body(stdin)
        version = parse_version(body)
        return 0, _run(call, version, body, environment)
    except CniError as problem:
        return 1, problem.body(version)
    except OSError as problem:
        return 1, CniError(Code.INPUT_OUTPUT, f"{problem.strerror or problem}").body(version)
    except Exception as problem:
        # Whatever happens, a runtime gets an answer that it can read; what went wrong is for its log.
        traceback.print_exc()
        return 1, CniError(Code.INTERNAL, f"internal error: {type(problem).__name__}").body(version)


def _run(call: Call, version: str, body: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, object] | None:
    if call.command == "VERSION":
        return {"cniVersion": version, "supportedVersions": SUPPORTED}
    _refuse_version(call.command, version)
    config = parse_config(body)
    return _command(call.command)(call, config, environment)


def _refuse_version(command: str, version: str) -> None:
    if version not in SUPPORTED:
        text = f"cniVersion {version!r} is none of {', '.join(SUPPORTED)}"
        raise CniError(Code.INCOMPATIBLE_VERSION, text)
    since = SINCE.get(command, SUPPORTED[0])
    if SUPPORTED.index(version) < SUPPORTED.index(since):
        text = f"{command} came with version {since}; the network configuration speaks {version}"
        raise CniError(Code.INCOMPATIBLE_VERSION, text)


def _command(name: str) -> Command:
    from netplane.cni import commands

    found: dict[str, Command] = {
        "ADD": commands.add,
        "DEL": commands.delete,
        "CHECK": commands.check,
        "STATUS": commands.status,
        "GC": commands.collect,
    }
    return found[name]
