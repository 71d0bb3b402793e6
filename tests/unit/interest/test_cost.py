"""What changes and slices cost, counted in calls of functions: no more where there is more that they do not concern."""

import gc
import sys
from collections.abc import Callable, Iterable
from itertools import chain

import pytest

from netplane.interest import Interest
from netplane.model import Binding, Host, Identity, Network, Port, Record
from tests.unit.interest.world import upserts

HOSTS = [Host(id=f"h{number}", number=number, address=f"192.0.2.{number}") for number in range(1, 9)]


def project(name: str, ports: int) -> Iterable[Record]:
    """A network with that many ports, spread over all hosts."""
    yield Network(id=name, vni=1)
    yield Identity(id=f"{name}-identity", number=1, groups=(f"{name}-group",))
    yield from chain.from_iterable(port(name, number) for number in range(ports))


def port(name: str, number: int) -> tuple[Port, Binding]:
    id = f"{name}-{number}"
    made = Port(id=id, network_id=name, mac_address="02:00:00:00:00:01", identity_id=f"{name}-identity")
    return made, Binding(id=id, host_id=HOSTS[number % len(HOSTS)].id)


def calls(work: Callable[[], object]) -> int:
    """How many functions it calls, ours and built-in ones; what the garbage collector calls is not its business."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    gc.collect()
    gc.disable()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


def world(projects: int, ports: int) -> Interest:
    made = Interest()
    made.load((*HOSTS, *chain.from_iterable(project(f"p{number}", ports) for number in range(projects))), 0)
    return made


CHANGES: dict[str, Callable[[Interest], object]] = {
    "a port more": lambda made: made.apply(upserts(*port("p0", 8))),
    "a port moves": lambda made: made.apply(upserts(Binding(id="p0-0", host_id="h2"))),
    "the slice of a new host": lambda made: list(made.sections("h99")),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_change_costs_has_nothing_to_do_with_other_projects(name: str) -> None:
    CHANGES[name](world(2, ports=8))  # What is remembered from the first time on is remembered.
    few, many = (world(projects, ports=8) for projects in (2, 50))
    assert calls(lambda: CHANGES[name](many)) == calls(lambda: CHANGES[name](few))


def test_what_a_port_more_costs_has_nothing_to_do_with_how_many_there_are() -> None:
    few, many = (world(1, ports) for ports in (16, 400))
    assert calls(lambda: CHANGES["a port more"](many)) == calls(lambda: CHANGES["a port more"](few))


def test_a_slice_costs_its_sections_not_its_records() -> None:
    few, many = (world(1, ports) for ports in (16, 400))
    assert calls(lambda: list(many.sections("h1"))) == calls(lambda: list(few.sections("h1")))
