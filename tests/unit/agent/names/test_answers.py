"""Which names a machine finds, and which do not exist."""

import pytest
from dns.name import from_text
from dns.rdatatype import AAAA, ANY, MX, PTR, SOA, A, RdataType

from netplane.agent.names.answers import Found, find
from netplane.model import Change, Operation
from tests.unit.agent.names.directory import ASKER, ENDPOINTS, directory

HERE, CLOUD = "blue.example.", "cloud."


@pytest.mark.parametrize(
    ("name", "kind", "zone", "records"),
    [
        ("web.blue.example.", A, HERE, ["10.0.1.5"]),
        ("WEB.Blue.Example.", A, HERE, ["10.0.1.5"]),
        ("web.cloud.", A, CLOUD, ["10.0.1.5"]),
        ("web.other.example.", A, "other.example.", ["10.0.1.5"]),
        ("web.", A, ".", ["10.0.1.5"]),
        ("web.blue.example.", AAAA, HERE, []),
        ("web.blue.example.", ANY, HERE, ["10.0.1.5"]),
        ("web.blue.example.", MX, HERE, []),
        ("db.cloud.", A, CLOUD, ["10.0.1.7"]),
        ("mail.cloud.", A, CLOUD, ["10.0.2.6"]),
        ("host-10-0-1-6.blue.example.", A, HERE, ["10.0.1.6"]),
        ("host-10-0-1-6.cloud.", A, CLOUD, ["10.0.1.6"]),
        ("host-10-0-1-1.cloud.", A, CLOUD, ["10.0.1.1"]),
        ("blue.example.", SOA, HERE, [""]),
        ("blue.example.", A, HERE, []),
        ("5.1.0.10.in-addr.arpa.", PTR, "1.0.10.in-addr.arpa.", ["web.other.example."]),
        ("7.1.0.10.in-addr.arpa.", PTR, "1.0.10.in-addr.arpa.", ["db.blue.example."]),
        ("6.1.0.10.in-addr.arpa.", PTR, "1.0.10.in-addr.arpa.", ["host-10-0-1-6.blue.example."]),
        ("6.2.0.10.in-addr.arpa.", PTR, "2.0.10.in-addr.arpa.", ["mail.cloud."]),
        ("6.2.0.10.in-addr.arpa.", A, "2.0.10.in-addr.arpa.", []),
    ],
)
def test_names_that_exist(name: str, kind: RdataType, zone: str, records: list[str]) -> None:
    _, made = directory()
    found = find(made, ASKER, from_text(name), kind)
    assert found is not None
    assert (found.zone, found.exists, [text for _, text in found.records]) == (zone, True, records)


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("nobody.blue.example.", HERE),
        ("a.web.blue.example.", HERE),
        ("secret.cloud.", CLOUD),
        ("host-10-0-1-5.cloud.", CLOUD),
        ("host-10-0-1-9.cloud.", CLOUD),
        ("host-10-0-3-5.cloud.", CLOUD),
        ("host-10-0-01-6.cloud.", CLOUD),
        ("host-.cloud.", CLOUD),
        ("9.1.0.10.in-addr.arpa.", "1.0.10.in-addr.arpa."),
    ],
)
def test_names_that_are_ours_and_do_not_exist(name: str, zone: str) -> None:
    _, made = directory()
    assert find(made, ASKER, from_text(name), A) == Found(zone, exists=False)


@pytest.mark.parametrize(
    "name",
    ["www.example.", ".", "example.", "5.3.0.10.in-addr.arpa.", "1.1.1.1.in-addr.arpa.", "nobody.", "x.in-addr.arpa."],
)
def test_names_that_are_not_ours(name: str) -> None:
    _, made = directory()
    assert find(made, ASKER, from_text(name), A) is None


def test_a_name_goes_with_its_endpoint() -> None:
    slice, made = directory()
    gone = Change(2, Operation.DELETE, "endpoint", ENDPOINTS[0].id, None)
    made.take([gone])
    found = find(made, ASKER, from_text("web.blue.example."), A)
    assert found == Found(HERE, exists=False)
    made.take([gone])
    assert slice.dns_domain == CLOUD


def test_without_a_domain_only_networks_with_one_have_one() -> None:
    _, made = directory(dns_domain="")
    assert find(made, ASKER, from_text("nobody.cloud."), A) is None
    found = find(made, ASKER, from_text("mail."), A)
    assert found is not None
    assert found.records == ((A, "10.0.2.6"),)
