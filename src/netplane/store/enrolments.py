"""Who may be a host: the writes by which hosts join, renew, and are put out."""

from datetime import datetime, timedelta
from secrets import token_hex

from msgspec.structs import replace

from netplane.model import HOST_NAME, HOST_NAMES, Enrolment, Host, JoinToken
from netplane.model.enrolment import SPACE
from netplane.store.clock import fine_stamp
from netplane.store.reader import Reader
from netplane.store.transaction import Transaction


class NotAdmitted(Exception):
    """A host may not join, or not come; says why in one line."""


def make_join_token(transaction: Transaction, host: str, uses: int, life: timedelta) -> JoinToken:
    """A new token, for one host or (empty) for any that has not joined before."""
    expires = fine_stamp(transaction.origin.now + life)
    return transaction.add(JoinToken(id=token_hex(8), host_id=host, uses=uses, expires_at=expires))


def spend_join_token(transaction: Transaction, id: str, host: str) -> None:
    """Use a token up for a host, by one; NotAdmitted if it does not let it join.

    A name that is known already is another's unless the token is for that name: whoever has a token for any host could
    else take over a host with all that it carries.
    """
    token = transaction.get(JoinToken, id)
    if token is None:
        raise NotAdmitted("the join token is used up, or was taken back")
    if token.expires_at <= fine_stamp(transaction.origin.now):
        raise NotAdmitted("the join token has expired")
    if not HOST_NAME.fullmatch(host):
        raise NotAdmitted(f"a host's name is {HOST_NAMES}")
    if token.host_id not in ("", host):
        raise NotAdmitted(f"the join token is for another host than {host}")
    if not token.host_id and (enrolment_of(transaction, host) or transaction.get(Host, host)):
        raise NotAdmitted(f"there is a host {host} already; it joins again by a token of its own (--host {host})")
    if token.uses > 1:
        transaction.put(JoinToken(id=id, host_id=token.host_id, uses=token.uses - 1, expires_at=token.expires_at))
    else:
        transaction.delete(token)


def enrol(transaction: Transaction, host: str, expires: datetime) -> Enrolment:
    """Let a host in, by certificates of a new series; those of a former one are void from now on."""
    former = enrolment_of(transaction, host)
    if former is not None:
        transaction.delete(former)
    times = (fine_stamp(transaction.origin.now), fine_stamp(expires))
    return transaction.add(Enrolment(id=token_hex(8), host=host, enrolled_at=times[0], expires_at=times[1]))


def enrolment_of(transaction: Transaction, host: str) -> Enrolment | None:
    """That of a host, None if it is not in."""
    id = transaction.holder(SPACE, host)
    return None if id is None else transaction.get(Enrolment, id)


def find_enrolled(source: Reader | Transaction, host: str, series: str) -> Enrolment | None:
    """The enrolment that a certificate is of; None if it is void."""
    enrolment = source.get(Enrolment, series)
    return enrolment if enrolment is not None and enrolment.host == host else None


def check_enrolled(transaction: Transaction, host: str, series: str) -> Enrolment:
    """The enrolment that a certificate is of; NotAdmitted if it is void."""
    enrolment = find_enrolled(transaction, host, series)
    if enrolment is None:
        raise NotAdmitted(f"the certificate of host {host} is revoked")
    return enrolment


def extend(transaction: Transaction, host: str, series: str, expires: datetime) -> None:
    """A host gets another certificate of its series; NotAdmitted if that is void."""
    known = check_enrolled(transaction, host, series)
    transaction.put(replace(known, expires_at=fine_stamp(expires)))


def revoke(transaction: Transaction, host: str) -> bool:
    """Put a host out, now and until it joins again, and take back the tokens made for it; whether it was in."""
    for token in transaction.list(JoinToken):
        if token.host_id == host:
            transaction.delete(token)
    enrolment = enrolment_of(transaction, host)
    if enrolment is not None:
        transaction.delete(enrolment)
    return enrolment is not None


def drop_expired(transaction: Transaction) -> None:
    """Forget tokens that have expired."""
    for token in transaction.list(JoinToken):
        if token.expires_at <= fine_stamp(transaction.origin.now):
            transaction.delete(token)
