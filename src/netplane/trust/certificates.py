"""Reading certificates: whose they are, until when, and who signed them."""

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization

from netplane.trust.faults import Distrust
from netplane.trust.names import HostIdentity, parse_uri

BACKDATED = timedelta(days=1)
"""How long before its making a certificate is valid: clocks that are behind still take it."""
SPENT = 2 / 3
"""The share of its life after which a certificate is renewed."""


def load_certificate(pem: bytes) -> x509.Certificate:
    """The first certificate in PEM; Distrust if there is none."""
    try:
        return x509.load_pem_x509_certificate(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise Distrust("what should be a certificate is none") from None


def parse_certificate(der: bytes) -> x509.Certificate:
    """The certificate that TLS was shown, DER; Distrust if there is none."""
    try:
        return x509.load_der_x509_certificate(der)
    except (ValueError, UnsupportedAlgorithm):
        raise Distrust("what should be a certificate is none") from None


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """A certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def fingerprint(certificate: x509.Certificate) -> str:
    """The SHA-256 of a certificate, 64 hexadecimal digits."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def host_of(certificate: x509.Certificate) -> HostIdentity:
    """The host that a certificate is of; Distrust if it is no host's."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = extension.value.get_values_for_type(x509.UniformResourceIdentifier)
    except (x509.ExtensionNotFound, ValueError):
        names = []
    identity = parse_uri(names[0]) if len(names) == 1 else None
    if identity is None:
        raise Distrust("the certificate is not that of a host")
    return identity


def check_signed(certificate: x509.Certificate, authority: x509.Certificate) -> None:
    """Distrust unless an authority has signed a certificate."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError):
        raise Distrust("the certificate is not signed by the authority that it should be") from None


def renewal(certificate: x509.Certificate) -> datetime:
    """When a certificate should be replaced: at two thirds of its life."""
    made = certificate.not_valid_before_utc + BACKDATED
    return made + (certificate.not_valid_after_utc - made) * SPENT
