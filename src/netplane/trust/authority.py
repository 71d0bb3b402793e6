"""The authority that certifies hosts and controllers: one key, kept by the controllers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import ExtendedKeyUsageOID
from msgspec import Struct

from netplane.trust.certificates import BACKDATED, fingerprint, load_certificate
from netplane.trust.keys import PrivateKey, common_name, key_pem, load_key, make_key
from netplane.trust.names import CONTROLLER, HostIdentity, uri

LIFE = timedelta(days=30)
"""Of certificates of hosts and controllers."""
AUTHORITY_LIFE = timedelta(days=3650)


class Authority(Struct, frozen=True):
    """The authority's certificate and key."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def pem(self) -> bytes:
        """Its certificate, which everybody may know."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def pin(self) -> str:
        """By which hosts know it: the SHA-256 of its certificate, hexadecimal."""
        return fingerprint(self.certificate)

    def dump(self, passphrase: bytes = b"") -> bytes:
        """Certificate and key as PEM, the key encrypted if there is a passphrase."""
        return self.pem + key_pem(self.key, passphrase)

    def derive(self, purpose: str) -> bytes:
        """A secret of 32 bytes for a purpose of its own, the same wherever this authority is."""
        seed = self.key.private_numbers().private_value.to_bytes(32)
        return HKDF(hashes.SHA256(), 32, None, f"netplane {purpose}".encode()).derive(seed)


def make_authority(now: datetime) -> Authority:
    """A new authority."""
    key, name = make_key(), common_name("netplane authority")
    usage = _usage(signs_certificates=True)
    builder = _certificate(name, name, key.public_key(), key.public_key(), now, AUTHORITY_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return Authority(builder.add_extension(usage, critical=True).sign(key, hashes.SHA256()), key)


def load_authority(pem: bytes, passphrase: bytes = b"") -> Authority:
    """An authority from what `dump` gave; Distrust if it cannot be read."""
    return Authority(load_certificate(pem), load_key(pem, passphrase))


def certify_host(
    authority: Authority, key: ec.EllipticCurvePublicKey, identity: HostIdentity, now: datetime, life: timedelta = LIFE
) -> x509.Certificate:
    """A certificate by which a host proves its name to controllers; it serves for nothing else."""
    names = [x509.UniformResourceIdentifier(uri(identity))]
    return _certify(authority, key, identity.host, names, ExtendedKeyUsageOID.CLIENT_AUTH, now, life)


def certify_controller(
    authority: Authority,
    key: ec.EllipticCurvePublicKey,
    names: Sequence[str],
    now: datetime,
    life: timedelta = LIFE,
) -> x509.Certificate:
    """A certificate by which a controller proves itself to hosts, and at some names and addresses to clients."""
    alternatives = [x509.DNSName(CONTROLLER), *(_alternative(name) for name in names)]
    return _certify(authority, key, CONTROLLER, alternatives, ExtendedKeyUsageOID.SERVER_AUTH, now, life)


def _certify(
    authority: Authority,
    key: ec.EllipticCurvePublicKey,
    subject: str,
    names: Sequence[x509.GeneralName],
    purpose: x509.ObjectIdentifier,
    now: datetime,
    life: timedelta,
) -> x509.Certificate:
    issuer = authority.certificate
    return (
        _certificate(common_name(subject), issuer.subject, key, authority.key.public_key(), now, life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(authority.key, hashes.SHA256())
    )


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePublicKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
