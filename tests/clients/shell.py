"""The `openstack` command, many commands to a process: it takes two seconds to start, and a tenth of one for a command.

`python shell.py` is the process: it logs in by the variables of its environment, then runs commands in the way of the
command's own interactive mode. Each line that it reads is a command's words in JSON; each that it writes is what came
of it.
"""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any, NamedTuple

from tests.clients.server import Place


class Said(NamedTuple):
    """What came of a command."""

    code: int
    out: str
    err: str


class Shell:
    """A process that is logged in."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def try_(self, command: str) -> Said:
        """Run a command, whatever comes of it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(shlex.split(command)) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the client died of: {command}"
        return Said(*json.loads(line))

    def run(self, *commands: str) -> None:
        """Run commands that must go well, and warn of nothing."""
        for command in commands:
            said = self.try_(command)
            assert (said.code, said.err) == (0, ""), (command, said)

    def get(self, command: str) -> Any:
        """What a command answers that must go well."""
        said = self.try_(f"{command} -f json")
        assert (said.code, said.err) == (0, ""), (command, said)
        return json.loads(said.out)

    def refused(self, command: str) -> str:
        """What a command complains of that must not go well."""
        said = self.try_(command)
        assert said.code != 0, (command, said)
        return said.err


@contextmanager
def shell(place: Place, cloud: str) -> Iterator[Shell]:
    """A process logged in as a cloud of clouds.yaml, until it is no longer needed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.clients.shell"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=place.environment(cloud),
    )
    with process:
        try:
            yield Shell(process)
        finally:
            process.terminate()


def _main() -> None:
    from openstackclient.shell import OpenStackShell

    answers, said = sys.stdout, (StringIO(), StringIO())
    sys.stdout, sys.stderr = said  # for as long as the shell lives: it keeps them
    command = OpenStackShell()
    assert command.run(["token", "issue"]) == 0, said[1].getvalue()
    for line in sys.stdin:
        for stream in said:
            stream.seek(0)
            stream.truncate()
        try:
            code = command.run_subcommand(json.loads(line))
        except SystemExit as error:  # of its parser of arguments
            code = error.code if isinstance(error.code, int) else 1
        print(json.dumps([code, *(stream.getvalue() for stream in said)]), file=answers, flush=True)


if __name__ == "__main__":
    _main()
