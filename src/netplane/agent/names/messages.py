"""Messages of the domain name system: queries read with suspicion, answers written to fit.

EDNS (RFC 6891): a query's version is respected, its size up to what crosses every network whole, and options that
nobody here knows are ignored. What does not fit into a datagram says so, and is asked again by TCP.
"""

from struct import pack, unpack_from
from typing import NamedTuple

import dns.message
import dns.rrset
from dns.exception import DNSException
from dns.flags import AA, QR, RA, TC
from dns.name import Name
from dns.opcode import QUERY
from dns.rcode import BADVERS, FORMERR, NOTIMP, NXDOMAIN, REFUSED, SERVFAIL, Rcode
from dns.rdataclass import IN
from dns.rdatatype import SOA, RdataType

from netplane.agent.names.answers import Found

HEADER = 12
SMALL, LARGE = 512, 1232
"""Bytes of a datagram: what everybody takes (RFC 1035), and what crosses every network whole (DNS flag day 2020)."""
LARGEST = 65_535

TTL = 30
"""Seconds for which our answers may be remembered: a machine's address may change at any time."""

NEGATIVE = 5
"""Seconds for which it may be remembered that there is no such name (RFC 2308)."""


class Query(NamedTuple):
    """A question that can be answered."""

    message: dns.message.Message
    wire: bytes
    name: Name
    kind: RdataType

    @property
    def size(self) -> int:
        """The longest answer by UDP, in bytes."""
        return SMALL if self.message.edns < 0 else min(max(self.message.payload, SMALL), LARGE)


def read_query(wire: bytes) -> Query | bytes | None:
    """A query; or what to answer to what is none; None for what deserves no answer."""
    if len(wire) < HEADER or wire[2] & 0x80:
        return None
    if (wire[2] >> 3) & 0x0F != QUERY:
        return _refusal(wire, NOTIMP)
    try:
        message = dns.message.from_wire(wire, ignore_trailing=True)
    except (DNSException, ValueError):
        return _refusal(wire, FORMERR)
    if message.edns > 0:
        return _failed(message, BADVERS)
    if len(message.question) != 1:
        return _refusal(wire, FORMERR)
    [question] = message.question
    if question.rdclass != IN:
        return _failed(message, REFUSED)
    return Query(message, wire, question.name, question.rdtype)


def write_found(query: Query, found: Found, limit: int) -> bytes:
    """What we know, in at most so many bytes."""
    answer = dns.message.make_response(query.message, recursion_available=True, our_payload=LARGE)
    answer.flags |= AA
    if not found.exists:
        answer.set_rcode(NXDOMAIN)
    kinds = dict.fromkeys(kind for kind, _ in found.records)
    for kind in kinds:
        texts = [_soa(found.zone) if kind == SOA else text for other, text in found.records if other == kind]
        answer.answer.append(dns.rrset.from_text_list(query.name, TTL, IN, kind, texts))
    if not found.records:
        answer.authority.append(dns.rrset.from_text(found.zone, NEGATIVE, IN, SOA, _soa(found.zone)))
    return answer.to_wire(max_size=limit, prefer_truncation=True)


def write_failure(query: Query) -> bytes:
    """That nobody answers."""
    return _failed(query.message, SERVFAIL)


def write_truncated(query: Query) -> bytes:
    """That the answer is too long for a datagram."""
    answer = dns.message.make_response(query.message, recursion_available=True, our_payload=LARGE)
    answer.flags |= TC
    return answer.to_wire()


def answers(wire: bytes, asked: bytes) -> bool:
    """Whether a message is an answer to another: the same number and question (RFC 5452, section 9.1)."""
    if len(wire) < HEADER or wire[:2] != asked[:2] or not wire[2] & 0x80:
        return False
    end = _question_end(asked)
    # A server that refuses to say anything may leave the question out.
    (questions,) = unpack_from("!H", wire, 4)
    return questions == 0 or wire[HEADER:end].lower() == asked[HEADER:end].lower()


def numbered(wire: bytes, number: int) -> bytes:
    """The message with another number."""
    return pack("!H", number) + wire[2:]


def _question_end(wire: bytes) -> int:
    at = HEADER
    while at < len(wire) and wire[at]:
        at += wire[at] + 1
    return at + 5


def _soa(zone: str) -> str:
    """Ourselves as the origin of a zone; nobody transfers it, so its times mean nothing but the last."""
    return f"{zone} hostmaster.{zone.lstrip('.')} 1 3600 600 86400 {NEGATIVE}"


def _refusal(wire: bytes, code: Rcode) -> bytes:
    """An answer to what cannot be read: its number, and what is wrong."""
    return wire[:2] + pack("!BBHHHH", 0x80 | wire[2] & 0x79, 0x80 | code, 0, 0, 0, 0)


def _failed(message: dns.message.Message, code: Rcode) -> bytes:
    answer = dns.message.make_response(message, recursion_available=True, our_payload=LARGE)
    if answer.edns > 0:
        answer.use_edns(0, payload=LARGE)
    answer.flags |= QR | RA
    answer.set_rcode(code)
    return answer.to_wire()
