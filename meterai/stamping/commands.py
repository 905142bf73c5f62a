"""Commands of stamping: seal a file without a database, show the issuers, and appoint the issuer that seals."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cyclopts import Parameter

from meterai import sealing
from meterai.commands import (
    NO_OPTIONS,
    Between,
    Exit,
    Options,
    Password,
    Text,
    complain,
    line,
    read_given,
    text_only,
)
from meterai.kit.clock import SystemClock
from meterai.kit.refusal import Refusal
from meterai.kit.serial import UNLEASED, SerialMaker
from meterai.sealing import WIDTH_DEFAULT, Issuer, KnownIssuer, Placement, Stamp
from meterai.stamping.issuers import issuers_directory, issuers_of

LENGTH_MAX = 1_000_000  # points; larger than any page
PAGES_MAX = 1_000_000
Page = Annotated[int, Parameter(validator=Between(-1, PAGES_MAX))]
Length = Annotated[float, Parameter(validator=Between(0, LENGTH_MAX))]


def _read_placement(text: str) -> Placement:
    try:
        page, *lengths = text.split(",")
        x, y, width = map(float, lengths)
        placed = Placement(int(page), x, y, width)
        Between(-1, PAGES_MAX)(int, placed.page)
        for length in (x, y, width):
            Between(0, LENGTH_MAX)(float, length)
    except ValueError:
        complain(f"--place {text}: PAGE,X,Y,WIDTH is expected, such as -1,36,36,80")
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
    width: Length = WIDTH_DEFAULT,
    place: Annotated[
        list[str] | None,
        Parameter(
            help="PAGE,X,Y,WIDTH of a stamp; may be given more than once.",
            allow_leading_hyphen=True,
            validator=text_only,
        ),
    ] = None,
    password: Password = "",
) -> None:
    """Put stamps on a PDF with the development issuer; needs no database.

    A damaged document is repaired first; the target then contains the repaired document.  The stamps are marked SPECIMEN: they
    were not sold, and no register contains their serials.
    """
    settings, clock, maker = options.settings("seal"), SystemClock(), SerialMaker(UNLEASED)
    placements = [_read_placement(one) for one in place or ()] or [Placement(page, x, y, width)]
    opening = password.encode()
    try:
        intake = sealing.ingest(read_given(source), placements, password=opening)
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
        line("repaired: the document was damaged; check that its content is complete")
    for stamp in stamps:
        line(f"serial {stamp.serial}")


def show_issuers(options: Options = NO_OPTIONS) -> None:
    """Show every issuer: its id, name, kind of key, end of its certificate, and the id of its claim key.

    Exit status 1 if the current issuer cannot seal now.
    """
    clock = SystemClock()
    issuers = issuers_of(options.settings("issuer show"), clock)
    for name, one in issuers.by_id.items():
        is_current = one is issuers.current
        line(f"{name}{' (current)' if is_current else ''}")
        line(f"  name       {one.name}")
        line(f"  key        {_kind(one)}")
        line(f"  valid      until {one.chain[0].not_valid_after_utc.isoformat()}")
        line(f"  claim key  {_claim_key_id(one) or 'none'}")
    raise SystemExit(Exit.DONE if _can_seal(issuers.current, clock.now()) else Exit.NO)


def appoint_issuer(name: Text, options: Options = NO_OPTIONS) -> None:
    """Make the issuer with this id the current one: it seals from the next start of web and worker on."""
    try:
        sealing.appoint(issuers_directory(options.settings("issuer appoint")), name)
    except sealing.IssuerUnusable as refusal:
        complain(f"{name} cannot seal: {refusal}")
        raise SystemExit(Exit.NO) from None
    line(f"{name} seals after the next start of web and worker")


def _kind(issuer: Issuer | KnownIssuer) -> str:
    match issuer.chain[0].public_key():
        case rsa.RSAPublicKey() as key:
            return f"RSA, {key.key_size} bits"
        case ec.EllipticCurvePublicKey() as key:
            return key.curve.name
        case key:
            return type(key).__name__


def _claim_key_id(issuer: Issuer | KnownIssuer) -> str | None:
    if isinstance(issuer, Issuer):
        return issuer.claim_key.id if issuer.claim_key else None
    return sealing.claim.key_id(issuer.claim_public) if issuer.claim_public else None


def _can_seal(issuer: Issuer, at: datetime) -> bool:
    try:
        issuer.check_usable(at)
    except Refusal as refusal:
        line(f"the current one cannot seal now: {refusal}")
        return False
    return True
