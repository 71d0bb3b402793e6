"""The demo from end to end, as a user runs it."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from netplane.lab.demo import ITEMS, LAST
from netplane.lab.wait import NotReached, until
from tests.lab.leftovers import read_leftovers, unique

PREFIX = unique("tdemo")


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "netplane.cli", "demo", "--prefix", PREFIX, *words]


def test_every_check_passes_and_the_commands_that_it_names_work(tmp_path: Path) -> None:
    """With `--keep`, so that there is something to try them on."""
    output, progress = tmp_path / "output", tmp_path / "progress"
    with open(output, "w") as out, open(progress, "w") as err:
        popen = subprocess.Popen(command("-o", "json", "--keep"), stdout=out, stderr=err)
    with popen:
        until("it says how to look around", lambda: "tail -f" in progress.read_text(), 100)
        try_commands(progress.read_text())
        popen.send_signal(signal.SIGTERM)
        status = popen.wait(60)
    result = json.loads(output.read_text())
    assert [check for check in result["checks"] if not check["ok"]] == []
    assert (status, result["failed"]) == (0, 0)
    assert result["passed"] == len(result["checks"]) > 40
    assert {check["item"] for check in result["checks"]} == {*ITEMS, LAST}
    assert read_leftovers(PREFIX) == []


def try_commands(text: str) -> None:
    """Run what the demo says, except what never ends or is not installed everywhere."""
    lines = text.split("as root:")[1].split("tail -f", maxsplit=1)[0].splitlines()
    chosen = [line.strip() for line in lines if "tcpdump" not in line and "bpftool" not in line]
    script = "set -e\n" + "\n".join(line + (" -c 1" if " ping " in line else "") for line in chosen)
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "answered" in done.stdout or "DELIVER" in done.stdout or "TUNNEL" in done.stdout


@pytest.mark.parametrize(("number", "times", "status"), [(signal.SIGINT, 3, 130), (signal.SIGKILL, 1, -signal.SIGKILL)])
def test_an_interrupted_demo_leaves_nothing(number: signal.Signals, times: int, status: int, tmp_path: Path) -> None:
    """Ctrl-C, impatiently and to all processes of the terminal's group; or death without notice."""
    output = tmp_path / "output"
    with open(output, "w") as file:
        popen = subprocess.Popen(command(), stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
    with popen:
        until("the first item is under way", lambda: "1 Every machine" in output.read_text(), 60)
        for _ in range(times):
            os.killpg(popen.pid, number)
        assert popen.wait(30) == status
    if number is signal.SIGKILL:  # the guardian does it then, on its own
        with suppress(NotReached):
            until("everything is gone", lambda: not read_leftovers(PREFIX), 60, 0.1)
    assert read_leftovers(PREFIX) == []
    assert "Traceback" not in output.read_text()
