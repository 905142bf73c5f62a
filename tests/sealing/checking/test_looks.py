"""A later signature whose picture hides something is reported, with its place on the page."""

import io

import pikepdf
import pytest

from meterai.sealing import Verdict
from meterai.sealing.checking.later_objects import LaterField
from meterai.sealing.checking.looks import PAGES_FEW, first_seen
from meterai.sealing.checking.revisions import Later
from meterai.sealing.pdf.document import open_document
from tests.support.attacks import by_hand
from tests.support.attacks.lab import EMPTY_PAPER, OVER_WORDS
from tests.support.pdfmaker import Stream, letter, text_of, update, whole


def turned_letter(**entries):
    objects = letter(2)
    more = b"".join(b"/%b %b" % (key.encode(), value) for key, value in entries.items())
    for number in (4, 6):
        objects[number] = text_of(objects[number])[:-2] + more + b">>"
    return objects


def place_of(lab, document):
    report = lab.verify(document)
    assert report.verdict is Verdict.COVERED_AFTER_SEALING
    (check,) = [check for check in report.checks if not check.passed]
    assert check.name == "uncovered"
    return {name: round(value, 2) for name, value in check.facts.items() if name != "kind"}


@pytest.mark.parametrize(
    ("entries", "place"),
    [
        ({}, {"x": 60, "y": 740, "width": 280, "height": 60}),
        ({"Rotate": b"90"}, {"x": 740, "y": 255, "width": 60, "height": 280}),
        ({"Rotate": b"180"}, {"x": 255, "y": 42, "width": 280, "height": 60}),
        ({"Rotate": b"270"}, {"x": 42, "y": 60, "width": 60, "height": 280}),
        ({"CropBox": b"[50 0 500 800]"}, {"x": 10, "y": 740, "width": 280, "height": 60}),
        ({"UserUnit": b"2"}, {"x": 120, "y": 1480, "width": 560, "height": 120}),
    ],
)
def test_the_place_is_that_of_the_page_as_it_is_seen(lab, entries, place):
    sealed = lab.sealed_of(turned_letter(**entries))
    covered = lab.signed(sealed, on_page=1, box=OVER_WORDS)
    assert place_of(lab, covered) == {"page": 2, **place}


@pytest.mark.parametrize(
    "entries",
    [{}, {"Rotate": b"90"}, {"Rotate": b"270"}, {"CropBox": b"[50 0 500 800]"}, {"UserUnit": b"2"}],
)
def test_a_signature_on_empty_paper_stays_genuine(lab, entries):
    sealed = lab.sealed_of(turned_letter(**entries))
    document = lab.signed(sealed, on_page=0, box=EMPTY_PAPER)
    assert lab.verify(document).verdict is Verdict.GENUINE_THEN_SIGNED


@pytest.mark.parametrize("box", [(700, 300, 800, 360), (300, -90, 450, -30), (594, 300, 700, 360)])
def test_a_signature_beside_the_page_covers_nothing(lab, box):
    document = lab.signed(lab.sealed, on_page=0, box=box)
    assert lab.verify(document).verdict is Verdict.GENUINE_THEN_SIGNED


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((290, 290, 460, 370), Verdict.COVERED_AFTER_SEALING),
        ((440, 350, 500, 400), Verdict.COVERED_AFTER_SEALING),
        ((449.5, 300, 540, 360), Verdict.GENUINE_THEN_SIGNED),
        ((300, 380, 450, 440), Verdict.GENUINE_THEN_SIGNED),
    ],
)
def test_a_signature_may_not_lie_over_one_that_was_added_before(lab, box, expected):
    once = lab.signed(lab.sealed, "Satu", on_page=0, box=EMPTY_PAPER)
    assert lab.verify(lab.signed(once, "Dua", on_page=0, box=box)).verdict is expected


def test_signatures_on_different_pages_hide_nothing(lab):
    once = lab.signed(lab.sealed, "Satu", on_page=0, box=EMPTY_PAPER)
    again = lab.signed(once, "Dua", on_page=1, box=EMPTY_PAPER)
    assert lab.verify(again).verdict is Verdict.GENUINE_THEN_SIGNED


def test_an_invisible_signature_covers_nothing(lab):
    assert lab.verify(lab.signed(lab.sealed)).verdict is Verdict.GENUINE_THEN_SIGNED


def test_a_covered_page_of_an_encrypted_document_is_seen(lab):
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(whole(letter()))) as opened:
        opened.save(out, encryption=pikepdf.Encryption(owner="pemilik", user=""))
    sealed = lab.seal(out.getvalue())

    def unlock(writer):
        writer.encrypt(b"")

    covered = lab.signed(sealed, change=unlock, on_page=0, box=OVER_WORDS)
    assert place_of(lab, covered)["page"] == 1
    beside = lab.signed(sealed, change=unlock, on_page=0, box=EMPTY_PAPER)
    assert lab.verify(beside).verdict is Verdict.GENUINE_THEN_SIGNED


def test_the_stamp_must_not_be_covered_either(lab):
    covered = lab.signed(lab.sealed, on_page=0, box=(30, 30, 60, 60))
    assert place_of(lab, covered) == {"page": 1, "x": 30, "y": 30, "width": 30, "height": 30}


def test_a_page_tree_that_renderers_see_differently_is_not_believed(lab):
    """Where the renderer finds other pages, it cannot be said that nothing is hidden."""
    objects = letter(2)
    objects[2] = b"<</Type/Pages/Kids[4 0 R 6 0 R]/Count 1>>"
    sealed = lab.sealed_of(objects)
    document = lab.signed(sealed, on_page=0, box=EMPTY_PAPER)
    assert not lab.verify(document).verdict.is_good


OTHER_WORDS = Stream(b"", b"BT /F1 24 Tf 72 700 Td (Rp 99) Tj ET")
UNSEEN = Later(LaterField(b"Notaris", None, ()), None)


def seen_after(sealed, objects, later):
    """What is seen of an update that the tables of what may follow are taken to have let pass."""
    documents = (sealed, update(sealed, objects))
    before, after = (open_document(one, bytes_max=len(one)) for one in documents)
    return first_seen(before, after, later, b"")


def test_all_pages_of_a_short_document_are_drawn_wherever_the_signature_is():
    sealed, last = whole(letter(PAGES_FEW)), 3 + 2 * PAGES_FEW
    seen = seen_after(sealed, {last: OTHER_WORDS}, [UNSEEN])
    assert (seen.kind, seen.page) == ("different", PAGES_FEW)
    assert seen_after(sealed, {60: b"null"}, [UNSEEN]) is None
    assert seen_after(sealed, {60: b"null"}, []) is None  # evidence alone


@pytest.mark.parametrize("again", [8, 60, 61], ids=["page", "annotations", "annotation"])
def test_a_page_that_was_written_again_is_drawn_in_a_long_one(again):
    objects = letter(PAGES_FEW + 2)
    objects[8] = text_of(objects[8])[:-2] + b"/Annots 60 0 R>>"
    square = b"<</Type/Annot/Subtype/Square/F 4/Rect[60 600 90 630]/AP<</N 62 0 R>>>>"
    objects |= {60: b"[61 0 R]", 61: square}
    objects[62] = Stream(b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]", b"0 0 9 9 re f")
    seen = seen_after(whole(objects), {again: objects[again], 9: OTHER_WORDS}, [])
    assert (seen.kind, seen.page) == ("different", 3)


@pytest.mark.parametrize("flags", [b"0", b"4", b"36"])
def test_what_only_the_screen_or_only_paper_shows_is_seen(flags):
    """An annotation for both, for the screen alone (no print flag) and for paper alone (no view)."""
    objects = letter(1)
    objects[4] = text_of(objects[4])[:-2] + b"/Annots[60 0 R]>>"
    square = b"<</Type/Annot/Subtype/Square/Rect[60 600 90 630]/AP<</N 61 0 R>>/F " + flags + b">>"
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]"
    objects |= {60: square, 61: Stream(form, b"0 0 9 9 re f")}
    seen = seen_after(whole(objects), {60: square, 61: Stream(form, b"1 g 0 0 9 9 re f")}, [])
    assert (seen.kind, seen.page) == ("different", 1)


BEYOND_ITS_BOX = Stream(
    b"/Type/XObject/Subtype/Form/BBox[0 0 150 60]", b"0 0 1 rg -80 -80 400 400 re f"
)


@pytest.mark.parametrize("matrix", [b"", b"/Matrix[2 0 0 2 9 9]", b"/Matrix[0 1 -1 0 0 0]"])
def test_a_picture_that_is_painted_beyond_its_box_is_seen_in_its_box(lab, matrix):
    """Every reader cuts it; the renderer that does not draws a copy in which it is cut."""
    objects = by_hand.objects_of(lab.sealed)
    objects[by_hand.PICTURE] = BEYOND_ITS_BOX._replace(entries=BEYOND_ITS_BOX.entries + matrix)
    document = by_hand.signed(lab, lab.sealed, objects)
    assert lab.verify(document).verdict is Verdict.GENUINE_THEN_SIGNED


def test_a_picture_with_layers_is_cut_as_well(lab):
    objects = letter(2)
    layers = b"/OCProperties<</OCGs[60 0 R]/D<</OFF[60 0 R]>>>>"
    objects[1] = b"<</Type/Catalog/Pages 2 0 R%b>>" % layers
    objects[60] = b"<</Type/OCG/Name(L)>>"
    sealed = lab.sealed_of(objects)
    shown = by_hand.objects_of(sealed) | {by_hand.PICTURE: BEYOND_ITS_BOX}
    report = lab.verify(by_hand.signed(lab, sealed, shown))
    assert report.verdict is Verdict.GENUINE_THEN_SIGNED
