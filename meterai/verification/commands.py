"""Check one file or the text of one QR code, without a database."""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

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
    Claim,
    ClaimForged,
    ClaimKeyUnknown,
    ClaimKeyUnusable,
    ClaimMalformed,
    IssuerUnusable,
    Report,
    Verdict,
)
from meterai.stamping import issuers_directory, issuers_of
from meterai.verification.service import sentence

SCANNED_BYTES_MAX = 1024 * 1024  # of codes on the standard input, a line each


def _as_json(report: Report) -> str:
    checks = [
        {"name": one.name, "passed": one.passed, "detail": sentence(one, "en")}
        | ({"place": one.facts} if "page" in one.facts else {})
        for one in report.checks
    ]
    found = {"verdict": report.verdict, "serials": list(report.serials), "checks": checks}
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
) -> None:
    """Check the seal of a PDF against this instance's issuers, without the register.

    Exit status: 0 genuine, 1 not genuine, 3 could not be checked.
    """
    settings, clock = options.settings("verify"), SystemClock()
    issuers = _known_issuers(settings, clock)
    report = sealing.verify_own(
        read_given(document), issuers, at=clock.now(), password=password.encode()
    )
    if as_json:
        line(_as_json(report))
    else:
        line(report.verdict)
        for one in report.checks:
            line(f"  {'ok ' if one.passed else 'NO '} {one.name}: {sentence(one, 'en')}")
    if report.verdict in (Verdict.UNREADABLE, Verdict.COULD_NOT_BE_COMPARED):
        raise SystemExit(Exit.UNJUDGED)
    raise SystemExit(Exit.DONE if report.verdict.is_good else Exit.NO)


def verify_claim(
    *text: Text,
    keys: Annotated[
        list[Path] | None,
        Parameter(help="PEM file of a public key of claims; for several, several times."),
    ] = None,
    document: Annotated[
        Path | None, Parameter(help="The original, before it was stamped, to compare with.")
    ] = None,
    as_json: AsJson = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Check what was read from the QR code of a stamp, offline: with the public keys alone.

    Without TEXT, one is read from each line of the standard input.  Without --keys, the keys are
    those of this instance's issuers.  It says that the issuer made the code for one document; with
    --document also, whether for this one.  Whether the serial is still good only the register knows.

    Exit status: 0 holds, 1 does not, 3 could not be checked.
    """
    trusted = _trusted(keys, options)
    sha256 = hashlib.sha256(read_given(document)).digest() if document else None
    scanned = text or _scanned()
    if not scanned:
        complain("no text of a QR code was given")
        raise SystemExit(Exit.USAGE)
    raise SystemExit(max(_check_claim(one, trusted, sha256, as_json=as_json) for one in scanned))


def _scanned() -> tuple[str, ...]:
    """One text a line, from the standard input."""
    told = sys.stdin.read(SCANNED_BYTES_MAX + 1)
    if len(told) > SCANNED_BYTES_MAX:
        complain(f"at most {SCANNED_BYTES_MAX} characters are read from the standard input")
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
    """Say what one text claims; the exit status that it alone would give."""
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


def _facts(claim: Claim) -> dict[str, object]:
    return {
        "claim": "holds",
        "serial": claim.serial.text,
        "sealed_at": claim.at.isoformat(),
        "sha256_original_begins": claim.digest16.hex(),
        "key_id": claim.key_id,
    }
