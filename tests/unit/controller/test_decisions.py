"""Decisions that hosts have told of."""

from msgspec.structs import replace

from netplane.controller.decisions import KEPT, DecisionBook, Wanted
from netplane.model import Decision, Port
from tests.unit.agent.decisions.decision import ONE, numbered

EVERY = Wanted(lambda _: True, limit=10 * KEPT)


def port(id: str, project: str, *groups: str) -> Port:
    return Port(id=id, network_id="n", mac_address="02:00:00:00:00:01", project_id=project, security_groups=groups)


CARRIED = {
    one.id: one for one in (port("port", "blue", "group"), port("p2", "blue"), port("p3", "red"), port("p4", "quiet"))
}


def hear(book: DecisionBook, host: str, *decisions: Decision) -> None:
    book.hear(host, decisions, CARRIED.get)


def found(book: DecisionBook, wanted: Wanted = EVERY) -> list[int]:
    return [heard.decision.number for heard in book.find(wanted)]


def test_in_the_order_in_which_they_were_heard() -> None:
    book = DecisionBook(1)
    hear(book, "h1", *numbered(1, 2))
    hear(book, "h2", *numbered(7))
    hear(book, "h1", *numbered(3))
    assert found(book) == [1, 2, 7, 3]
    assert found(book, EVERY._replace(limit=2)) == [7, 3]
    assert found(book, EVERY._replace(after=book.find(EVERY)[1].place)) == [7, 3]


def test_what_is_said_again_counts_once() -> None:
    book = DecisionBook(1)
    hear(book, "h1", *numbered(1, 2))
    hear(book, "h1", *numbered(1, 2, 3))
    assert found(book) == [1, 2, 3]


def test_a_host_speaks_of_its_own_ports_only() -> None:
    book = DecisionBook(1)
    hear(book, "h1", replace(ONE, port_id="elsewhere"))
    assert found(book) == []


def test_whose_a_port_is_a_host_does_not_say() -> None:
    book = DecisionBook(1)
    hear(book, "h1", replace(ONE, project_id="red", security_groups=("reds",)))
    assert found(book, EVERY._replace(may_see=lambda project: project == "red")) == []
    [heard] = book.find(EVERY._replace(may_see=lambda project: project == "blue"))
    assert heard.decision == ONE


def test_filters() -> None:
    book = DecisionBook(1)
    others = [{}, {"port_id": "p2"}, {"event": "ACCEPT"}, {"direction": "egress"}, {"port_id": "p3"}]
    hear(book, "h1", *(replace(ONE, number=number, **other) for number, other in enumerate(others, 1)))
    assert found(book, EVERY._replace(port="p2")) == [2]
    assert found(book, EVERY._replace(event="ACCEPT")) == [3]
    assert found(book, EVERY._replace(direction="egress")) == [4]
    assert found(book, EVERY._replace(may_see=lambda project: project == "red")) == [5]


def test_the_youngest_are_kept() -> None:
    book = DecisionBook(1)
    hear(book, "h1", *numbered(*range(1, KEPT + 10)))
    assert found(book) == list(range(10, KEPT + 10))


def test_a_project_that_is_loud_drowns_no_other() -> None:
    book, loud = DecisionBook(1), numbered(*range(10, 3 * KEPT))
    hear(book, "h1", replace(ONE, number=1, port_id="p4"))
    hear(book, "h1", *loud)
    assert len(found(book)) == KEPT
    assert found(book, EVERY._replace(may_see=lambda project: project == "quiet")) == [1]
    assert found(book)[:2] == [1, 2 * KEPT + 1]
