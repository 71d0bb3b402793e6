"""A host's key, certificate and authority, in a folder that only its owner may read. The key never leaves it.

A renewal makes a new key. Key and certificate are one file, so that a crash between two writes leaves no mismatch.
"""

import os
from pathlib import Path

from cryptography import x509
from msgspec import Struct

from netplane.trust.certificates import certificate_pem, check_signed, host_of, load_certificate
from netplane.trust.faults import Distrust
from netplane.trust.keys import PrivateKey, key_pem, load_key
from netplane.trust.names import HostIdentity

IDENTITY, AUTHORITY = "identity.pem", "authority.pem"


class Papers(Struct, frozen=True):
    """What a host proves itself with, and what it believes."""

    key: PrivateKey
    certificate: x509.Certificate
    authority: x509.Certificate

    @property
    def identity(self) -> HostIdentity:
        """The host."""
        return host_of(self.certificate)


def check_papers(papers: Papers) -> Papers:
    """Distrust unless they fit together."""
    check_signed(papers.certificate, papers.authority)
    if papers.certificate.public_key() != papers.key.public_key():
        raise Distrust("the certificate is not of this host's key")
    return papers


def read_papers(folder: Path) -> Papers:
    """The papers in a folder. FileNotFoundError if there are none, Distrust if they do not fit together."""
    identity = (folder / IDENTITY).read_bytes()
    authority = load_certificate((folder / AUTHORITY).read_bytes())
    return check_papers(Papers(load_key(identity), load_certificate(identity), authority))


def write_papers(folder: Path, papers: Papers) -> None:
    """Put papers into a folder, in the place of those that were there."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_secret(folder / AUTHORITY, certificate_pem(papers.authority))
    write_secret(folder / IDENTITY, key_pem(papers.key) + certificate_pem(papers.certificate))


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, wholly or not at all."""
    aside = path.with_name(path.name + ".new")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
