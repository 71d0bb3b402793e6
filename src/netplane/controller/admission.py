"""Which hosts may come: the authority that certifies them, and the enrolments that are valid now.

Enrolments are followed from the change log, as all else: what one controller revokes, every other knows a moment later.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from netplane.model import Enrolment
from netplane.store import Entry, Store
from netplane.trust.authority import LIFE, Authority, certify_host, load_authority, make_authority
from netplane.trust.certificates import certificate_pem
from netplane.trust.faults import Distrust
from netplane.trust.keys import read_request
from netplane.trust.names import HostIdentity
from netplane.trust.own import OwnCertificate

SECRET = "authority"
"""The name of the authority among the store's secrets."""


def open_authority(store: Store, key_file: Path | None = None) -> Authority:
    """The authority of all controllers of a store, made by the first of them.

    What the file holds encrypts its private key in the database; all controllers need the same. OSError if the file
    cannot be read, Distrust if it is not the one that the authority was made with.
    """
    passphrase = b"" if key_file is None else key_file.read_bytes().strip()
    if key_file is not None and not passphrase:
        raise Distrust(f"the key file {key_file} is empty")
    return load_authority(store.secret(SECRET, lambda: make_authority(datetime.now(UTC)).dump(passphrase)), passphrase)


class Admission:
    """Who is in, as of what has been taken in; and certificates for them."""

    def __init__(self, store: Store, own: OwnCertificate, life: timedelta = LIFE) -> None:
        """`life` is that of hosts' certificates."""
        self.own = own
        self.life = life
        with store.read() as reader:
            self._enrolled = {enrolment.id: enrolment for enrolment in reader.list(Enrolment)}

    @property
    def authority(self) -> Authority:
        """Who signs."""
        return self.own.authority

    def take(self, entries: Iterable[Entry]) -> list[str]:
        """Take in what follows in the change log; the hosts whose standing may have changed."""
        hosts = []
        for change in (entry.change for entry in entries if entry.change.kind == "enrolment"):
            former = self._enrolled.pop(change.id, None)
            hosts += [former.host] if former else []
            if isinstance(change.record, Enrolment):
                self._enrolled[change.id] = change.record
        return hosts

    def trusts(self, identity: HostIdentity) -> bool:
        """Whether certificates of an enrolment are valid."""
        enrolment = self._enrolled.get(identity.series)
        return enrolment is not None and enrolment.host == identity.host

    def enrolments(self) -> list[Enrolment]:
        """Those that are valid."""
        return list(self._enrolled.values())

    def certify(self, identity: HostIdentity, request: str) -> tuple[str, datetime]:
        """A certificate for a host's request, PEM, and when it expires; Distrust if the request is no good."""
        key = read_request(request.encode(), identity.host)
        certificate = certify_host(self.authority, key, identity, datetime.now(UTC), self.life)
        return certificate_pem(certificate).decode(), certificate.not_valid_after_utc
