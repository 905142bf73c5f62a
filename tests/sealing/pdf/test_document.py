"""Finding objects: in every style of cross-reference, through every kind of reference."""

import zlib

import pytest

from meterai.sealing.model import DocumentBroken
from meterai.sealing.pdf.document import open_document
from meterai.sealing.pdf.syntax import Ref
from tests.support.pdfmaker import Row, Stream, letter, update, whole

MAX = 1 << 20


def opened(document):
    return open_document(document, bytes_max=MAX)


@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize(
    ("style", "packed"),
    [("table", []), ("stream", []), ("stream", [1, 2, 3, 4, 6]), ("hybrid", [3, 6])],
)
def test_every_object_is_found_in_every_style(style, packed, up):
    found = opened(whole(letter(2), style=style, packed=packed, up=up))
    assert found.root.get(b"/Type") == "/Catalog"
    assert found.dictionary(Ref(3, 0)).get(b"/BaseFont") == "/Helvetica"
    assert found.dictionary(Ref(6, 0)).get(b"/Contents") == Ref(7, 0)
    assert found.size > 7


def test_newest_section_overrides_older_ones():
    document = update(whole(letter(1)), {3: b"<</Type/Font/BaseFont/Courier>>"})
    found = opened(update(document, {}, style="stream", rows={4: Row("f", 0, 1)}))
    assert found.dictionary(Ref(3, 0)).get(b"/BaseFont") == "/Courier"
    assert found.dictionary(Ref(4, 0)) is None
    assert found.row(3)[0] == 1
    assert found.row(1)[0] == 2


def test_missing_object_or_other_generation_is_null():
    found = opened(whole(letter(1)))
    for ref in (Ref(99, 0), Ref(3, 1), Ref(0, 65535)):
        assert found.resolve(ref) is None


@pytest.mark.parametrize("style", ["table", "stream"])
def test_wrong_row_is_detected_in_each_style(style):
    document = whole(letter(1), style=style)
    opened(update(document, {}, style=style)).check_rows()
    opened(update(document, {}, style=style, rows={3: Row("n", 0), 4: Row("f", 1)})).check_rows()
    for row in (Row("n", 20), Row("n", len(document) + 999), Row("n", document.index(b"4 0 obj"))):
        with pytest.raises(DocumentBroken):
            opened(update(document, {}, style=style, rows={3: row, 9: row})).check_rows()


def test_object_at_offset_zero_is_null_and_one_elsewhere_is_broken():
    document = whole(letter(1))
    nowhere = opened(update(document, {}, rows={3: Row("n", 0)}))
    assert nowhere.resolve(Ref(3, 0)) is None
    elsewhere = opened(update(document, {}, rows={3: Row("n", 20)}))
    with pytest.raises(DocumentBroken):
        elsewhere.resolve(Ref(3, 0))


def _packed(table, entries=b"", more=b""):
    """A letter whose page is in an object stream with this table."""
    objects = letter(1)
    page = objects.pop(4)
    data = zlib.compress(table + page + more)
    head = b"/Type/ObjStm/N %d/First %d/Filter/FlateDecode" % (len(table.split()) // 2, len(table))
    objects[20] = Stream(head + entries, data)
    return update(whole(objects), {}, style="stream", rows={4: Row("s", 20, 0)})


@pytest.mark.parametrize(
    "table",
    [
        b"4 0 4 0 ",  # twice: some readers take the first, some the last
        b"3 0 4 0 ",  # another position than its row has
    ],
)
def test_ambiguous_object_stream_is_broken(table):
    assert opened(_packed(b"4 0 ")).dictionary(Ref(4, 0)) is not None
    with pytest.raises(DocumentBroken):
        opened(_packed(table)).dictionary(Ref(4, 0))
