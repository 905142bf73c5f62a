"""Commands of verification: check a file, or texts of QR codes, without a database."""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cyclopts import Parameter

from meterai import sealing
from meterai.commands import (
    NO_OPTIONS,
    AsJson,
    Exit,
    Options,
    Password,
    Text,
    complain,
    line,
    read_given,
)
from meterai.kit.clock import SystemClock
from meterai.plumbing.config import Settings
from meterai.plumbing.messages import translate
from meterai.sealing import (
    CheckReport,
    ClaimForged,
    ClaimKeyUnknown,
    ClaimKeyUnusable,
    ClaimMalformed,
    IssuerUnusable,
    NotJudged,
    QrClaim,
    Verdict,
)
from meterai.stamping import issuers_directory, issuers_of
from meterai.verification.service import revisions, sentence

SCANNED_BYTES_MAX = 1024 * 1024  # of texts of QR codes on the standard input, one on each line


# Verdicts that prove neither that the seal is valid nor that it is invalid.
_UNJUDGED = frozenset({Verdict.UNREADABLE, Verdict.UNKNOWN_VERSION})


def _as_json(report: CheckReport, size_bytes: int) -> str:
    checks = [
        {"name": one.name, "passed": one.passed, "detail": sentence(one, "en")}
        for one in report.checks
    ]
    found = {"verdict": report.verdict, "serials": list(report.serials), "checks": checks}
    if report.verdict.is_good:
        found |= msgspec.to_builtins(revisions(report, size_bytes))
    return json.dumps(found, indent=2)


def _known_issuers(settings: Settings, clock: SystemClock) -> sealing.Issuers:
    try:
        return issuers_of(settings, clock)
    except IssuerUnusable as refusal:
        complain(f"no document can be checked: {refusal}")
        raise SystemExit(Exit.UNJUDGED) from None


def verify(
    document: Path,
    options: Options = NO_OPTIONS,
    *,
    as_json: AsJson = False,
    password: Password = "",
    extract_sealed: Annotated[
        Path | None,
        Parameter(
            help="A new file for the document as it was stamped, without later additions. It is "
            "written only if the seal is valid."
        ),
    ] = None,
) -> None:
    """Check the seal of a PDF with the keys of this installation's issuers, without the register of serials.

    Exit status: 0 genuine, 4 genuine and then extended, 1 no genuine stamp, 3 could not be checked.
    """
    settings, clock = options.settings("verify"), SystemClock()
    issuers, content = _known_issuers(settings, clock), read_given(document)
    try:
        report = sealing.verify_own(content, issuers, at=clock.now(), password=password.encode())
    except NotJudged as refusal:
        complain(translate(f"refusal.{refusal.code}", "en"))
        raise SystemExit(Exit.UNJUDGED) from None
    if extract_sealed is not None and report.verdict.is_good:
        _write_new(extract_sealed, content[: report.sealed_bytes])
    if as_json:
        line(_as_json(report, len(content)))
    else:
        line(report.verdict)
        for one in report.checks:
            line(f"  {'ok ' if one.passed else 'NO '} {one.name}: {sentence(one, 'en')}")
        if report.verdict.is_good:
            line(f"  sealed: the first {report.sealed_bytes} of {len(content)} bytes")
        for earlier in report.earlier:
            named = ", ".join(earlier.serials)
            line(f"  earlier: a version of {earlier.sealed_bytes} bytes was stamped with {named}")
    raise SystemExit(_exit_of(report.verdict))


def _exit_of(verdict: Verdict) -> Exit:
    if verdict in _UNJUDGED:
        return Exit.UNJUDGED
    if verdict is Verdict.GENUINE_THEN_EXTENDED:
        return Exit.EXTENDED
    return Exit.DONE if verdict.is_good else Exit.NO


def _write_new(path: Path, content: bytes) -> None:
    """Write a new file.  Ends the command with an error if the file exists or cannot be written completely."""
    try:
        # Mode `x` (O_EXCL) fails for an existing file, which is so never changed.
        with path.open("xb") as file:
            try:
                file.write(content)
                file.flush()
            except OSError:
                path.unlink()
                raise
    except OSError as error:
        complain(f"{path}: {error.strerror}")
        raise SystemExit(Exit.USAGE) from None


def verify_claim(
    *text: Text,
    keys: Annotated[
        list[Path] | None,
        Parameter(help="PEM file of a public key of claims; may be given more than once."),
    ] = None,
    document: Annotated[
        Path | None, Parameter(help="The original, before it was stamped, to compare with.")
    ] = None,
    as_json: AsJson = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Check the text of the QR code of a stamp offline, with the public keys only.

    Without TEXT, a text is read from each line of the standard input.  Without --keys, the keys are those of this
    installation's issuers.  A valid code proves that the issuer made it for one document; with --document that document is
    compared with a file.  Whether the serial is still valid is not checked.

    Exit status: 0 the code is valid, 1 it is not, 3 it could not be checked.
    """
    trusted = _trusted(keys, options)
    sha256 = hashlib.sha256(read_given(document)).digest() if document else None
    scanned = text or _read_texts()
    if not scanned:
        complain("the text of a QR code is missing")
        raise SystemExit(Exit.USAGE)
    raise SystemExit(max(_check_claim(one, trusted, sha256, as_json=as_json) for one in scanned))


def _read_texts() -> tuple[str, ...]:
    """Read texts from the standard input, one from each line that is not blank."""
    told = sys.stdin.read(SCANNED_BYTES_MAX + 1)
    if len(told) > SCANNED_BYTES_MAX:
        complain(f"at most {SCANNED_BYTES_MAX} characters are read from standard input")
        raise SystemExit(Exit.USAGE)
    return tuple(filter(None, map(str.strip, told.splitlines())))


def _trusted(files: Sequence[Path] | None, options: Options) -> Mapping[str, Ed25519PublicKey]:
    try:
        if files:
            return sealing.claim.load_public_keys(files)
        return sealing.load_issuers(issuers_directory(options.settings("verify-claim"))).claim_keys
    except (ClaimKeyUnusable, IssuerUnusable) as refusal:
        complain(str(refusal))
        raise SystemExit(Exit.USAGE if files else Exit.UNJUDGED) from None


def _check_claim(
    text: str, keys: Mapping[str, Ed25519PublicKey], sha256: bytes | None, *, as_json: bool
) -> int:
    """Check the text of one QR code, print its content, and return the exit status for this text."""
    try:
        claim = sealing.claim.read(text, keys)
    except (ClaimForged, ClaimKeyUnknown, ClaimMalformed) as refusal:
        reason = translate(f"refusal.{refusal.code}", "en", **refusal.facts())
        line(json.dumps({"claim": refusal.code, **refusal.facts()}) if as_json else reason)
        return Exit.NO if isinstance(refusal, ClaimForged) else Exit.UNJUDGED
    is_same = None if sha256 is None else sealing.claim.matches(claim, sha256)
    found = _facts(claim) | ({} if is_same is None else {"document": is_same})
    if as_json:
        line(json.dumps(found))
    else:
        for name, value in found.items():
            shown = {True: "is the one", False: "IS ANOTHER ONE"}.get(value, value)  # type: ignore[call-overload]
            line(f"{name:24}{shown}")
    return Exit.NO if is_same is False else Exit.DONE


def _facts(claim: QrClaim) -> dict[str, object]:
    return {
        "claim": "holds",
        "serial": claim.serial.text,
        "sealed_at": claim.at.isoformat(),
        "sha256_original_begins": claim.digest16.hex(),
        "key_id": claim.key_id,
    }
