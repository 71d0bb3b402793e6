"""Certificates: whose they are, who signed them, and that requests prove what they ask for."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from netplane.trust.authority import Authority, certify_controller, certify_host, load_authority, make_authority
from netplane.trust.certificates import certificate_pem, check_signed, host_of, load_certificate, renewal
from netplane.trust.faults import Distrust
from netplane.trust.keys import common_name, key_pem, load_key, make_key, make_request, read_request
from netplane.trust.names import HostIdentity, parse_uri, uri

NOW = datetime(2026, 5, 1, tzinfo=UTC)
SERIES = "0123456789abcdef"
H1 = HostIdentity("h1", SERIES)
LONG = "h" * 255


@pytest.fixture(scope="module")
def authority() -> Authority:
    return make_authority(NOW)


@pytest.mark.parametrize("name", ["h1", "a.b-c_d.example", LONG])
def test_a_host_is_certified_under_its_name(authority: Authority, name: str) -> None:
    key = make_key()
    asked = read_request(make_request(key, name), name)
    certificate = load_certificate(certificate_pem(certify_host(authority, asked, HostIdentity(name, SERIES), NOW)))
    assert host_of(certificate) == (name, SERIES)
    assert certificate.public_key() == key.public_key()
    assert renewal(certificate) == NOW + timedelta(days=20)
    check_signed(certificate, authority.certificate)


def test_an_authority_comes_back_from_its_bytes(authority: Authority) -> None:
    for passphrase in (b"", b"a long secret"):
        again = load_authority(authority.dump(passphrase), passphrase)
        assert (again.pin, again.derive("x")) == (authority.pin, authority.derive("x"))
    assert authority.derive("x") != authority.derive("y")
    assert b"ENCRYPTED" in authority.dump(b"a long secret")
    for wrong in (b"", b"another secret"):
        with pytest.raises(Distrust, match="damaged, or encrypted with something else"):
            load_authority(authority.dump(b"a long secret"), wrong)


def test_another_authority_is_not_believed(authority: Authority) -> None:
    other = make_authority(NOW)
    assert other.pin != authority.pin
    forged = certify_host(other, make_key().public_key(), H1, NOW)
    with pytest.raises(Distrust, match="not signed by the authority"):
        check_signed(forged, authority.certificate)


def test_a_controller_is_no_host(authority: Authority) -> None:
    certificate = certify_controller(authority, make_key().public_key(), ["c.example", "192.0.2.7"], NOW)
    with pytest.raises(Distrust, match="not that of a host"):
        host_of(certificate)


@pytest.mark.parametrize(
    "text",
    [
        "netplane://host/h1",
        "netplane://host/h1/",
        f"netplane://host//{SERIES}",
        f"netplane://host/../{SERIES}",
        f"netplane://host/h1/h2/{SERIES}",
        f"netplane://host/h1/{SERIES}\n",
        f"netplane://host/h1/{SERIES.upper()}",
        f"netplane://controller/h1/{SERIES}",
        f"https://host/h1/{SERIES}",
        f"netplane://host/{LONG}h/{SERIES}",
    ],
)
def test_what_names_no_host(text: str) -> None:
    assert parse_uri(text) is None
    assert parse_uri(uri(H1)) == H1


def test_a_request_must_be_ones_own_and_well_formed() -> None:
    key = make_key()
    good = make_request(key, "h1")
    edwards = x509.CertificateSigningRequestBuilder().subject_name(common_name("h1"))
    unsigned = x509.load_pem_x509_csr(good).public_bytes(Encoding.DER)
    unsigned = unsigned[:-1] + bytes([unsigned[-1] ^ 1])
    broken = x509.load_der_x509_csr(unsigned).public_bytes(Encoding.PEM)
    for request, name, said in (
        (good, "h2", "not in the name of h2"),
        (b"", "h1", "is none"),
        (good[:200], "h1", "is none"),
        (good + b"x" * 9_000, "h1", "too long"),
        (broken, "h1", "is none|not signed"),
        (
            edwards.sign(ed25519.Ed25519PrivateKey.generate(), None).public_bytes(Encoding.PEM),
            "h1",
            "not of the curve P-256",
        ),
    ):
        with pytest.raises(Distrust, match=said):
            read_request(request, name)


def test_a_key_that_is_none_is_told_from_one_that_is() -> None:
    with pytest.raises(Distrust, match="cannot be read"):
        load_key(b"nonsense")
    with pytest.raises(Distrust):
        load_certificate(key_pem(make_key()))
