"""Copy of a person's data: a zip with a JSON file per room, orders as CSV, receipts, and a readme."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx
from meterai.plumbing.db.personal import CopyFile, Person, Personal, Table
from meterai.plumbing.messages import LANGUAGES, format_datetime, translate

# Limits of a copy made within a request: tens of milliseconds, less than a megabyte.
ROWS_AT_ONCE, FILES_AT_ONCE = 1_000, 200
# Limits of a copy made by the periodic task, one copy at a time, to limit memory.
ROWS_MAX, FILES_MAX = 100_000, 2_000  # rows per table, files per room
# Limit for all files of a copy together; further files are available only on their pages.
FILES_BYTES_MAX = 64 * 1024 * 1024
STATEMENT_SECONDS_MAX = 120
README = "README.txt"
_ORDERS = "orders"  # the table that is also exported as CSV
_FORMULA = frozenset("=+-@\t\r")  # prefixes that a spreadsheet reads as a formula


@dataclass(slots=True)
class Copy:
    """Copy of a person's data: the data by room, and files. `is_cut` is true if rows or files beyond the limits were left out."""

    person: Person
    at: datetime
    rooms: dict[str, Sequence[Table]] = field(default_factory=dict)
    files: list[CopyFile] = field(default_factory=list)
    is_cut: bool = False


async def gather(
    tx: ReadTx,
    rooms: Mapping[str, Personal],
    person: Person,
    settings: Settings,
    at: datetime,
    most: tuple[int, int],
) -> Copy:
    """Read the data of a person from all rooms; `most` limits rows per table and files per room."""
    await tx.allow(STATEMENT_SECONDS_MAX)
    rows_max, files_max = most
    copy = Copy(person, at)
    room_left = FILES_BYTES_MAX
    for name, personal in rooms.items():
        tables = await personal.export(tx, person, rows_max)
        if tables:
            copy.rooms[name] = tables
        copy.is_cut |= any(one.is_cut for one in tables)
        files = await personal.files(tx, person, settings, files_max + 1)
        copy.is_cut |= len(files) > files_max
        for one in files[:files_max]:
            room_left -= len(one.content)
            copy.is_cut |= room_left < 0
            if room_left >= 0:
                copy.files.append(one)
    return copy


def zipped(copy: Copy) -> bytes:
    """Return the copy as a zip.  Takes processor time, so it must not run on an event loop."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(README, _readme(copy))
        for room, tables in copy.rooms.items():
            archive.writestr(f"data/{room}.json", _json(room, tables))
            for table in tables:
                if table.name == _ORDERS:
                    archive.writestr("orders.csv", _csv(table.rows))
        for one in copy.files:
            archive.writestr(one.name, one.content)
    return out.getvalue()


def _both(key: str, /, **facts: object) -> dict[str, str]:
    return {language: translate(key, language, **facts) for language in LANGUAGES}


def _json(room: str, tables: Sequence[Table]) -> str:
    told = {
        "room": room,
        "purpose": _both(f"purpose.{room}"),
        "tables": [
            {
                "table": one.name,
                "what": _both(f"personal.{one.name}"),
                "complete": not one.is_cut,
                "rows": one.rows,
            }
            for one in tables
        ],
    }
    return json.dumps(told, ensure_ascii=False, indent=1, default=str)


def _csv(rows: Sequence[Mapping[str, object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(rows[0])
    writer.writerows([_cell(value) for value in row.values()] for row in rows)
    return out.getvalue()


def _cell(value: object) -> object:
    """Return a value as a cell of a CSV; a text that a spreadsheet would read as a formula gets a leading quote."""
    return f"'{value}" if isinstance(value, str) and value[:1] in _FORMULA else value


def _readme(copy: Copy) -> str:
    return "\n".join(line for language in LANGUAGES for line in _told(copy, language))


def _told(copy: Copy, language: str) -> Iterator[str]:
    at = format_datetime(copy.at, language)
    yield from (translate("copy.readme.title", language), "")
    yield from (translate("copy.readme.lead", language, at=at, email=copy.person.email), "")
    for room, tables in copy.rooms.items():
        yield f"data/{room}.json: {translate(f'purpose.{room}', language)}"
        for one in tables:
            words = translate(f"personal.{one.name}", language)
            yield f"  - {one.name} ({len(one.rows)}): {words}"
    yield from ("", translate("copy.readme.files", language))
    yield translate("copy.readme.untold", language)
    if copy.is_cut:
        yield translate("copy.readme.cut", language)
    yield from ("", "")
