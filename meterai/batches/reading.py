"""Reading of the rows of a batch: JSON lines, or CSV as Excel writes it, with the columns that are common in the market for
electronic stamps.

Each row is read by itself: a row that cannot be read gets a refusal, and the next row is read. The whole body is refused only
if it is not a list of rows.
"""

import csv
import io
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from meterai.batches.model import (
    FILE_NAME_LENGTH_MAX,
    KEY_LENGTH_MAX,
    FileNameUnsafe,
    PlacementMissing,
    RowFacts,
    RowUnread,
    TypedRow,
)
from meterai.kit.numbers import counted
from meterai.kit.refusal import Malformed, Refusal
from meterai.kit.text import as_came, one_line
from meterai.plumbing.http.requests import read_json
from meterai.sealing import (
    HEIGHT_PER_WIDTH,
    WIDTH_MAX,
    WIDTH_MIN,
    Placement,
    PlacementWish,
)
from meterai.stamping import day_of_document, read_placements

LINE_LENGTH_MAX = 16 * 1024  # bytes of a row; twenty placements at texts of 200 characters fit
RECORD_LINES_MAX = 20  # lines of one row; a longer cell lacks its closing quotation mark
TEXT_LENGTH_MAX = 200  # characters of a number, place or name of a document
TYPES = ("4a", "4b", "3", "2")
POINTS_MAX = 100_000.0  # PDF points; larger than any page
# Columns of the table that is common in the market. A table without a header has its columns in this order.
COLUMNS = (
    "file",
    "password",
    "type",
    "number",
    "date",
    "place",
    "party_number",
    "party_name",
    "llx",
    "lly",
    "urx",
    "ury",
)
_NAMES: Mapping[str, tuple[str, ...]] = {
    "file": ("file", "file name", "filename", "nama file", "nama berkas", "berkas", "dokumen", "nama dokumen", "document"),
    "sha256": ("sha256", "sha 256"),
    "upload": ("upload", "unggahan"),
    "key": ("key", "kunci", "row key", "kunci baris"),
    "password": ("password", "kata sandi", "sandi", "pdf password"),
    "type": ("type", "tipe", "jenis", "tipe dokumen", "jenis dokumen", "kode dokumen", "document type"),
    "number": ("number", "nomor", "no dokumen", "nomor dokumen", "document number", "doc number", "document no"),
    "date": ("date", "tanggal", "tgl", "tanggal dokumen", "tgl dokumen", "document date", "doc date"),
    "value": ("value", "nilai", "nilai dokumen", "document value", "amount"),
    "place": ("place", "tempat", "lokasi", "kota", "location"),
    "party_number": ("npwp", "nik", "npwp/nik", "nik/npwp", "npwp nik", "nomor identitas", "no identitas", "identity number"),
    "party_name": ("name", "nama", "nama pihak", "party", "pihak", "party name", "nama lawan transaksi"),
    "llx": ("llx",),
    "lly": ("lly",),
    "urx": ("urx",),
    "ury": ("ury",),
    "page": ("page", "halaman", "hal"),
    "corner": ("corner", "pojok", "sudut"),
    "text": ("text", "teks", "kata", "anchor"),
    "occurrence": ("occurrence", "kemunculan", "urutan"),
}  # fmt: skip
_BETWEEN_WORDS = re.compile(r"[\s_.*\-]+")
_COLUMN_OF = {
    _BETWEEN_WORDS.sub("", name): column for column, names in _NAMES.items() for name in names
}
_CORNERS = {
    "kiri bawah": "bottom_left",
    "kanan bawah": "bottom_right",
    "kiri atas": "top_left",
    "kanan atas": "top_right",
}
_SEPARATORS = ",;\t"
_DATE = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})")
_ISO_DATE = re.compile(r"(\d{4})[/\-](\d{1,2})[/\-](\d{1,2})(?:[T ]0{1,2}:00(?::00)?)?")
_RUPIAH = re.compile(
    r"(?:rp\.?\s*)?(\d{1,3}(?:[.,]\d{3})+|\d+)(?:[.,]0{1,2})?(?:,-)?", re.IGNORECASE
)
_NUMBERS_OF_PARTIES = (15, 16, 22)  # digits of an old NPWP, of an NIK or a current NPWP, of a NITKU
# Characters that systems read differently: `\` may separate folders, `:` may follow a drive, some forms write `"` as `%22`,
# and U+FFFD replaces bytes that could not be decoded.
_AMBIGUOUS = frozenset('\\:"\ufffd')
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


class _Party(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str | None = None
    number: str | None = None


class _ColumnText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    file: str | None = None
    upload: str | None = None
    sha256: str | None = None
    key: str | None = None
    type: str | None = None
    number: str | None = None
    date: str | None = None
    value: int | None = None
    place: str | None = None
    party: _Party | None = None
    placement: dict[str, Any] | list[dict[str, Any]] | None = None


def json_rows(body: bytes) -> list[TypedRow]:
    """Read the rows of JSON lines (UTF-8, one object on each line). Blank lines are skipped."""
    text = body.removeprefix(b"\xef\xbb\xbf")
    return [
        _json_row(number, line) for number, line in enumerate(text.split(b"\n"), 1) if line.strip()
    ]


def _json_row(number: int, line: bytes) -> TypedRow:
    line = line.strip()
    if len(line) > LINE_LENGTH_MAX:
        return TypedRow(
            number, refusal=Malformed("row", "within_bounds"), raw=line[:LINE_LENGTH_MAX]
        )
    try:
        columns: _ColumnText = read_json(line, _ColumnText)
    except Malformed as refusal:
        unread = RowUnread("no JSON object") if refusal.field == "body" else refusal
        return TypedRow(number, key=_key_in(line), refusal=unread, raw=line)
    key, document = None, ""
    try:
        key = _key(columns.key)
        document = document_of(columns.file, columns.upload, columns.sha256)
        party = columns.party or _Party()
        facts = _facts(
            type=columns.type,
            number=columns.number,
            date=columns.date,
            value=columns.value,
            place=columns.place,
            party_name=party.name,
            party_number=party.number,
        )
        if columns.placement is None:
            raise PlacementMissing("no placement")
        wishes = read_placements(msgspec.json.encode(columns.placement))
    except Refusal as refusal:
        return TypedRow(number, key, document, refusal=refusal, raw=line)
    return TypedRow(number, key, document, wishes, facts)


def _key_in(line: bytes) -> str | None:
    """Return the key in a line that is no valid row, so that the answer can name the row; None if no key is found."""
    try:
        decoded = msgspec.json.decode(line)
        return _key(decoded.get("key")) if isinstance(decoded, dict) else None
    except (msgspec.DecodeError, ValueError, TypeError, Malformed, RecursionError):
        return None


def _key(text: object) -> str | None:
    if text is None or text == "":
        return None
    if not isinstance(text, str) or len(text) > KEY_LENGTH_MAX or not text.isprintable():
        raise Malformed("key", "shown_text", length_max=KEY_LENGTH_MAX)
    return text


def document_of(file: str | None, upload: str | None, sha256: str | None) -> str:
    """Return the stored reference to the document of a row: `file:<name>`, `sha256:<hex>` or `upload:<id>`.

    Exactly one of the arguments must be given. Refuses `Malformed`, `FileNameUnsafe`.
    """
    given = [one for one in (file, upload, sha256) if one]
    if not given:
        raise Malformed("file", "given")
    if len(given) > 1:
        raise Malformed("file", "once")
    if file:
        return f"file:{safe_name(file)}"
    if sha256:
        if not _SHA256.fullmatch(sha256.strip()):
            raise Malformed("sha256", "sha256")
        return f"sha256:{sha256.strip().lower()}"
    return f"upload:{one_line(str(upload))[:KEY_LENGTH_MAX]}"


def safe_name(name: str) -> str:
    """Return the name of a file unchanged, including the folders of its path in an archive. Refuses `FileNameUnsafe`.

    Rows refer to files by this name. A name is never corrected, because two different names could become equal.
    """
    is_safe = (
        len(name) <= FILE_NAME_LENGTH_MAX
        and name == as_came(name)
        and unicodedata.is_normalized("NFC", name)
        and not _AMBIGUOUS & set(name)
        and all(part == part.strip() and part.strip(".") for part in name.split("/"))
    )
    if not is_safe:
        raise FileNameUnsafe("the name of the file leads outside its folder")
    return name


def _text(field: str, text: str | None) -> str | None:
    if text is None or not (line := one_line(text)):
        return None
    if len(line) > TEXT_LENGTH_MAX:
        raise Malformed(field, "shown_text", length_max=TEXT_LENGTH_MAX)
    return line


def _facts(
    *,
    type: str | None,
    number: str | None,
    date: str | None,
    value: int | None,
    place: str | None,
    party_name: str | None,
    party_number: str | None,
) -> RowFacts:
    kind = (type or "").strip().lower()
    if kind and kind not in TYPES:
        raise Malformed("type", "document_type")
    if value is not None and not 0 <= value < 1 << 53:
        raise Malformed("value", "within_bounds")
    return RowFacts(
        type=kind or None,
        number=_text("number", number),
        date=_date(date),
        value=value,
        place=_text("place", place),
        party_name=_text("party.name", party_name),
        party_number=_party_number(party_number),
    )


def _party_number(text: str | None) -> str | None:
    if text is None or not text.strip():
        return None
    digits = re.sub(r"[\s.\-]", "", text.strip().lstrip("'"))
    if counted(digits, max(_NUMBERS_OF_PARTIES)) is None or len(digits) not in _NUMBERS_OF_PARTIES:
        raise Malformed("party.number", "party_number")
    return digits


def _date(text: str | None) -> str | None:
    stripped = (text or "").strip()
    if not stripped:
        return None
    try:
        if found := _DATE.fullmatch(stripped):
            day, month, year = map(int, found.groups())
        elif found := _ISO_DATE.fullmatch(stripped):
            year, month, day = map(int, found.groups())
        else:
            raise ValueError
        return day_of_document(date(year, month, day))
    except ValueError:
        raise Malformed("date", "day") from None


# -- CSV -----------------------------------------------------------------------------------------


def csv_rows(body: bytes) -> tuple[list[TypedRow], list[str]]:
    """Return the rows of a CSV, and the names of its unknown columns. Refuses `Malformed` if the body is not a table."""
    text = decoded(body)
    if "\0" in text.partition("\n")[0]:  # an unsupported encoding, or not a text
        raise Malformed("body", "batch_table")
    separator, text, skipped = _separator(text)
    if len(text) > csv.field_size_limit() and max(map(len, text.splitlines())) > LINE_LENGTH_MAX:
        raise Malformed("body", "batch_table")
    records = [(number + skipped, cells) for number, cells in _records(text, separator)]
    if not records:
        return [], []
    first = records[0][1]
    columns, ignored = (None, []) if isinstance(first, str) else _header(first)
    if columns is None:
        return [_csv_row(number, cells, COLUMNS) for number, cells in records], []
    return [_csv_row(number, cells, columns) for number, cells in records[1:]], ignored


def decoded(body: bytes) -> str:
    """Decode a CSV in an encoding that Excel writes: UTF-8 or UTF-16 by their byte order marks, else UTF-8, else
    Windows-1252.
    """
    try:
        if body.startswith(b"\xef\xbb\xbf"):
            return body[3:].decode()
        if body.startswith((b"\xff\xfe", b"\xfe\xff")):
            return body.decode("utf-16")
        return body.decode()
    except UnicodeDecodeError:
        if body.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
            raise Malformed("body", "batch_table") from None
        return body.decode("cp1252", "replace")


def _separator(text: str) -> tuple[str, str, int]:
    """Return (separator of cells, text without a first line that only declares the separator, number of lines left out: 0 or
    1).
    """
    line, _, rest = text.partition("\n")
    first_line = line.strip("\r").strip('"')
    if first_line.lower().startswith("sep=") and len(first_line) == len("sep=") + 1:
        return first_line[-1], rest, 1
    unquoted = re.sub(r'"[^"]*"', "", line)
    return max(_SEPARATORS, key=unquoted.count), text, 0


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str] | str]]:
    """Yield the number of the first line and the cells of each record that is not blank.

    A line with an unclosed quotation mark is yielded as text instead of cells, so that a stray quotation mark makes only one
    line unreadable.
    """
    lines = re.split(r"\r\n|\r|\n", text)
    at = 0
    while at < len(lines):
        end = at + 1
        while "\n".join(lines[at:end]).count('"') % 2 and end < min(
            len(lines), at + RECORD_LINES_MAX
        ):
            end += 1
        record = "\n".join(lines[at:end])
        if record.count('"') % 2:
            yield at + 1, lines[at]
            at += 1
            continue
        if record.strip():
            cells = next(csv.reader(io.StringIO(record, newline=""), delimiter=separator))
            if any(cell.strip() for cell in cells):
                yield at + 1, cells
        at = end


def _header(cells: Sequence[str]) -> tuple[list[str] | None, list[str]]:
    """Return (column names of a header record, with an empty name for an unknown column; names of the unknown columns).

    The first value is None if the record is a row and not a header.
    """
    found = [_COLUMN_OF.get(_BETWEEN_WORDS.sub("", cell.lower()), "") for cell in cells]
    known = [one for one in found if one]
    if len(known) < 2 or not {"file", "sha256", "upload"} & set(known):
        return None, []
    for one in known:
        if known.count(one) > 1:
            raise Malformed(one, "once")
    ignored = [
        one_line(cell)[:TEXT_LENGTH_MAX]
        for cell, column in zip(cells, found, strict=True)
        if not column
    ]
    return found, [one for one in ignored if one]


def _csv_row(number: int, cells: Sequence[str] | str, columns: Sequence[str]) -> TypedRow:
    if isinstance(cells, str):
        raw = cells.encode("utf-8", "replace")[:LINE_LENGTH_MAX]
        return TypedRow(number, refusal=RowUnread("a quotation mark is not closed"), raw=raw)
    raw = "\x1f".join(cells).encode("utf-8", "replace")[:LINE_LENGTH_MAX]
    key, document = None, ""
    try:
        if any("\0" in cell for cell in cells):
            raise RowUnread("a character that text cannot contain")
        if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
            raise RowUnread("more cells than columns")
        values = {
            # The name of a file is kept unchanged.
            column: cell if column == "file" else cell.strip()
            for column, cell in zip(columns, cells, strict=False)
            if column and cell.strip()
        }
        key = _key(values.get("key"))
        # The password is not stored: a document that needs a password is refused when its row is processed.
        document = document_of(values.get("file"), values.get("upload"), values.get("sha256"))
        facts = _facts(
            type=values.get("type"),
            number=values.get("number"),
            date=values.get("date"),
            value=_rupiah(values.get("value")),
            place=values.get("place"),
            party_name=values.get("party_name"),
            party_number=values.get("party_number"),
        )
        return TypedRow(number, key, document, (_csv_wish(values),), facts)
    except Refusal as refusal:
        return TypedRow(number, key, document, refusal=refusal, raw=raw)


def _rupiah(text: str | None) -> int | None:
    if text is None:
        return None
    found = _RUPIAH.fullmatch(text)
    if found is None:
        raise Malformed("value", "whole_number")
    return int(re.sub(r"[.,]", "", found[1]))


def _length(field: str, text: str) -> float:
    """Parse a length in PDF points, written with a decimal point or comma."""
    try:
        value = float(text.replace(",", ".") if "." not in text else text)
    except ValueError:
        raise Malformed(field, "number") from None
    if not math.isfinite(value) or abs(value) > POINTS_MAX:
        raise Malformed(field, "within_bounds")
    return value


def _whole_number(field: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Malformed(field, "whole_number") from None


def _csv_wish(values: Mapping[str, str]) -> PlacementWish:
    sides = [values.get(one) for one in ("llx", "lly", "urx", "ury")]
    page = values.get("page")
    ways = [any(sides), "corner" in values, "text" in values]
    if sum(ways) != 1:
        if not any(ways):
            raise PlacementMissing("a placement without rectangle, corner or text")
        raise Malformed("placement", "once")
    if any(sides):
        if not all(sides):
            raise Malformed("llx", "rectangle")
        points = [
            _length(name, str(side))
            for name, side in zip(("llx", "lly", "urx", "ury"), sides, strict=True)
        ]
        return in_rectangle(1 if page is None else _whole_number("page", page), *points)
    placement: dict[str, object] = {} if page is None else {"page": _whole_number("page", page)}
    if "corner" in values:
        word = _BETWEEN_WORDS.sub(" ", values["corner"].lower()).strip()
        placement["corner"] = _CORNERS.get(word, word.replace(" ", "_"))
    else:
        placement["text"] = values["text"]
        if "occurrence" in values:
            placement["occurrence"] = _whole_number("occurrence", values["occurrence"])
    (wish,) = read_placements(msgspec.json.encode(placement))
    return wish


def in_rectangle(page: int, x1: float, y1: float, x2: float, y2: float) -> Placement:
    """Return the placement of the largest allowed stamp that fits in the middle of a rectangle, in PDF points.

    (x1, y1) and (x2, y2) are any two opposite corners. If the rectangle is smaller than the smallest stamp, that stamp
    covers the middle of the rectangle.
    """
    left, right, low, high = min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)
    fits = min(right - left, (high - low) / HEIGHT_PER_WIDTH)
    width = min(max(fits, WIDTH_MIN), WIDTH_MAX)
    x = (left + right - width) / 2
    y = (low + high - width * HEIGHT_PER_WIDTH) / 2
    return Placement(page, round(max(x, 0.0), 2), round(max(y, 0.0), 2), width)
