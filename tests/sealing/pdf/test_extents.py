"""What a file's rows lead to lies in it, or the file is mended before it is sealed."""

import pytest

from meterai.sealing import ingest
from meterai.sealing.pdf.document import open_document
from meterai.sealing.pdf.extents import Listing
from meterai.sealing.pdf.rebuilding import first_found_otherwise
from meterai.sealing.pdf.references import Places
from tests.support.attacks.keyless import with_twin
from tests.support.attacks.lab import CORNER
from tests.support.pdfmaker import Body, Row, Stream, Style, letter, update, whole


def listing(document: bytes) -> Listing:
    return Listing(open_document(document, bytes_max=len(document)))


def first_otherwise(document: bytes) -> int | None:
    opened = open_document(document, bytes_max=len(document))
    return first_found_otherwise(opened, Listing(opened))


def _row_behind() -> bytes:
    return update(whole(letter(2)), {}, rows={50: Row("n", 60_000)})


def _with(body: Body) -> bytes:
    return whole({**letter(2), 50: body})


OPEN = {
    "row behind the end": _row_behind,
    "length beyond the end": lambda: _with(b"<</Length 60000>>stream\nBT ET\nendstream"),
    "length elsewhere": lambda: whole(
        {**letter(2), 50: b"<</Length 51 0 R>>stream\nBT ET\nendstream", 51: b"60000"}
    ),
    "length twice": lambda: _with(b"<</Length 5/Length 60000>>stream\nBT ET\nendstream"),
    "length in escapes": lambda: _with(b"<</Length 5/L#65ngth 60000>>stream\nBT ET\nendstream"),
    "length behind a comment": lambda: _with(b"<</Length%x\n60000>>stream\nBT ET\nendstream"),
    "string": lambda: _with(b"<</A(" + b"(" * 90),
    "string behind a backslash": lambda: _with(rb"<</A(\)>>"),
    "array": lambda: _with(b"[" * 90),
    "dictionary": lambda: _with(b"<</A" * 90),
    "dictionary in an array": lambda: _with(b"[<</A[<<" * 9),
}


@pytest.mark.parametrize("name", OPEN)
def test_an_object_without_an_end_is_found_and_mended(name: str) -> None:
    document = OPEN[name]()
    assert listing(document).first_open_end() == 50
    assert ingest(document, [CORNER]).is_repaired


@pytest.mark.parametrize(
    "body",
    [
        b"<</A(a(b)c)/B<41>/C[[[[[[[1]]]]]]]/D<</E<</F<</G<</H<</I 1>>>>>>>>>>>>",
        rb"[(\() (\)) (\\) % ( [ <<" + b"\n]",
        b"12",
        b"/Name",
        b"3 0 R",
        Stream(b"/Length1 60000", b"((([[[<<"),
        Stream(b"", b"endstream endobj"),
    ],
)
@pytest.mark.parametrize("style", ["table", "stream", "hybrid"])
def test_an_object_that_ends_is_none_of_them(body: Body, style: Style) -> None:
    document = whole({**letter(2), 50: body}, style=style)
    found = listing(document)
    assert found.first_open_end() is None
    assert first_otherwise(document) is None
    assert found.leads_plainly()
    assert found.is_sized()
    # Some reader passes over the rows beside the first table.
    assert ingest(document, [CORNER]).is_repaired is (style == "hybrid")


def test_an_object_that_waits_behind_the_one_that_counts_is_mended() -> None:
    document = with_twin(whole(letter(2)))
    assert first_otherwise(document) == 5
    assert ingest(document, [CORNER]).is_repaired


def test_an_object_stream_that_no_row_names_is_mended() -> None:
    packed = Stream(b"/Type/ObjStm/N 1/First 4", b"5 0 <</Length 0>>")
    document = _with(packed)
    assert first_otherwise(document) == 0
    assert ingest(document, [CORNER]).is_repaired


def test_an_older_revision_is_no_object_that_waits() -> None:
    first = whole(letter(2))
    later = update(first, {5: Stream(b"", b"BT ET")})
    assert first_otherwise(later) is None
    assert not ingest(later, [CORNER]).is_repaired


def test_a_way_that_readers_take_differently_is_mended() -> None:
    document = whole(letter(2)).replace(b"/Root 1 0 R", b"/Root 1 0 R/XRefStm 60000.0")
    assert not listing(document).leads_plainly()
    assert ingest(document, [CORNER]).is_repaired


@pytest.mark.parametrize("spelling", [b"/Prev %d.0", b"/Prev 15/Prev %d", b"/#50rev %d/Prev %d"])
def test_an_older_section_that_readers_find_differently_is_mended(spelling: bytes) -> None:
    first = whole(letter(2))
    later = update(first, {50: b"1"})
    start = int(later.rpartition(b"/Prev ")[2].split(b"/")[0])
    way = spelling % ((start,) * spelling.count(b"%d"))
    document = way.join(later.rsplit(b"/Prev %d" % start, 1))
    assert not listing(document).leads_plainly()
    assert ingest(document, [CORNER]).is_repaired


def test_a_size_below_an_object_is_mended() -> None:
    document = whole(letter(2)).replace(b"/Size 8", b"/Size 5")
    assert not listing(document).is_sized()
    assert ingest(document, [CORNER]).is_repaired


@pytest.mark.parametrize(
    ("text", "times"),
    [
        (b"(seri 1QY9 GMA1 0700 RWDW 473V)", 0),
        (b"(seri 1 0700 RWDW)", 0),
        (b"[1 0 R 1%x\n0 R +1 0 R/A 1 0R]", 4),
        (b"[01 0 R<41>1 0 R(a)1 0 R]", 3),
    ],
)
def test_words_are_no_references(text: bytes, times: int) -> None:
    document = whole({**letter(2), 50: text})
    opened = open_document(document, bytes_max=len(document))
    assert Places(opened).times_referred(1, besides=[b"/Root"]) == times
