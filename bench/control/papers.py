"""Lets many hosts in at once: enrolments in the store, and the papers that each of their agents shows."""

from collections.abc import Sequence
from pathlib import Path

from netplane.controller.admission import open_authority
from netplane.store import Store
from netplane.store.enrolments import enrol
from netplane.trust.authority import LIFE, certify_host
from netplane.trust.keys import make_key
from netplane.trust.names import HostIdentity
from netplane.trust.own import wall_clock
from netplane.trust.papers import Papers, write_papers


def let_in(store: Store, hosts: Sequence[str], folder: Path) -> None:
    """Enrol hosts; the papers of each lie in a folder of its name."""
    authority, expires = open_authority(store), wall_clock() + LIFE
    with store.write("bench") as transaction:
        identities = [HostIdentity(host, enrol(transaction, host, expires).id) for host in hosts]
    for identity in identities:
        key = make_key()
        certificate = certify_host(authority, key.public_key(), identity, wall_clock())
        write_papers(folder / identity.host, Papers(key, certificate, authority.certificate))
