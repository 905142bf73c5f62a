"""Documents made to harm programs that read them: bombs, loops, false statements; by name in `HOSTILE`.

The expected result is the code of the refusal. It is `sealed` if our reader rightly ignores the hostile part.
"""

import re
import zlib
from collections.abc import Callable
from itertools import accumulate
from typing import NamedTuple

from tests.support.pdfmaker import (
    Body,
    Row,
    Stream,
    letter,
    packed_stream,
    tail_of,
    update,
    whole,
    written,
)

_HEADER = b"%PDF-1.7\n"
_STREAM_NUMBER = 900_000  # object number of the object stream in documents that consist of one
_CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"


class Hostile(NamedTuple):
    """A document and the result that it must get."""

    make: Callable[[], bytes]
    outcome: str


def _ended(body: bytes, start: int) -> bytes:
    return body + b"startxref\n%d\n%%%%EOF\n" % start


def _stream(number: int, entries: bytes, data: bytes) -> bytes:
    return b"%d 0 obj\n<<%b/Length %d>>stream\n%b\nendstream\nendobj\n" % (
        number,
        entries,
        len(data),
        data,
    )


def _section(rows: list[tuple[int, int]], data: bytes, more: bytes = b"") -> bytes:
    """A cross-reference stream with these runs of rows, whose columns are 1, 3 and 2 bytes wide."""
    index = b" ".join(b"%d %d" % run for run in rows)
    entries = b"/Type/XRef/W[1 3 2]/Index[%b]/Size 900002/Root 1 0 R%b" % (index, more)
    return _stream(900_001, entries, data)


def _row(kind: int, where: int) -> bytes:
    return bytes([kind]) + where.to_bytes(3, "big") + b"\0\0"


def _letter_with(**changes: bytes) -> bytes:
    """The letter with more entries on its first page (`page`), or with other objects (`o12`)."""
    objects = letter(2)
    for name, text in changes.items():
        if name == "page":
            objects[4] = objects[4][:-2] + text + b">>"  # type: ignore[operator]
        else:
            objects[int(name[1:])] = text
    return whole(objects)


def _form_of(count: int, field: bytes, **more: bytes) -> dict[int, Body]:
    objects = letter(2)
    refs = b" ".join(b"%d 0 R" % number for number in range(100, 100 + count))
    objects[1] = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[%b]>>>>" % refs
    objects |= dict.fromkeys(range(100, 100 + count), field)
    return objects | {int(name[1:]): text for name, text in more.items()}


# -- chains of sections ----------------------------------------------------------------------


def _many_sections(document: bytes, count: int) -> bytes:
    out = bytearray(document)
    start, size, root = tail_of(document)
    for _ in range(count):
        place = len(out)
        out += b"xref\n0 0\ntrailer\n<<%b/Size %d/Prev %d>>\n" % (root, size, start)
        start = place
    return _ended(bytes(out), start)


def _section_loop() -> bytes:
    document = whole(letter(2))
    return document.replace(b"/Size", b"/Prev %d/Size" % tail_of(document)[0])


def _sections_within_each_other() -> bytes:
    """Sections whose dictionaries each hold all following ones in an array, and 490,000 numbers."""
    count, out, places = 900, bytearray(_HEADER), []
    for number in range(10, 10 + count):
        places.append(len(out))
        out += b"%d 0 obj <</Type/XRef/W[1 1 1]/Size 1/Root 1 0 R/Length 3/Prev %%/X[" % number
    out += b"1 " * 490_000 + b"]>>stream\n\1\1\1 endstream endobj " * count
    # Each `%` is a placeholder for the offset of the next section, written with ten digits.
    text, width = bytes(out), 10
    grown = [place + index * (width - 1) for index, place in enumerate(places)]
    pieces = text.split(b"%/X[")
    offsets = [b"%010d" % place for place in grown[1:]] + [b"0000000000"]
    joined = b"".join(
        piece + offset + b"/X[" for piece, offset in zip(pieces[:-1], offsets, strict=True)
    )
    return _ended(joined + pieces[-1], grown[0])


def _sections_claiming_the_file() -> bytes:
    """Uncompressed cross-reference streams that each claim 15 MB as their own."""
    total, out, places = 15_000_000, bytearray(_HEADER), [0]
    for number in range(10, 910):
        place = len(out)
        out += b"%d 0 obj\n<</Type/XRef/W[1 4 2]/Index[0 1]/Size 9/Root 1 0 R" % number
        out += b"/Length %d/Prev %d>>stream\n" % (total, places[-1])
        places.append(place)
    return _ended(bytes(out) + bytes(total), places[-1])


def _section_of(entries: bytes, data: bytes) -> bytes:
    """A document whose only section is a cross-reference stream with this content."""
    return _ended(_HEADER + _stream(1, entries, data), len(_HEADER))


def _rows_bomb() -> bytes:
    data = zlib.compress(bytes(400_000_000), 9)
    entries = b"/Type/XRef/W[1 4 2]/Size 8000000/Root 1 0 R/Filter/FlateDecode"
    return _section_of(entries, data)


def _predicted_rows() -> bytes:
    data = zlib.compress((b"\2" + bytes(4)) * 8_000_000, 9)
    entries = (
        b"/Type/XRef/W[1 2 1]/Size 8000000/Root 1 0 R/Filter/FlateDecode"
        b"/DecodeParms<</Predictor 12/Columns 4>>"
    )
    return _section_of(entries, data)


def _odd_predictor() -> bytes:
    """A stream predictor that must be undone byte by byte."""
    data = zlib.compress((b"\4" + bytes(60)) * 900_000, 9)
    entries = (
        b"/Type/XRef/W[8 8 8]/Size 9/Root 1 0 R/Filter/FlateDecode"
        b"/DecodeParms<</Predictor 15/Columns 60>>"
    )
    return _section_of(entries, data)


def _million_objects() -> bytes:
    out, places = bytearray(_HEADER), {}
    for number, body in letter(2).items():
        places[number] = len(out)
        out += written(number, body)
    start, count = len(out), 800_000
    out += b"xref\n0 %d\n" % count
    out += b"".join(b"%010d 00000 n \n" % places.get(number, 0) for number in range(count))
    return _ended(bytes(out) + b"trailer\n<</Size %d/Root 1 0 R>>\n" % count, start)


def _objects_in_objects() -> bytes:
    """Rows that point into one long value, each one bracket deeper, so that all objects have the same end."""
    count, first = 60_000, 10
    document = whole(letter(2))
    start = document.rindex(b"xref\n", 0, document.rindex(b"startxref"))
    openings = [b"%d 0 obj [" % number for number in range(first, first + count)]
    offsets = list(accumulate(map(len, openings), initial=start))[:-1]
    value = b"".join(openings) + b"]" * count + b"\nendobj\n"
    rows = b"".join(b"%010d 00000 n \n" % at for at in offsets)
    table = document[start:].replace(b"trailer", b"%d %d\n%btrailer" % (first, count, rows))
    table = re.sub(rb"/Size \d+", b"/Size %d" % (first + count), table)
    end = table.rindex(b"startxref")
    return (
        document[:start] + value + table[:end] + b"startxref\n%d\n%%%%EOF\n" % (start + len(value))
    )


def _many_subsections() -> bytes:
    document = whole(letter(2))
    start = document.rindex(b"xref\n", 0, document.rindex(b"startxref"))
    more = b"".join(b"%d 1\n0000000000 00000 f \n" % (2 * n + 100) for n in range(150_000))
    head, tail = document[:start], document[start:]
    return head + tail.replace(b"trailer", more + b"trailer")


# -- object streams --------------------------------------------------------------------------


def _in_one_stream(bodies: bytes, starts: list[int], table: bytes | None = None) -> bytes:
    """A document whose objects, from number 1, begin at these offsets of one object stream."""
    if table is None:
        table = b"".join(b"%d %d " % pair for pair in enumerate(starts, start=1))
    data = zlib.compress(table + bodies, 9)
    entries = b"/Type/ObjStm/N %d/First %d/Filter/FlateDecode" % (len(starts), len(table))
    out = _HEADER + _stream(_STREAM_NUMBER, entries, data)
    rows = _row(2, _STREAM_NUMBER) * len(starts) + _row(1, len(_HEADER)) + _row(1, len(out))
    runs = [(1, len(starts)), (_STREAM_NUMBER, 2)]
    section = _section(runs, zlib.compress(rows, 9), b"/Filter/FlateDecode")
    return _ended(out + section, len(out))


def _same_page_often() -> bytes:
    """A hundred thousand pages that all share the same 900 KB of content."""
    count = 100_000
    kids = b" ".join(b"%d 0 R" % number for number in range(3, count))
    pages = b"<</Type/Pages/Count 0/Kids[%b]>>" % kids
    giant = b"<</Type/Page/X[%b]>>" % (b"1 " * 450_000)
    place = len(_CATALOG) + 1
    starts = [0, place] + [place + len(pages) + 1] * (count - 3)
    return _in_one_stream(b" ".join([_CATALOG, pages, giant]), starts)


def _wrong_indices() -> bytes:
    """Thousands of pages in one object stream, whose rows all name a wrong index."""
    count, page = 30_000, b"<</Type/Page/MediaBox[0 0 595 842]>>"
    kids = b" ".join(b"%d 0 R" % number for number in range(3, count))
    pages = b"<</Type/Pages/Count 0/Kids[%b]>>" % kids
    place = len(_CATALOG) + 1
    starts = [0, place] + [place + len(pages) + 1] * (count - 3)
    return _in_one_stream(b" ".join([_CATALOG, pages, page]), starts)


def _table_bomb() -> bytes:
    return _in_one_stream(_CATALOG, [0], b"1 0 " + b"3 0 " * 20_000_000)


def _stream_in_itself() -> bytes:
    table = b"1 0 %d 30 " % _STREAM_NUMBER
    entries = b"/Type/ObjStm/N 2/First %d" % len(table)
    out = _HEADER + _stream(_STREAM_NUMBER, entries, table + _CATALOG.ljust(30) + b"<<>>")
    rows = _row(2, _STREAM_NUMBER) * 2 + _row(1, len(out))
    return _ended(out + _section([(1, 1), (_STREAM_NUMBER, 2)], rows), len(out))


def _streams_claiming_the_file() -> bytes:
    """Uncompressed object streams that each claim 15 MB as their own, one for each page."""
    count, total, out, places = 300, 15_000_000, bytearray(_HEADER), []
    kids = b" ".join(b"%d 0 R" % (1000 + index) for index in range(count))
    for number, body in ((1, _CATALOG), (2, b"<</Type/Pages/Count 0/Kids[%b]>>" % kids)):
        places.append(len(out))
        out += written(number, body)
    for index in range(count):
        places.append(len(out))
        table = b"%d 0 " % (1000 + index)
        out += b"%d 0 obj\n<</Type/ObjStm/N 1/First %d" % (3000 + index, len(table))
        out += b"/Length %d>>stream\n%b<</Type/Page>>\n" % (total, table)
    out += bytes(total)
    plain = [_row(1, place) for place in places]
    packed = [_row(2, 3000 + index) for index in range(count)]
    rows = b"".join(plain[:2] + packed + plain[2:])
    section = _section([(1, 2), (1000, count), (3000, count)], rows)
    return _ended(bytes(out) + section, len(out))


def _cyclic_length() -> bytes:
    document = whole(letter(2), style="stream", packed=[1, 2])
    start = document.index(b"/ObjStm")
    number = int(document[: document.rindex(b" 0 obj", 0, start)].split()[-1])
    length = re.compile(rb"/Length \d+(?=>>stream)")
    changed = length.sub(b"/Length %d 0 R" % number, document[start:], count=1)
    section = changed.index(b"/XRef") + start
    place = document[:start] + changed
    return _ended(place[: place.rindex(b"startxref")], place.rindex(b"\n", 0, section - 12) + 1)


# -- pages, forms, values --------------------------------------------------------------------


def _tree_of(kids: bytes, count: int, **more: bytes) -> bytes:
    node = b"<</Type/Pages/Count %d/Kids[%b]>>" % (count, kids)
    return _letter_with(o2=node, **more)


def _deep_tree() -> bytes:
    objects = letter(2)
    objects[2] = b"<</Type/Pages/Count 1/Kids[100 0 R]>>"
    for number in range(100, 5000):
        objects[number] = b"<</Type/Pages/Count 1/Kids[%d 0 R]>>" % (number + 1)
    return whole(objects)


def _many_pages() -> bytes:
    numbers = range(100, 100_000)
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"
    kids = b" ".join(b"%d 0 R" % number for number in numbers)
    node = b"<</Type/Pages/Count 0/Kids[%b]>>" % kids
    return whole(letter(2) | dict.fromkeys(numbers, page) | {2: node})


def _same_signature_often() -> bytes:
    signature = b"<</Type/Sig/Contents<%b>/ByteRange[0 1 2 3]>>" % (b"30840000ffff" * 900_000)
    return whole(_form_of(250, b"<</FT/Sig/T(a)/V 99 0 R>>", o99=signature))


def _limits_without_end() -> bytes:
    signature = b"<</Type/Sig/ByteRange[0 1 2 1]/Contents<00>/Reference[%b]>>" % (
        b"98 0 R " * 100_000
    )
    return whole(_form_of(200, b"<</FT/Sig/T(a)/V 99 0 R>>", o98=b"<<>>", o99=signature))


def _references_in_a_ring() -> bytes:
    ring = {f"o{number}": b"%d 0 R" % (number + 1) for number in range(10, 60)}
    return _letter_with(o1=b"10 0 R", o60=b"10 0 R", **ring)


def _tagged(root: bytes, parents: bytes) -> bytes:
    catalog = b"<</Type/Catalog/Pages 2 0 R/StructTreeRoot 20 0 R>>"
    return _letter_with(o1=catalog, o20=root, o21=parents)


def _lied(found: bytes, told: bytes) -> Callable[[], bytes]:
    return lambda: re.sub(found, told, whole(letter(2)))


def _called_streams_of_objects() -> bytes:
    """A stream with two million stream types in its data, and with its header repeated every kilobyte."""
    fill = (b"60 0 obj" + b"/ObjStm " * 124 + b"\n") * 16_000
    document = whole({**letter(2), 7: Stream(b"", fill)}, style="stream")
    packed = packed_stream({50: b"<</X 1>>"})
    return update(document, {60: packed}, style="stream", rows={50: Row("s", 60, 0)})


_BROKEN = "document_broken"

HOSTILE: dict[str, Hostile] = {
    "a-hundred-thousand-sections": Hostile(
        lambda: _many_sections(whole(letter(2)), 100_000), _BROKEN
    ),
    "many-fields-in-many-sections": Hostile(
        lambda: _many_sections(whole(_form_of(15_000, b"<</FT/Tx/T(a)>>")), 990), _BROKEN
    ),
    "section-loop": Hostile(_section_loop, _BROKEN),
    "sections-within-each-other": Hostile(_sections_within_each_other, _BROKEN),
    "sections-claiming-the-file": Hostile(_sections_claiming_the_file, _BROKEN),
    "rows-bomb": Hostile(_rows_bomb, _BROKEN),
    "predicted-rows": Hostile(_predicted_rows, _BROKEN),
    "odd-predictor": Hostile(_odd_predictor, _BROKEN),
    "rows-of-no-width": Hostile(
        lambda: whole(letter(2), style="stream").replace(b"/W[1 4 2]", b"/W[0 0 0]"), _BROKEN
    ),
    "rows-of-huge-width": Hostile(
        lambda: whole(letter(2), style="stream").replace(b"/W[1 4 2]", b"/W[9999999 4 2]"), _BROKEN
    ),
    "negative-width": Hostile(
        lambda: whole(letter(2), style="stream").replace(b"/W[1 4 2]", b"/W[-1 4 2]"), _BROKEN
    ),
    "a-million-objects": Hostile(_million_objects, "sealed"),
    "many-subsections": Hostile(_many_subsections, _BROKEN),
    "overlapping-subsections": Hostile(
        _lied(rb"trailer", b"0 1\n0000000000 65535 f \ntrailer"), _BROKEN
    ),
    "objects-in-objects": Hostile(_objects_in_objects, "sealed"),
    "size-too-small": Hostile(_lied(rb"/Size \d+", b"/Size 1"), _BROKEN),
    "size-negative": Hostile(_lied(rb"/Size \d+", b"/Size -9"), _BROKEN),
    "size-huge": Hostile(_lied(rb"/Size \d+", b"/Size 99999999999"), _BROKEN),
    "negative-offsets": Hostile(_lied(rb"0000000\d{3} 00000 n", b"-000000015 00000 n"), _BROKEN),
    "negative-previous": Hostile(_lied(rb"/Size", b"/Prev -5/Size"), _BROKEN),
    "previous-of-2-gigabytes": Hostile(_lied(rb"/Size", b"/Prev 2147483648/Size"), _BROKEN),
    "previous-infinite": Hostile(_lied(rb"/Size", b"/Prev %b.0/Size" % (b"9" * 18)), _BROKEN),
    "length-of-2-gigabytes": Hostile(
        lambda: re.sub(rb"/Length \d+", b"/Length 2147483647", whole(letter(2), style="stream")),
        _BROKEN,
    ),
    "length-negative": Hostile(
        lambda: re.sub(rb"/Length \d+", b"/Length -20", whole(letter(2), style="stream")), _BROKEN
    ),
    "same-page-often": Hostile(_same_page_often, _BROKEN),
    "wrong-indices-in-a-stream": Hostile(_wrong_indices, _BROKEN),
    "table-bomb": Hostile(_table_bomb, _BROKEN),
    "stream-in-itself": Hostile(_stream_in_itself, _BROKEN),
    "streams-claiming-the-file": Hostile(_streams_claiming_the_file, _BROKEN),
    "cyclic-length": Hostile(_cyclic_length, _BROKEN),
    "kids-without-pages": Hostile(
        lambda: _tree_of(b"9 0 R " * 400_000 + b"2 0 R", 10**6, o9=b"<</Count 0/Kids[]>>"), _BROKEN
    ),
    "kids-by-the-million": Hostile(lambda: _tree_of(b"4 0 R " * 3_000_000, 2 * 10**9), _BROKEN),
    "kids-in-a-loop": Hostile(
        lambda: _tree_of(b"2 0 R 3 0 R 2 0 R", 0, o3=b"<</Kids[2 0 R]>>"), "no_pages"
    ),
    "counts-in-a-loop": Hostile(lambda: _tree_of(b"2 0 R", 9), "no_pages"),
    "pages-by-the-hundred-thousand": Hostile(_many_pages, _BROKEN),
    "deep-tree": Hostile(_deep_tree, _BROKEN),
    "same-signature-often": Hostile(_same_signature_often, _BROKEN),
    "limits-without-end": Hostile(_limits_without_end, _BROKEN),
    "too-many-signatures": Hostile(
        lambda: whole(_form_of(19_000, b"<</FT/Sig/T(a)/V 99 0 R>>", o99=b"<</Type/Sig>>")), _BROKEN
    ),
    "too-many-fields": Hostile(lambda: whole(_form_of(30_000, b"<</FT/Tx>>")), _BROKEN),
    "deep-arrays": Hostile(
        lambda: _letter_with(page=b"/Annots" + b"[" * 200_000 + b"]" * 200_000), _BROKEN
    ),
    "deep-dictionaries": Hostile(
        lambda: _letter_with(page=b"/Annots" + b"<</A" * 100_000 + b" 1" + b">>" * 100_000),
        _BROKEN,
    ),
    "deep-strings": Hostile(
        lambda: _letter_with(page=b"/Annots" + b"(" * 3_000_000 + b")" * 3_000_000), _BROKEN
    ),
    "comments-without-end": Hostile(
        lambda: _letter_with(page=b"%x\n" * 3_000_000 + b"/Annots[]"), _BROKEN
    ),
    "array-of-a-million": Hostile(
        lambda: _letter_with(page=b"/Annots[" + b"1 " * 1_000_000 + b"]"), "sealed"
    ),
    "annotations-by-the-hundred-thousand": Hostile(
        lambda: _letter_with(page=b"/Annots[" + b"9 0 R " * 490_000 + b"]"), "sealed"
    ),
    "number-of-a-million-digits": Hostile(
        lambda: _letter_with(page=b"/Rotate %b" % (b"9" * 1_000_000)), "sealed"
    ),
    "fraction-of-a-million-digits": Hostile(
        lambda: _letter_with(page=b"/UserUnit 1.%b" % (b"0" * 1_000_000)), "sealed"
    ),
    "name-with-zeros": Hostile(lambda: _letter_with(page=b"/A#00nnots[1]/B\0 1"), "sealed"),
    "references-in-a-ring": Hostile(_references_in_a_ring, _BROKEN),
    "structure-in-a-loop": Hostile(
        lambda: _tagged(b"<</K[]/ParentTree 21 0 R>>", b"<</Kids[21 0 R]>>"), "sealed"
    ),
    "structure-of-many-keys": Hostile(
        lambda: _tagged(
            b"<</K[]/ParentTree 21 0 R>>",
            b"<</Nums[%b]>>" % b" ".join(b"%d null" % key for key in range(249_000)),
        ),
        "sealed",
    ),
    "called-streams-of-objects": Hostile(_called_streams_of_objects, "sealed"),
    "ranges-without-end": Hostile(
        lambda: whole(letter(2))[:-6] + b"%" + b"/ByteRange[0 10 20000000 5]<" * 500_000, _BROKEN
    ),
}
