"""Private keys, and requests to have one certified."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from netplane.trust.faults import Distrust

LONGEST_REQUEST = 8_192
"""Bytes of a request; one of ours has 500."""
LONGEST_COMMON_NAME = 64
"""Characters (RFC 5280, ub-common-name)."""

PrivateKey = ec.EllipticCurvePrivateKey


def make_key() -> PrivateKey:
    """A new private key."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: PrivateKey, passphrase: bytes = b"") -> bytes:
    """A private key as PEM, encrypted if there is a passphrase."""
    how = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


def load_key(pem: bytes, passphrase: bytes = b"") -> PrivateKey:
    """A private key from PEM; Distrust if it is none of ours, or needs another passphrase."""
    try:
        key = serialization.load_pem_private_key(pem, passphrase or None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Distrust("the private key cannot be read: it is damaged, or encrypted with something else") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Distrust("the private key is not of an elliptic curve")
    return key


def common_name(name: str) -> x509.Name:
    """A subject of one name, cut where certificates cut it: what counts are the alternative names."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:LONGEST_COMMON_NAME])])


def make_request(key: PrivateKey, host: str) -> bytes:
    """A host's request for a certificate, PEM."""
    request = x509.CertificateSigningRequestBuilder().subject_name(common_name(host)).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)


def read_request(pem: bytes, host: str) -> ec.EllipticCurvePublicKey:
    """The key that a host asks to have certified; Distrust unless the request is signed with it and in its name."""
    if len(pem) > LONGEST_REQUEST:
        raise Distrust("the request is too long")
    try:
        request = x509.load_pem_x509_csr(pem)
        key, is_signed, subject = request.public_key(), request.is_signature_valid, request.subject
    except (ValueError, InvalidSignature, UnsupportedAlgorithm):
        raise Distrust("what should be a request for a certificate is none") from None
    if not is_signed:
        raise Distrust("the request is not signed with the key that it names")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Distrust("the request's key is not of the curve P-256")
    if subject != common_name(host):
        raise Distrust(f"the request is not in the name of {host}")
    return key
