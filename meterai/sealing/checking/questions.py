"""Encoding of the arguments of `verify` and of its report, for a task in another process."""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from meterai.sealing.model import Check, CheckReport, EarlierSeal, LaterSignature, Verdict
from meterai.sealing.sandbox import answers
from meterai.sealing.sandbox.answers import CheckFound, NotAnswered, TimeFact, Verified
from meterai.sealing.signing.trust import Sealers
from meterai.sealing.stamp.identifiers import is_serial

ClaimKeys = Mapping[str, Ed25519PublicKey]


@dataclass(frozen=True, slots=True)
class CheckQuestion:
    """Arguments of `verify`."""

    document: bytes = field(repr=False)
    trusted_roots: Sequence[x509.Certificate]
    at: datetime
    claim_keys: ClaimKeys | None = None
    time_stamp_roots: Sequence[x509.Certificate] = ()
    password: bytes = b""
    seal_certificates: Sequence[x509.Certificate] = ()

    @property
    def sealers(self) -> Sealers:
        """Sealers that the check trusts."""
        return Sealers.of(self.trusted_roots, self.seal_certificates)


def parameters_of(question: CheckQuestion) -> dict[str, object]:
    """Encode the arguments, except the document, as parameters of a task."""
    return {
        "trusted_roots": _written(question.trusted_roots),
        "at": question.at.isoformat(),
        "claim_keys": None
        if question.claim_keys is None
        else {
            name: b64encode(key.public_bytes_raw()).decode("ascii")
            for name, key in question.claim_keys.items()
        },
        "time_stamp_roots": _written(question.time_stamp_roots),
        "password": question.password.decode("latin-1"),
        "seal_certificates": _written(question.seal_certificates),
    }


def _written(certificates: Sequence[x509.Certificate]) -> list[str]:
    return [b64encode(one.public_bytes(Encoding.DER)).decode("ascii") for one in certificates]


def _certificates(texts: Sequence[str]) -> list[x509.Certificate]:
    return [x509.load_der_x509_certificate(b64decode(text)) for text in texts]


def read_question(document: bytes, parameters: Mapping[str, Any]) -> CheckQuestion:
    """Decode the arguments from the document and the parameters of a task."""
    keys: Mapping[str, str] | None = parameters["claim_keys"]
    return CheckQuestion(
        document,
        _certificates(parameters["trusted_roots"]),
        datetime.fromisoformat(parameters["at"]),
        None
        if keys is None
        else {
            name: Ed25519PublicKey.from_public_bytes(b64decode(text)) for name, text in keys.items()
        },
        _certificates(parameters["time_stamp_roots"]),
        parameters["password"].encode("latin-1"),
        _certificates(parameters["seal_certificates"]),
    )


def written_report(report: CheckReport) -> Verified:
    """Encode a report as the answer of a task."""
    return Verified(
        report.verdict.value,
        list(report.serials),
        [
            CheckFound(
                check.name,
                check.passed,
                {name: _written_fact(fact) for name, fact in check.facts.items()},
            )
            for check in report.checks
        ],
        report.sealed_at,
        report.sealed_bytes,
        report.sha256_sealed,
        report.sha256_original,
        list(report.originals),
        [
            answers.Earlier(one.sealed_bytes, one.sealed_at, list(one.serials))
            for one in report.earlier
        ],
        [answers.Later(one.signer, one.at) for one in report.later],
        report.is_spoilt,
    )


def _written_fact(fact: object) -> bool | int | float | str | TimeFact:
    match fact:
        case datetime():
            return TimeFact(fact)
        case bool() | int() | float() | str():
            return fact
        case _:
            raise TypeError(f"a fact of a kind that no check has: {fact!r}")


def read_report(
    found: Verified, always: Set[str], sometimes: Set[str], size_bytes: int
) -> CheckReport:
    """Decode the report of a task about a file of `size_bytes`.

    `always` has the names of the checks that every genuine report contains, and `sometimes` those that it may contain. Raises
    `NotAnswered` if the report contradicts itself, if it has a check of another name, or if its verdict is good although a
    check failed or one of `always` is missing.
    """
    checks = tuple(
        Check(
            one.name,
            one.passed,
            {
                name: fact.time if isinstance(fact, TimeFact) else fact
                for name, fact in one.facts.items()
            },
        )
        for one in found.checks
    )
    made = {one.name for one in checks}
    if not made <= always | sometimes:
        raise NotAnswered
    try:
        verdict = Verdict(found.verdict)
    except ValueError:
        raise NotAnswered from None
    if verdict.is_good and (
        not made >= always
        or not all(one.passed for one in checks)
        or not len(found.serials) == len(found.originals) > 0
        or not all(map(is_serial, found.serials))
        or None in (found.sha256_sealed, found.sha256_original)
        or not 0 < (found.sealed_bytes or 0) <= size_bytes
        or not all(is_serial(serial) for one in found.earlier for serial in one.serials)
    ):
        raise NotAnswered
    if verdict is Verdict.STATEMENT and (
        "no_stamp" not in made or found.serials or not all(one.passed for one in checks)
    ):
        raise NotAnswered
    return CheckReport(
        verdict,
        tuple(found.serials),
        checks,
        found.sealed_at,
        found.sealed_bytes,
        found.sha256_sealed,
        found.sha256_original,
        tuple(found.originals),
        tuple(
            EarlierSeal(one.sealed_bytes, one.sealed_at, tuple(one.serials))
            for one in found.earlier
        ),
        tuple(LaterSignature(one.signer, one.at) for one in found.later),
        found.is_spoilt,
    )
