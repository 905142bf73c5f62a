"""Commands of regulator: close a month; write and check extracts; make and check the evidence of a serial."""

from pathlib import Path
from typing import Annotated, BinaryIO

from cyclopts import Parameter

from meterai import approvals
from meterai.commands import (
    NO_OPTIONS,
    By,
    DryRun,
    Exit,
    Options,
    Reason,
    Text,
    complain,
    line,
    with_database,
)
from meterai.kit.clock import SystemClock
from meterai.kit.days import Month, read_day
from meterai.kit.refusal import NotFound
from meterai.kit.text import one_line
from meterai.ledger import Sums, figures_of
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.files import read_file, read_key_file
from meterai.plumbing.keyring import keyring_of
from meterai.plumbing.signed import public_key_of
from meterai.regulator.evidence_check import EVIDENCE_BYTES_MAX, check_evidence
from meterai.regulator.evidence_service import EvidenceService
from meterai.regulator.extracts import check_folder, file_name, signer_of
from meterai.regulator.levers import CLOSE, StatementsClose
from meterai.regulator.model import read_serial
from meterai.regulator.service import StatementService
from meterai.sealing import CHECKED_BYTES_MAX
from meterai.stamping import issuers_of

Key = Annotated[Path, Parameter(help="The public key in PEM: /regulator/key.pem.")]


def close(
    month: Text,
    *,
    reason: Reason,
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Close the statement of MONTH (such as 2026-11), so that its figures are final; a second person approves it."""
    asked = StatementsClose(month)
    approvals.pull(options, CLOSE, asked, by=by, reason=reason, dry_run=dry_run)
    line(f"{month} is closed")


def write_extract(
    day: Annotated[Text, Parameter(name="DAY")],
    *,
    out: Annotated[Path, Parameter(help="A new folder for the result.")],
    options: Options = NO_OPTIONS,
) -> None:
    """Write the extract of DAY (such as 2026-11-30), or of each day of a month (2026-11), as a manifest and a file of
    rows.
    """
    try:
        of = Month.read(day)
        first, last = of.first, of.last
    except NotFound:
        first = last = read_day(day)

    async def write(database: Database, settings: Settings) -> int:
        service = StatementService(database, keyring_of(settings), settings, SystemClock())
        found = await service.extracts(first, last)
        if not found:
            raise NotFound(f"no extract of {day}")
        out.mkdir(parents=True, exist_ok=True)
        for one in found:
            _write(out / f"{one.day}.json", one.manifest.encode())
            with _new(out / file_name(one.day)) as file:
                async for piece in service.pieces(one.day):
                    file.write(piece)
        return len(found)

    try:
        count = with_database("regulator extract", options, write)
    except OSError as error:
        raise _unwritten(out, error) from None
    line(f"{count} extracts: {out}")


def check(
    folder: Annotated[Path, Parameter(name="DIR")],
    *,
    key: Key,
    options: Options = NO_OPTIONS,
) -> None:
    """Check every extract in DIR offline with the public key of an installation: signatures, files, sums, and the
    chain of days.
    """
    options.settings("regulator check")
    found = list(check_folder(folder, public_key_of(read_key_file(key))))
    if not found:
        raise NotFound(f"no extract in {folder}")
    rows = sum(one.rows for one in found)
    line(f"every day from {found[0].day} to {found[-1].day}, {rows} facts: as they were signed")
    for figure in figures_of(Sums(row for one in found for row in one.sums.rows())):
        line(f"  {figure.name}: {figure.stamps} stamps, Rp {figure.rupiah}")


def make_evidence(
    serial: Text,
    *,
    out: Annotated[Path, Parameter(help="A new file.")],
    options: Options = NO_OPTIONS,
) -> None:
    """Write the evidence of a serial as a signed archive, without the document and without names of people."""
    of = read_serial(serial)

    async def make(database: Database, settings: Settings) -> bytes:
        clock = SystemClock()
        signer = signer_of(keyring_of(settings))
        service = EvidenceService(
            database,
            options.program.timeline,
            signer,
            issuers_of(settings, clock),
            settings.process,
            clock,
        )
        return await service.packed(of)

    content = with_database("evidence make", options, make)
    try:
        _write(out, content)
    except OSError as error:
        raise _unwritten(out, error) from None
    line(f"{of.grouped()}: {out}")


def verify_evidence(
    file: Path,
    *,
    key: Key,
    document: Annotated[
        Path | None, Parameter(help="The original, before it was stamped, to compare with.")
    ] = None,
    options: Options = NO_OPTIONS,
) -> None:
    """Check an archive of evidence offline with the public key of an installation.

    Exit status: 0 if the archive is valid, else 1.
    """
    options.settings("evidence verify")
    original = read_file(document, CHECKED_BYTES_MAX) if document else None
    public_key = public_key_of(read_key_file(key))
    held = check_evidence(read_file(file, EVIDENCE_BYTES_MAX), public_key, original)
    for name in ("serial", "by", "made_at", "specimen"):
        line(one_line(f"{name}: {held.manifest[name]}"))
    for name in ("state", "affixed_at", "sha256_original", "sha256_stamped"):
        line(one_line(f"{name}: {held.stamp[name]}"))
    for finding in held.findings:
        line(one_line(finding))


def _new(path: Path) -> BinaryIO:
    return path.open("xb")


def _write(path: Path, content: bytes) -> None:
    with _new(path) as file:
        file.write(content)


def _unwritten(path: Path, error: OSError) -> SystemExit:
    complain(f"{path}: {error.strerror}")
    return SystemExit(Exit.USAGE)
