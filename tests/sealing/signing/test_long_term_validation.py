"""Seals with a time-stamp (PAdES B-T) and with evidence behind them (B-LT), as an issuer configures."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import DocumentSecurityStore, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from meterai.kit.serial import SerialMaker
from meterai.sealing import (
    CheckReport,
    Issuer,
    Placement,
    SealingUnavailable,
    Stamp,
    Verdict,
    development_issuer,
    load_issuer,
    seal,
    verify,
)
from tests.support.authority import RunningAuthority, running_authority

PROOFS = """
time_stamp_url = "{url}"
time_stamp_roots = "tsa.pem"
timeout_seconds = 30.0
long_term = {long_term}
"""


@pytest.fixture
def now() -> datetime:
    """The time of the machine, which the authority states and these seals therefore use."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def issuers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of the issuers whose certificates the authority answers for."""
    return tmp_path_factory.mktemp("authority") / "issuers"


@pytest.fixture(scope="module")
def authority(issuers: Path) -> Iterator[RunningAuthority]:
    with running_authority(issuers.with_name("own"), issuers) as running:
        yield running


@pytest.fixture(params=["p256", "rsa2048"])
def directory(request, authority, issuers: Path, now, tmp_path: Path) -> Path:
    made = issuers / f"{request.param}-{tmp_path.name}"
    development_issuer(made, algorithm=request.param, at=now, authority_url=authority.url)
    (made / "tsa.pem").write_bytes(authority.root.public_bytes(Encoding.PEM))
    authority.clear()
    return made


def issuer_with(directory: Path, authority: RunningAuthority, *, long_term: bool) -> Issuer:
    written = PROOFS.format(url=authority.tsa_url, long_term=str(long_term).lower())
    (directory / "proofs.toml").write_text(written)
    return load_issuer(directory)


def sealed(issuer: Issuer, original: bytes, at: datetime, count: int = 1, y: float = 30) -> bytes:
    maker = SerialMaker(7)
    stamps = [Stamp(maker.make(), Placement(1, 30 + 90 * n, y)) for n in range(count)]
    url = "https://meterai.example/c/"
    delta = seal(original, stamps, issuer, at=at, check_url=url, specimen=True)
    return original + delta.data


def checked(
    issuer: Issuer, authority: RunningAuthority, document: bytes, at: datetime
) -> CheckReport:
    return verify(document, [issuer.root], at=at, time_stamp_roots=[authority.root])


def test_seal_with_time_stamp_is_genuine(directory, authority, plain, now):
    issuer = issuer_with(directory, authority, long_term=False)
    document = sealed(issuer, plain, now)
    report = checked(issuer, authority, document, now)
    assert report.verdict is Verdict.GENUINE
    (check,) = (check for check in report.checks if check.name == "time_stamp")
    assert abs((check.facts["at"] - now).total_seconds()) < 300
    (signature,) = PdfFileReader(io.BytesIO(document)).embedded_signatures
    roots = [
        asn1_x509.Certificate.load(one.public_bytes(Encoding.DER))
        for one in (issuer.root, authority.root)
    ]
    status = validate_pdf_signature(signature, ValidationContext(trust_roots=roots))
    assert status.bottom_line
    assert status.timestamp_validity is not None
    assert status.timestamp_validity.valid


def test_seal_with_evidence_is_genuine(directory, authority, plain, now):
    issuer = issuer_with(directory, authority, long_term=True)
    document = sealed(issuer, plain, now, count=2)
    assert checked(issuer, authority, document, now).verdict is Verdict.GENUINE
    reader = PdfFileReader(io.BytesIO(document))
    store = DocumentSecurityStore.read_dss(reader)
    assert len(store.certs) == 5  # ours, the time-stamp authority's
    assert store.ocsps or store.crls
    (signature,) = reader.embedded_signatures
    assert len(store.vri_entries) == 1
    context = store.as_validation_context(
        {"trust_roots": [asn1_x509.Certificate.load(issuer.root.public_bytes(Encoding.DER))]}
    )
    assert validate_pdf_signature(signature, context).intact


@pytest.mark.parametrize("fault", ["unavailable", "garbage"])
def test_sealing_fails_while_authority_fails(directory, authority, plain, now, fault):
    issuer = issuer_with(directory, authority, long_term=False)
    authority.set_faults(**{fault: -1})
    with pytest.raises(SealingUnavailable) as refusal:
        sealed(issuer, plain, now)
    assert refusal.value.code == "time_stamp_unavailable"
    authority.clear()
    assert checked(issuer, authority, sealed(issuer, plain, now), now).verdict is Verdict.GENUINE


def test_time_stamp_of_another_authority_is_not_trusted(directory, authority, plain, now):
    issuer = issuer_with(directory, authority, long_term=False)
    document = sealed(issuer, plain, now)
    report = verify(document, [issuer.root], at=now, time_stamp_roots=[issuer.root])
    assert report.verdict is Verdict.ALTERED
    assert [check.name for check in report.checks if not check.passed] == ["time_stamp"]
