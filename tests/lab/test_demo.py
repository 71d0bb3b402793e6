"""The demo from end to end, as a user runs it."""

import json
import signal
import subprocess
import sys
from pathlib import Path

from netplane.lab.demo import ITEMS
from netplane.lab.wait import until
from tests.lab.leftovers import read_leftovers, unique

PREFIX = unique("tdemo")


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "netplane.cli", "demo", "--prefix", PREFIX, *words]


def test_every_check_passes_and_nothing_is_left() -> None:
    done = subprocess.run(command("--json"), capture_output=True, text=True, timeout=110)
    result = json.loads(done.stdout)
    assert [check for check in result["checks"] if not check["ok"]] == []
    assert done.returncode == 0
    assert result["failed"] == 0
    assert result["passed"] == len(result["checks"]) > 40
    assert {check["item"] for check in result["checks"]} >= set(ITEMS)
    assert read_leftovers(PREFIX) == []


def test_an_interrupted_demo_leaves_nothing(tmp_path: Path) -> None:
    output = tmp_path / "output"
    with open(output, "w") as file:
        popen = subprocess.Popen(command(), stdout=file, stderr=subprocess.STDOUT)
    with popen:
        until("the first item is under way", lambda: "1 Every machine" in output.read_text(), 60)
        popen.send_signal(signal.SIGINT)
        assert popen.wait(30) == 130
    assert read_leftovers(PREFIX) == []
    assert "Traceback" not in output.read_text()


def test_keep_stays_up_and_says_commands_that_work(tmp_path: Path) -> None:
    output = tmp_path / "output"
    with open(output, "w") as file:
        popen = subprocess.Popen(command("--keep"), stdout=file, stderr=subprocess.STDOUT)
    with popen:
        until("it says how to look around", lambda: "tail -f" in output.read_text(), 100)
        lines = output.read_text().split("as root:")[1].split("tail -f")[0].splitlines()
        chosen = [line.strip() for line in lines if "tcpdump" not in line and "bpftool" not in line]
        script = "set -e\n" + "\n".join(line + (" -c 1" if "ping" in line else "") for line in chosen)
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        popen.send_signal(signal.SIGTERM)
        assert popen.wait(60) == 0
    assert read_leftovers(PREFIX) == []
