"""A writer of PDFs for tests: any structure that the standard allows, and any that it forbids.

Object bodies are written as given, without checks. `whole` writes a document, `update` appends to one. Neither
uses code of the engine, so that a mistake of the engine is not repeated here.
"""

import re
import zlib
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

Style = Literal["table", "stream", "hybrid"]


class Stream(NamedTuple):
    """A stream: the entries of its dictionary without the length, and its encoded data."""

    entries: bytes
    data: bytes


class Row(NamedTuple):
    """A cross-reference row: `n` with offset and generation; `f` for a free object; or `s` with stream number
    and index."""

    kind: Literal["n", "f", "s"]
    where: int
    extra: int = 0


Body = bytes | Stream
_KINDS = {"f": 0, "n": 1, "s": 2}


def written(number: int, body: Body, generation: int = 0) -> bytes:
    """One object as bytes."""
    if isinstance(body, Stream):
        body = b"<<%b/Length %d>>stream\n%b\nendstream" % (body.entries, len(body.data), body.data)
    return b"%d %d obj\n%b\nendobj\n" % (number, generation, body)


def packed_stream(bodies: Mapping[int, bytes], entries: bytes = b"") -> Stream:
    """An object stream with these objects."""
    table, data = b"", b""
    for number, body in bodies.items():
        table += b"%d %d " % (number, len(data))
        data += body + b"\n"
    head = b"/Type/ObjStm/N %d/First %d/Filter/FlateDecode" % (len(bodies), len(table))
    return Stream(head + entries, zlib.compress(table + data))


def whole(
    objects: Mapping[int, Body],
    *,
    root: int = 1,
    style: Style = "table",
    packed: Iterable[int] = (),
    before: bytes = b"",
    from_header: bool = False,
    version: bytes = b"1.7",
    trailer: bytes = b"/ID[<31415926535897932384626433832795><31415926535897932384626433832795>]",
    up: bool = False,
    hidden: Iterable[int] = (),
) -> bytes:
    """A document with these objects.

    `packed` are the numbers of the objects in an object stream. `before` is written before the header; with
    `from_header`, offsets count from the header. `up` encodes the cross-reference stream with the PNG predictor
    Up. `hidden` are numbers of further objects that the table of a hybrid file leaves out.
    """
    head = before + b"%%PDF-%b\n%%\xe2\xe3\xcf\xd3\n" % version
    shift = len(before) if from_header else 0
    return head + _section(
        objects,
        len(head),
        b"/Root %d 0 R%b" % (root, trailer),
        style,
        packed,
        {},
        None,
        0,
        shift,
        up,
        frozenset(hidden),
    )


def update(
    document: bytes,
    objects: Mapping[int, Body],
    *,
    style: Style = "table",
    packed: Iterable[int] = (),
    rows: Mapping[int, Row] | None = None,
    trailer: bytes | None = None,
    generations: Mapping[int, int] | None = None,
    previous: int | None = None,
) -> bytes:
    """The document with one more incremental update.

    `rows` are added to those of the objects, or replace them. `trailer` replaces the entries for catalog and
    identifier.
    """
    start, size, kept = tail_of(document)
    entries = kept if trailer is None else trailer
    return document + _section(
        objects,
        len(document),
        entries + b"/Prev %d" % (start if previous is None else previous),
        style,
        packed,
        rows or {},
        generations,
        size,
        0,
        up=False,
    )


def tail_of(document: bytes) -> tuple[int, int, bytes]:
    """Offset of the last section, the size that it states, and its entries for catalog and file identifier."""
    start = int(re.findall(rb"startxref\s+(\d+)", document)[-1])
    size = int(re.findall(rb"/Size (\d+)", document[start:])[0])
    root = re.findall(rb"/Root \d+ \d+ R", document[start:])[0]
    for pattern in (rb"/Encrypt \d+ \d+ R", rb"/ID\s*\[\s*<[^>]*>\s*<[^>]*>\s*\]"):
        root += b"".join(re.findall(pattern, document[start:])[:1])
    return start, size, root


def _section(
    objects: Mapping[int, Body],
    start: int,
    trailer: bytes,
    style: Style,
    packed: Iterable[int],
    forced: Mapping[int, Row],
    generations: Mapping[int, int] | None,
    size: int,
    shift: int,
    up: bool,
    away: frozenset[int] = frozenset(),
) -> bytes:
    inside = {number: objects[number] for number in packed}
    following = max([*objects, size - 1, 0]) + 1
    rows: dict[int, Row] = {} if size else {0: Row("f", 0, 65535)}
    out = bytearray()
    listed = {number: body for number, body in objects.items() if number not in inside}
    if inside:
        bodies = {number: body for number, body in inside.items() if isinstance(body, bytes)}
        assert len(bodies) == len(inside), "a stream cannot be in a stream"
        rows |= {number: Row("s", following, index) for index, number in enumerate(bodies)}
        listed[following] = packed_stream(bodies)
        following += 1
    for number, body in listed.items():
        generation = (generations or {}).get(number, 0)
        rows[number] = Row("n", start + len(out) - shift, generation)
        out += written(number, body, generation)
    rows |= forced
    place = start + len(out)
    if style == "stream":
        rows[following] = Row("n", place - shift)
        trailer += b"/Size %d" % (following + 1)
        out += written(following, _rows_stream(rows, trailer, up=up))
    else:
        if style == "hybrid":
            hidden = {
                number: row for number, row in rows.items() if row.kind == "s" or number in away
            }
            # Marked as free in the table, as in the standard's example, qpdf and poppler do not find them. The
            # most common producer of such files leaves them out.
            rows = {number: row for number, row in rows.items() if number not in hidden}
            rows[following] = Row("n", place - shift)
            beside = written(following, _rows_stream(hidden, b"/Size %d" % (following + 1), up=up))
            trailer += b"/XRefStm %d" % (place - shift)
            out += beside
            place += len(beside)
            following += 1
        trailer += b"/Size %d" % following
        out += _table(rows) + b"trailer\n<<%b>>\n" % trailer
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % (place - shift)


def _runs(numbers: Iterable[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][-1] + 1 == number:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def _table(rows: Mapping[int, Row]) -> bytes:
    out = bytearray(b"xref\n")
    for run in _runs(rows):
        out += b"%d %d\n" % (run[0], len(run))
        for number in run:
            row = rows[number]
            out += b"%010d %05d %b \n" % (row.where, row.extra, row.kind.encode("ascii"))
    return bytes(out)


def _rows_stream(rows: Mapping[int, Row], trailer: bytes, *, up: bool) -> Stream:
    runs = _runs(rows)
    lines = [
        bytes([_KINDS[rows[number].kind]])
        + rows[number].where.to_bytes(4, "big")
        + min(rows[number].extra, 65535).to_bytes(2, "big")
        for run in runs
        for number in run
    ]
    index = b" ".join(b"%d %d" % (run[0], len(run)) for run in runs)
    head = b"/Type/XRef/W[1 4 2]/Index[%b]%b/Filter/FlateDecode" % (index, trailer)
    if up:
        head += b"/DecodeParms<</Predictor 12/Columns 7>>"
        lines = [
            b"\2" + bytes((one - other) & 255 for one, other in zip(line, above, strict=True))
            for line, above in zip(lines, [bytes(7), *lines], strict=False)
        ]
    return Stream(head, zlib.compress(b"".join(lines)))


def text_of(body: Body) -> bytes:
    """The written form of an object that is not a stream."""
    assert isinstance(body, bytes)
    return body


def letter(pages: int = 1, words: str = "Surat Pernyataan") -> dict[int, Body]:
    """The objects of a plain A4 document with some words on each page. Its catalog is object 1."""
    objects: dict[int, Body] = {1: b"<</Type/Catalog/Pages 2 0 R>>"}
    font = 3
    objects[font] = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    kids = []
    for index in range(pages):
        page, content = 4 + 2 * index, 5 + 2 * index
        kids.append(b"%d 0 R" % page)
        objects[page] = (
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>"
            b"/Contents %d 0 R>>" % content
        )
        text = b"BT /F1 24 Tf 72 760 Td (%b %d) Tj ET" % (words.encode(), index + 1)
        objects[content] = Stream(b"", text)
    objects[2] = b"<</Type/Pages/Kids[%b]/Count %d>>" % (b" ".join(kids), pages)
    return objects
