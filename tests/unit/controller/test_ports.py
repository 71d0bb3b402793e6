"""When a port is ACTIVE. Each story is told step by step, with what is new after each."""

from collections.abc import Callable

from netplane.controller.ports import ACTIVE, DOWN, Place, PortStates

Step = tuple[Callable[[PortStates], None], dict[str, str]]


def check(*steps: Step, said: dict[str, str] | None = None) -> PortStates:
    states = PortStates(said or {})
    for number, (step, news) in enumerate(steps):
        step(states)
        assert states.news() == news, f"after step {number}"
    return states


def opens(host: str) -> Callable[[PortStates], None]:
    return lambda states: states.open(host)


def binds(host: str, revision: int, port: str = "p") -> Callable[[PortStates], None]:
    return lambda states: states.bind(port, Place(host, revision))


def claims(host: str, *ports: str) -> Callable[[PortStates], None]:
    return lambda states: states.claim(host, ports or ("p",))


def acknowledges(host: str, revision: int) -> Callable[[PortStates], None]:
    return lambda states: states.acknowledge(host, revision)


def test_what_a_controller_finds_bound_is_as_what_it_binds() -> None:
    check(
        (lambda states: states.fill(Place("h", 5), ("p", "q")), {}),
        (opens("h"), {}),
        (claims("h"), {}),
        (acknowledges("h", 5), {"p": ACTIVE}),
        (binds("other", 6), {"p": DOWN}),
    )


def test_a_port_is_active_once_claimed_and_acknowledged() -> None:
    check(
        (opens("h"), {}),
        (acknowledges("h", 1), {}),
        (binds("h", 5), {}),
        (claims("h"), {}),
        (acknowledges("h", 4), {}),
        (acknowledges("h", 5), {"p": ACTIVE}),
        (acknowledges("h", 6), {}),
        (lambda states: states.release("h", ["p"]), {"p": DOWN}),
        (claims("h"), {"p": ACTIVE}),
        (lambda states: states.bind("p", None), {"p": DOWN}),
    )


def test_a_port_that_is_free_for_a_moment_is_told_of_again() -> None:
    """The store drops what is said of a port when it is unbound, so it does not matter that it was ACTIVE before."""

    def rebinds(states: PortStates) -> None:
        states.bind("p", None)
        states.bind("p", Place("h", 7))
        states.acknowledge("h", 7)

    check(
        (opens("h"), {}),
        (binds("h", 5), {}),
        (claims("h"), {}),
        (acknowledges("h", 5), {"p": ACTIVE}),
        (rebinds, {"p": ACTIVE}),
    )


def test_a_port_that_is_down_is_no_news_when_it_is_unbound() -> None:
    check((opens("h"), {}), (binds("h", 5), {}), (acknowledges("h", 5), {}), (lambda s: s.bind("p", None), {}))


def test_the_claim_of_another_host_does_not_count() -> None:
    check((opens("h"), {}), (binds("h", 5), {}), (claims("other"), {}), (acknowledges("h", 5), {}))


def test_a_port_that_moves_is_down_until_it_has_arrived() -> None:
    check(
        (opens("a"), {}),
        (opens("b"), {}),
        (acknowledges("b", 1), {}),
        (binds("a", 5), {}),
        (claims("a"), {}),
        (acknowledges("a", 5), {"p": ACTIVE}),
        (binds("b", 8), {"p": DOWN}),
        (claims("b"), {}),
        (acknowledges("b", 8), {"p": ACTIVE}),
    )


def test_a_host_that_comes_back_changes_nothing_that_still_holds() -> None:
    check(
        (binds("h", 5), {}),
        (opens("h"), {}),
        (claims("h"), {}),
        (acknowledges("h", 5), {}),
        said={"p": ACTIVE},
    )


def test_a_device_that_went_while_the_host_was_away_is_down() -> None:
    check(
        (binds("h", 5), {}),
        (opens("h"), {}),
        (acknowledges("h", 5), {"p": DOWN}),
        said={"p": ACTIVE},
    )


def test_two_changes_of_mind_are_no_news() -> None:
    states = check((opens("h"), {}), (binds("h", 5), {}), (claims("h"), {}), (acknowledges("h", 5), {"p": ACTIVE}))
    states.release("h", ["p"])
    states.claim("h", ["p"])
    assert states.news() == {}


def test_a_port_that_is_no_more_is_forgotten() -> None:
    states = check((opens("h"), {}), (binds("h", 5), {}), (claims("h"), {}))
    states.acknowledge("h", 5)
    states.forget("p")
    assert states.news() == {}
    assert states.count("h") == 0


def test_who_has_the_device_is_known() -> None:
    states = PortStates({})
    states.claim("a", ["p"])
    states.claim("b", ["p"])
    assert states.claimant("p") == "b"
    states.release("a", ["p"])
    assert states.claimant("p") == "b"
    states.open("b")
    assert states.claimant("p") is None
    assert states.claimed("b") == 0


def test_an_acknowledgement_looks_at_what_was_bound_since_the_last_and_at_nothing_else() -> None:
    states = PortStates({})
    states.open("h")
    for number in range(10):
        states.bind(f"p{number}", Place("h", number))
    states.claim("h", ["p3", "p9"])
    states.acknowledge("h", 5)
    assert states.news() == {"p3": ACTIVE}
    states.acknowledge("h", 8)
    assert states.news() == {}
    states.acknowledge("h", 9)
    assert states.news() == {"p9": ACTIVE}
    states.bind("p9", None)
    states.acknowledge("h", 10)
    assert states.news() == {"p9": DOWN}


def fails() -> Callable[[PortStates], None]:
    """What is new cannot be told."""
    return lambda states: states.unsay(states.news())


def test_what_could_not_be_told_is_news_however_often_it_is_judged_again() -> None:
    states = PortStates({})
    for step in (opens("h"), binds("h", 5), acknowledges("h", 5), claims("h"), fails(), claims("h")):
        step(states)
    assert states.news() == {"p": ACTIVE}
    states.claim("h", ["p"])
    assert states.news() == {}, "it has been told now"


def test_that_a_port_is_down_is_news_too_until_it_is_told() -> None:
    states = PortStates({"p": ACTIVE})
    for step in (opens("h"), binds("h", 5), acknowledges("h", 5), fails(), acknowledges("h", 6)):
        step(states)
    states.release("h", ["p"])
    assert states.news() == {"p": DOWN}


def test_what_could_not_be_told_of_a_port_that_is_no_more_is_forgotten() -> None:
    states = PortStates({})
    for step in (opens("h"), binds("h", 5), acknowledges("h", 5), claims("h")):
        step(states)
    untold = states.news()
    states.forget("p")
    states.unsay(untold)
    assert states.news() == {}
    states.bind("p", Place("h", 7))
    states.acknowledge("h", 7)
    assert states.news() == {"p": ACTIVE}, "another port of this id is a port like any other"
