"""The issuer: its files, its limits, the refusal of expired or
revoked certificates, and old issuers that stay known."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from meterai.sealing.model import IssuerUnusable
from meterai.sealing.signing import cms
from meterai.sealing.signing.development import development_issuer, development_issuers
from meterai.sealing.signing.issuer import CRL_GRACE, CRL_REREAD, Issuer
from meterai.sealing.signing.issuers import KnownIssuer, appoint, load_issuer, load_issuers
from meterai.sealing.signing.keys import FileKey

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def directory(tmp_path):
    development_issuer(tmp_path / "issuer", at=AT)
    return tmp_path / "issuer"


def test_files_are_created_once_with_private_keys(tmp_path):
    directory = tmp_path / "deep" / "issuer"
    made = development_issuer(directory, at=AT)
    assert development_issuer(directory, at=AT).root == made.root == load_issuer(directory).root
    keys = sorted(path.name for path in directory.glob("*.key"))
    assert keys == ["claim.key", "intermediate.key", "root.key", "seal.key"]
    assert {path.stat().st_mode & 0o777 for path in directory.glob("*.key")} == {0o600}
    assert list(directory.parent.iterdir()) == [directory]
    for certificate in made.chain:
        name = certificate.subject.rfc4514_string()
        assert "Meterai development" in name
        assert "SPECIMEN" in name


@pytest.mark.parametrize("days", [-2, 731])
def test_sealing_outside_validity_of_certificate_is_refused(directory, days):
    issuer = load_issuer(directory)
    issuer.check_usable(AT)
    with pytest.raises(IssuerUnusable) as found:
        issuer.check_usable(AT + days * DAY)
    assert found.value.status == 503


def test_last_second_of_validity_seals_and_next_does_not(directory):
    issuer = load_issuer(directory)
    last = issuer.chain[0].not_valid_after_utc
    issuer.check_usable(last - timedelta(seconds=1))
    issuer.check_usable(last)
    with pytest.raises(IssuerUnusable, match="expired"):
        issuer.check_usable(last + timedelta(seconds=1))


def test_certificate_of_authority_cannot_seal(directory):
    for kind in ("key", "pem"):
        (directory / f"seal.{kind}").write_bytes((directory / f"intermediate.{kind}").read_bytes())
    (directory / "intermediate.pem").write_bytes((directory / "root.pem").read_bytes())
    issuer = load_issuer(directory)
    with pytest.raises(IssuerUnusable, match="key usage"):
        issuer.check_usable(AT)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("seal.key", b"junk"),
        ("seal.key", None),
        ("root.pem", b""),
        ("seal.pem", None),
        ("intermediate.pem", None),
        ("claim.key", b"junk"),
    ],
)
def test_missing_or_broken_files_are_refused(directory, file, text):
    path = directory / file
    path.unlink() if text is None else path.write_bytes(text)
    with pytest.raises(IssuerUnusable):
        load_issuer(directory)


def test_key_of_another_certificate_is_refused(directory, tmp_path):
    one = load_issuer(directory)
    other = development_issuer(tmp_path / "other", at=AT)
    with pytest.raises(IssuerUnusable, match="belong"):
        Issuer(FileKey(ec.generate_private_key(ec.SECP256R1())), one.chain)
    (directory / "intermediate.pem").write_bytes(other.chain[1].public_bytes(Encoding.PEM))
    with pytest.raises(IssuerUnusable, match="not signed"):
        load_issuer(directory)


@pytest.mark.parametrize(
    ("purposes", "may_seal"),
    [
        ([], True),
        ([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")], True),
        ([ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.CLIENT_AUTH], True),
        ([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE], True),
        ([ExtendedKeyUsageOID.SERVER_AUTH], False),
        ([ExtendedKeyUsageOID.TIME_STAMPING], False),
    ],
)
def test_purposes_must_allow_documents(directory, purposes, may_seal):
    authority = key_in(directory, "intermediate")
    old = load_issuer(directory).chain[0]
    draft = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(old.issuer)
        .public_key(old.public_key())
        .serial_number(7)
        .not_valid_before(old.not_valid_before_utc)
        .not_valid_after(old.not_valid_after_utc)
        .add_extension(old.extensions.get_extension_for_class(x509.KeyUsage).value, critical=True)
    )
    if purposes:
        draft = draft.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    certificate = draft.sign(authority, hashes.SHA256())
    (directory / "seal.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    issuer = load_issuer(directory)
    if may_seal:
        issuer.check_usable(AT)
        read = cms.read(issuer.sign(bytes(32)))
        assert read.leaf == certificate
        assert read.signature_holds
    else:
        with pytest.raises(IssuerUnusable, match="usage"):
            issuer.check_usable(AT)


# -- revocation ---------------------------------------------------------------------------------


def key_in(directory, name: str):
    return load_pem_private_key((directory / f"{name}.key").read_bytes(), password=None)


def crl_of(directory, authority: str, *serials: int, made: datetime = AT, key=None) -> bytes:
    """A list by one of the issuer's authorities, valid for a week, in DER."""
    certificate = x509.load_pem_x509_certificate((directory / f"{authority}.pem").read_bytes())
    draft = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(certificate.subject)
        .last_update(made)
        .next_update(made + 7 * DAY)
    )
    for serial in serials:
        draft = draft.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(made).build()
        )
    key = key or key_in(directory, authority)
    return draft.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize(("authority", "place"), [("intermediate", 0), ("root", 1)])
def test_sealing_with_revoked_certificate_is_refused(directory, authority, place):
    issuer = load_issuer(directory)
    serial = issuer.chain[place].serial_number
    issuer.check_usable(AT)
    (directory / "today.crl").write_bytes(crl_of(directory, authority, serial))
    # It takes effect without a restart, when the lists are read again.
    issuer.check_usable(AT + CRL_REREAD)
    with pytest.raises(IssuerUnusable, match="revoked"):
        issuer.check_usable(AT + CRL_REREAD + timedelta(seconds=1))
    with pytest.raises(IssuerUnusable, match="revoked"):
        load_issuer(directory).check_usable(AT)


def test_expired_list_is_tolerated_for_a_day(directory):
    (directory / "old.crl").write_bytes(crl_of(directory, "intermediate", made=AT - 7 * DAY))
    issuer = load_issuer(directory)
    issuer.check_usable(AT)
    issuer.check_usable(AT + CRL_GRACE)
    with pytest.raises(IssuerUnusable, match="renewed"):
        issuer.check_usable(AT + CRL_GRACE + timedelta(seconds=1))
    (directory / "old.crl").write_bytes(crl_of(directory, "intermediate", made=AT + DAY))
    issuer.check_usable(AT + CRL_GRACE + timedelta(seconds=1))


def test_list_of_foreign_authority_is_refused(directory, tmp_path):
    development_issuer(tmp_path / "other", algorithm="rsa2048", at=AT)
    issuer = load_issuer(directory)
    for spoilt in (
        crl_of(directory, "intermediate", key=ec.generate_private_key(ec.SECP256R1())),
        crl_of(directory, "intermediate", key=key_in(tmp_path / "other", "intermediate")),
        crl_of(directory, "intermediate", key=key_in(directory, "seal")),
        b"",
        b"-----BEGIN X509 CRL-----\n",
    ):
        (directory / "a.crl").write_bytes(spoilt)
        with pytest.raises(IssuerUnusable):
            issuer.check_usable(AT)


# -- issuers ------------------------------------------------------------------------------------


def test_change_of_keys_keeps_old_seals_known(tmp_path):
    first = development_issuers(tmp_path, at=AT)
    assert list(first.by_id) == ["development-1"]
    old_seal = cms.read(first.current.sign(bytes(32)))
    development_issuer(tmp_path / "2027", algorithm="rsa2048", at=AT)
    waiting = load_issuers(tmp_path)
    assert waiting.current.chain == first.current.chain
    assert isinstance(waiting.by_id["2027"], KnownIssuer)
    assert len(waiting.roots) == len(waiting.claim_keys) == 2

    appoint(tmp_path, "2027")
    for path in (tmp_path / "development-1").glob("*.key"):
        path.unlink()
    known = load_issuers(tmp_path)
    assert isinstance(known.current.chain[0].public_key(), rsa.RSAPublicKey)
    retired = known.by_id["development-1"]
    assert isinstance(retired, KnownIssuer)
    assert retired.chain[0] == old_seal.leaf
    assert retired.root in known.roots
    assert known.roots[0] == known.current.root
    assert set(first.claim_keys) < set(known.claim_keys)
    assert retired.name == first.current.name
