"""Commands of complaints: export for SP4N-LAPOR!, and verification of a signed answer."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from meterai.cases import handing_over
from meterai.cases.handing_over import HandOverFormat, HandOverRow
from meterai.cases.proof import FILE_BYTES_MAX, read_answer
from meterai.cases.settings import CaseSettings
from meterai.commands import NO_OPTIONS, Exit, Options, Text, complain, line, with_database
from meterai.kit.refusal import Malformed
from meterai.kit.text import one_line
from meterai.operator import OperatorSettings
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.figures import moment
from meterai.plumbing.files import read_file, read_key_file
from meterai.plumbing.signed import public_key_of


def hand_over(
    begin: Annotated[Text, Parameter(name="FROM")],
    end: Annotated[Text, Parameter(name="TO")],
    *,
    file: Annotated[Path, Parameter(help="A new file: .csv, or .jsonl for JSON lines.")],
    options: Options = NO_OPTIONS,
) -> None:
    """Export complaints of a period to SP4N-LAPOR!: those that wait for staff, and those that another institution answers.

    FROM and TO are days in WIB or moments; TO is not in the period.  The file contains no account, mail address or order
    number.  In the words of people, text that looks like one of these is masked.
    """
    first, last = moment(begin, "FROM"), moment(end, "TO")
    if first >= last:
        raise Malformed("TO", "moment")
    try:
        form = HandOverFormat(file.suffix.removeprefix(".").lower())
    except ValueError:
        raise Malformed("file", "another_value") from None

    async def look(database: Database, settings: Settings) -> list[HandOverRow]:
        calendar = settings.of(CaseSettings).calendar
        name = settings.of(OperatorSettings).operator_name
        async with database.reading() as tx:
            found = await handing_over.waiting(tx, first, last)
        return [handing_over.report(one, name, calendar) for one in found]

    reports = with_database("cases hand-over", options, look)
    _write_new(file, handing_over.written(reports, form))
    line(f"{len(reports)} complaints: {file}")


def _write_new(path: Path, content: bytes) -> None:
    """Write a new file readable by its owner alone, because it contains words of people."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(content)
    except OSError as error:
        complain(f"{path}: {error.strerror}")
        raise SystemExit(Exit.USAGE) from None


def check_answer(file: Path, *, key: Path, options: Options = NO_OPTIONS) -> None:
    """Check a signed answer with the public key of an installation (`/complaints/key.pem`), offline."""
    options.settings("cases check-answer")
    facts = read_answer(read_file(file, FILE_BYTES_MAX), public_key_of(read_key_file(key)))
    for name, value in facts.items():
        if name != "lines":
            line(one_line(f"{name}: {value}"))
    lines = facts.get("lines")
    for label, value in lines if isinstance(lines, list) else ():
        line(one_line(f"{label}: {value}" if label else str(value)))
