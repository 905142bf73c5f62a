"""Commands about one file or one QR code: stamp it, check it.  They need no database."""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cyclopts import Parameter

from meterai import sealing
from meterai.apps.exits import Exit
from meterai.apps.options import (
    NO_OPTIONS,
    AsJson,
    Between,
    Options,
    Text,
    complain,
    line,
    text_only,
)
from meterai.kit.clock import SystemClock
from meterai.kit.serial import UNLEASED, SerialMaker
from meterai.plumbing.config import Settings
from meterai.plumbing.files import read_file
from meterai.plumbing.messages import translate
from meterai.sealing import (
    Claim,
    ClaimForged,
    ClaimKeyUnknown,
    ClaimKeyUnusable,
    ClaimMalformed,
    IssuerUnusable,
    Placement,
    Report,
    Stamp,
    Verdict,
)
from meterai.stamping import issuers_directory, issuers_of
from meterai.verification import sentence

LENGTH_MAX = 1_000_000  # points; more than any page has
PAGES_MAX = 1_000_000
Page = Annotated[int, Parameter(validator=Between(-1, PAGES_MAX))]
Length = Annotated[float, Parameter(validator=Between(0, LENGTH_MAX))]
Password = Annotated[
    str,
    Parameter(help="Opens an encrypted document; it stays encrypted.", validator=text_only),
]
DOCUMENT_BYTES_MAX = 256 * 1024 * 1024  # the most that is read; what is too large says the engine
SCANNED_BYTES_MAX = 1024 * 1024  # of codes on the standard input, a line each


def _read(path: Path) -> bytes:
    try:
        return read_file(path, DOCUMENT_BYTES_MAX)
    except OSError as error:
        complain(f"{path}: {error.strerror}")
        raise SystemExit(Exit.USAGE) from None


def _placed(text: str) -> Placement:
    try:
        page, *lengths = text.split(",")
        x, y, width = map(float, lengths)
        placed = Placement(int(page), x, y, width)
        Between(-1, PAGES_MAX)(int, placed.page)
        for length in (x, y, width):
            Between(0, LENGTH_MAX)(float, length)
    except ValueError:
        complain(f"--place {text}: PAGE,X,Y,WIDTH is meant, such as -1,36,36,80")
        raise SystemExit(Exit.USAGE) from None
    return placed


def seal(  # noqa: PLR0913 - each is an option of the command
    source: Path,
    target: Path,
    options: Options = NO_OPTIONS,
    *,
    page: Page = -1,
    x: Length = 36.0,
    y: Length = 36.0,
    width: Length = 80.0,
    place: Annotated[
        list[str] | None,
        Parameter(
            help="PAGE,X,Y,WIDTH of a stamp; for several, several times.",
            allow_leading_hyphen=True,
            validator=text_only,
        ),
    ] = None,
    password: Password = "",
) -> None:
    """Put stamps on a PDF with the development issuer; needs no database.

    A damaged document is repaired first; then the target is the repaired one, stamped.  The
    stamps are SPECIMENs: nobody sold them and no register knows their serials.
    """
    settings, clock, maker = options.settings("seal"), SystemClock(), SerialMaker(UNLEASED)
    placements = [_placed(one) for one in place or ()] or [Placement(page, x, y, width)]
    opening = password.encode()
    try:
        intake = sealing.ingest(_read(source), placements, password=opening)
    except sealing.DocumentEncrypted:
        complain(f"{source}: needs its password to open; give it with --password")
        raise SystemExit(Exit.NO) from None
    stamps = [Stamp(maker.make(), placement) for placement in placements]
    delta = sealing.seal(
        intake.document,
        stamps,
        issuers_of(settings, clock, may_make=True).current,
        at=clock.now(),
        check_url=f"{settings.process.url}/c/",
        specimen=True,
        password=opening,
    )
    try:
        target.write_bytes(intake.document + delta.data)
    except OSError as error:
        complain(f"{target}: {error.strerror}")
        raise SystemExit(Exit.USAGE) from None
    if intake.is_repaired:
        line("repaired: the document was damaged; look whether all of it is there")
    for stamp in stamps:
        line(f"serial {stamp.serial}")


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
    report = sealing.verify(
        _read(document),
        issuers.roots,
        at=clock.now(),
        claim_keys=issuers.claim_keys,
        time_stamp_roots=issuers.time_stamp_roots,
        password=password.encode(),
    )
    if as_json:
        line(_as_json(report))
    else:
        line(report.verdict)
        for one in report.checks:
            line(f"  {'ok ' if one.passed else 'NO '} {one.name}: {sentence(one, 'en')}")
    if report.verdict in (Verdict.UNREADABLE, Verdict.COULD_NOT_BE_COMPARED):
        raise SystemExit(Exit.UNJUDGED)
    raise SystemExit(Exit.DONE if report.verdict == Verdict.GENUINE else Exit.NO)


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
    sha256 = hashlib.sha256(_read(document)).digest() if document else None
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
