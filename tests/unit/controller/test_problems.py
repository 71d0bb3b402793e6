"""What is wrong, host by host."""

from netplane.base.problem import Problem
from netplane.controller.problems import Problems

BROKEN, REFUSED = Problem("port", "p1", "is broken"), Problem("port", "p2", "is requested on h2")


def check(problems: Problems, *expected: tuple[str, Problem]) -> None:
    found = [
        (host, Problem(each["kind"], each["id"], each["text"]))
        for host in sorted(problems.hosts)
        for each in problems.of(host)
    ]
    assert found == list(expected)


def test_what_an_agent_says_replaces_what_it_said() -> None:
    problems = Problems()
    problems.say("h1", [BROKEN])
    problems.say("h2", [REFUSED])
    check(problems, ("h1", BROKEN), ("h2", REFUSED))
    problems.say("h1", [])
    check(problems, ("h2", REFUSED))


def test_a_refused_claim_is_a_problem_until_it_is_judged_again() -> None:
    problems = Problems()
    problems.judge("h1", ["p1", "p2"], {"p2": REFUSED})
    problems.say("h1", [BROKEN])
    check(problems, ("h1", BROKEN), ("h1", REFUSED))
    problems.judge("h1", ["p2"], {})
    check(problems, ("h1", BROKEN))


def test_a_new_session_begins_without_problems() -> None:
    problems = Problems()
    problems.say("h1", [BROKEN])
    problems.judge("h1", ["p2"], {"p2": REFUSED})
    problems.open("h1")
    check(problems)
