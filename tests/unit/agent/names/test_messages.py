"""Queries read with suspicion, answers written to fit."""

from struct import pack

import dns.edns
import dns.message
import pytest
from dns.flags import AA, QR, RA, RD, TC
from dns.rcode import BADVERS, FORMERR, NOERROR, NOTIMP, NXDOMAIN, REFUSED, SERVFAIL, Rcode
from dns.rdatatype import SOA, A

from netplane.agent.names.answers import Found
from netplane.agent.names.messages import (
    LARGE,
    LARGEST,
    SMALL,
    Query,
    answers,
    numbered,
    read_query,
    write_failure,
    write_found,
    write_truncated,
)


def asked(edns: int | bool = 0, **options: object) -> Query:
    query = read_query(dns.message.make_query("web.blue.", "A", use_edns=edns, **options).to_wire())  # type: ignore[arg-type]
    assert isinstance(query, Query)
    return query


def test_a_plain_answer() -> None:
    query = asked()
    answer = dns.message.from_wire(write_found(query, Found("blue.", ((A, "10.0.0.5"),)), query.size))
    assert answer.id == query.message.id
    assert answer.flags == QR | AA | RD | RA
    assert [str(rrset) for rrset in answer.answer] == ["web.blue. 30 IN A 10.0.0.5"]
    assert (answer.edns, answer.payload, answer.authority) == (0, LARGE, [])


@pytest.mark.parametrize(("exists", "code"), [(True, NOERROR), (False, NXDOMAIN)])
def test_what_is_not_there_says_how_long_to_believe_it(exists: bool, code: Rcode) -> None:
    query = asked(edns=False)
    answer = dns.message.from_wire(write_found(query, Found("blue.", exists=exists), query.size))
    assert (answer.rcode(), answer.answer, answer.edns) == (code, [], -1)
    [soa] = answer.authority
    assert (soa.rdtype, soa.ttl, soa[0].minimum) == (SOA, 5, 5)


@pytest.mark.parametrize(
    ("edns", "payload", "size"), [(False, 0, SMALL), (0, 100, SMALL), (0, 1000, 1000), (0, 4096, LARGE)]
)
def test_answers_fit(edns: int | bool, payload: int, size: int) -> None:
    query = asked(edns, **({"payload": payload} if payload else {}))
    assert query.size == size
    many = Found("blue.", tuple((A, f"10.0.{high}.{low}") for high in range(4) for low in range(50)))
    wire = write_found(query, many, query.size)
    assert len(wire) <= size
    answer = dns.message.from_wire(wire)
    assert answer.flags & TC
    whole = dns.message.from_wire(write_found(query, many, LARGEST))
    assert not whole.flags & TC
    assert len(whole.answer[0]) == 200


def test_options_that_nobody_knows_are_ignored() -> None:
    query = asked(0, options=[dns.edns.GenericOption(dns.edns.OptionType.make(65_001), b"what")])
    answer = dns.message.from_wire(write_found(query, Found("blue.", ((A, "10.0.0.5"),)), query.size))
    assert (answer.rcode(), answer.options) == (NOERROR, ())


def test_a_later_version_of_edns() -> None:
    wire = read_query(dns.message.make_query("web.blue.", "A", use_edns=1).to_wire())
    assert isinstance(wire, bytes)
    answer = dns.message.from_wire(wire)
    assert (answer.rcode(), answer.edns) == (BADVERS, 0)


PLAIN = dns.message.make_query("web.blue.", "A").to_wire()


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (PLAIN[:2] + b"\x29" + PLAIN[3:], NOTIMP),
        (PLAIN[:-3], FORMERR),
        (PLAIN[:12], FORMERR),
        (PLAIN[:4] + b"\0\2" + PLAIN[6:], FORMERR),
        (PLAIN[:4] + b"\0\0" + PLAIN[6:12], FORMERR),
        (PLAIN[:12] + b"\xc0\x0c" + PLAIN[-4:], FORMERR),
        (dns.message.make_query("version.bind.", "TXT", "CH").to_wire(), REFUSED),
    ],
)
def test_what_is_no_question(wire: bytes, code: Rcode) -> None:
    answer = read_query(wire)
    assert isinstance(answer, bytes)
    assert answer[:2] == wire[:2]
    assert answer[2] & 0x80
    assert answer[3] & 15 == code


@pytest.mark.parametrize("wire", [b"", PLAIN[:11], PLAIN[:2] + b"\x81" + PLAIN[3:]])
def test_what_deserves_no_answer(wire: bytes) -> None:
    assert read_query(wire) is None


def test_failures() -> None:
    assert dns.message.from_wire(write_failure(asked())).rcode() == SERVFAIL
    assert dns.message.from_wire(write_truncated(asked())).flags & TC


def test_only_an_answer_to_the_very_question_counts() -> None:
    """RFC 5452: what an attacker guesses must be all of it."""
    query = dns.message.make_query("web.blue.", "A")
    right = dns.message.make_response(query).to_wire()
    assert answers(right, query.to_wire())
    assert not answers(query.to_wire(), query.to_wire())
    assert not answers(numbered(right, query.id ^ 1), query.to_wire())
    assert not answers(right.replace(b"web", b"wet"), query.to_wire())
    assert not answers(right[:10], query.to_wire())
    assert answers(right.replace(b"web", b"WEB"), query.to_wire())
    assert answers(right[:4] + pack("!4H", 0, 0, 0, 0), query.to_wire())
