"""The host that a controller runs on itself: whoever may write the database needs no token to join."""

from pathlib import Path

from netplane.controller.admission import open_authority
from netplane.model.enrolment import SPACE
from netplane.store import Store
from netplane.store.enrolments import enrol
from netplane.trust.authority import LIFE, certify_host
from netplane.trust.certificates import fingerprint
from netplane.trust.faults import Distrust
from netplane.trust.keys import make_key
from netplane.trust.names import HostIdentity
from netplane.trust.own import wall_clock
from netplane.trust.papers import Papers, read_papers, write_papers


def enrol_here(store: Store, host: str, folder: Path) -> None:
    """See to it that a folder holds papers by which this host is let in; good ones stay as they are."""
    authority = open_authority(store)
    with store.read() as reader:
        known = reader.holder(SPACE, host)
    if known is not None and _serves(folder, HostIdentity(host, known), authority.pin):
        return
    expires = wall_clock() + LIFE
    with store.write(f"host:{host}") as transaction:
        identity = HostIdentity(host, enrol(transaction, host, expires).id)
    key = make_key()
    certificate = certify_host(authority, key.public_key(), identity, wall_clock())
    write_papers(folder, Papers(key, certificate, authority.certificate))


def _serves(folder: Path, identity: HostIdentity, pin: str) -> bool:
    try:
        papers = read_papers(folder)
    except (OSError, Distrust):
        return False
    is_valid = papers.certificate.not_valid_after_utc > wall_clock()
    return is_valid and papers.identity == identity and fingerprint(papers.authority) == pin
