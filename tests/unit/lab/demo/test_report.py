"""What the demo prints and says with its exit status."""

import pytest

from netplane.lab.demo.check import Check, all_of
from netplane.lab.demo.departure import difference
from netplane.lab.demo.report import Report, Tell

GOOD = Check("pings", True, "3/3 replies")
BAD = Check("TCP [v4]", False, "timed out", "nobody listens")


def report(*checks: Check, tell: Tell | None = None) -> Report:
    made = Report(tell)
    with made.item("1 Something"):
        for check in checks:
            made.add(check)
    return made


@pytest.mark.parametrize(
    ("checks", "status", "said"),
    [
        ((GOOD,), 0, "1 checks passed, 0 failed"),
        ((GOOD, BAD), 1, "1 checks passed, 1 failed"),
        ((), 1, "0 checks passed, 0 failed"),
    ],
    ids=["good", "bad", "nothing was checked"],
)
def test_status_and_last_line(
    checks: tuple[Check, ...], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(*checks).finish() == status
    assert capsys.readouterr().out.splitlines()[-1] == said


def test_lines_are_as_they_were_said(capsys: pytest.CaptureFixture[str]) -> None:
    report(GOOD, BAD)
    assert [line.strip() for line in capsys.readouterr().out.splitlines()] == [
        "1 Something",
        "ok     pings: 3/3 replies",
        "FAILED TCP [v4]: timed out",
        "nobody listens",
    ]


def test_the_result_is_all_that_programs_get(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[object] = []
    assert report(GOOD, BAD, tell=told.append).finish() == 1
    printed = capsys.readouterr()
    checks = [{"item": "1 Something", **GOOD._asdict()}, {"item": "1 Something", **BAD._asdict()}]
    assert told == [{"passed": 1, "failed": 1, "checks": checks}]
    assert printed.out == ""
    assert "FAILED" in printed.err


def test_one_check_out_of_several() -> None:
    assert all_of("x", [("blue", True, "1 ms"), ("green", True, "2 ms")]) == Check("x", True, "blue 1 ms; green 2 ms")
    assert all_of("x", [("blue", True, "1 ms"), ("green", False, "lost")]) == Check(
        "x", False, "blue 1 ms; green lost", "green: lost"
    )
    assert not all_of("x", []).ok


def test_what_differs_between_tables() -> None:
    before = {"h1": {"port": [], "host": ["1", "2"]}}
    after = {"h1": {"port": ["new"], "host": ["1"]}}
    assert difference(before, after) == "h1 port + new\nh1 host - 2"
    assert difference(before, before) == ""
