"""Documents that were prepared before sealing so that later updates would change them."""

import io

import pikepdf
import pytest

from meterai.sealing import (
    DynamicForm,
    Placement,
    StrayStamp,
    Verdict,
    ingest,
    inspect,
)
from meterai.sealing.checking.seals import RANGES_MAX, SEALS_MAX, check_room
from meterai.sealing.model import STAMPS_MAX, DocumentBroken, TooManySeals
from tests.support.pdfmaker import Stream, letter, text_of, whole

HERE = Placement(1, 20, 20, 65)


def annotations_of(document, page):
    with pikepdf.open(io.BytesIO(document)) as opened:
        found = opened.pages[page - 1].obj.get("/Annots")
        return (
            [] if found is None else [one for one in found if isinstance(one, pikepdf.Dictionary)]
        )


def shared_annotations(annotations):
    """Two pages with one list of annotations, which is an object of its own."""
    made = letter(2)
    for number in (4, 6):
        made[number] = text_of(made[number])[:-2] + b"/Annots 8 0 R>>"
    made[8] = annotations
    return whole(made)


LINK = b"<</Type/Annot/Subtype/Link/Rect[60 700 90 720]/Contents(rahasia sekali)>>"


@pytest.mark.parametrize("annotations", [b"[]", b" %%x\n[%b ]" % LINK])
def test_pages_with_shared_annotation_list_do_not_share_stamp(bench, annotations):
    document = shared_annotations(annotations)
    sealed = bench.sealed(document, HERE)
    assert bench.verify(sealed).verdict is Verdict.GENUINE
    assert len(annotations_of(sealed, 1)) == 1 + len(annotations_of(document, 1))
    assert len(annotations_of(sealed, 2)) == len(annotations_of(document, 2))


@pytest.mark.parametrize(
    "form", [b"<</Fields[]/XFA[(a) 8 0 R]>>", b"<</Fields[]/X#46A 8 0 R>>", b"9 0 R"]
)
def test_dynamic_form_is_refused(bench, form):
    made = letter(1)
    made[1] = b"<</Type/Catalog/Pages 2 0 R/AcroForm %b>>" % form
    made[8] = Stream(b"", b"<xdp/>")
    made[9] = b"<</Fields[]/XFA 8 0 R>>"
    for work in (lambda: inspect(whole(made), [HERE]), lambda: bench.sealed(whole(made), HERE)):
        with pytest.raises(DynamicForm):
            work()


def taken_out(sealed, *, keep=()):
    """A sealed document, rewritten without the form, with its picture."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(sealed)) as opened:
        for page in opened.Root.Pages.Kids:
            for annotation in page.get("/Annots", []):
                for key in ("/V", "/FT", "/T", "/NM"):
                    if key in annotation and key not in keep:
                        del annotation[key]
                annotation.Subtype = pikepdf.Name.Stamp
        del opened.Root.AcroForm
        del opened.Root.Perms
        opened.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return out.getvalue()


@pytest.mark.parametrize("key", ["/T", "/NM"])
def test_stamp_without_seal_is_refused(bench, plain, key):
    sealed = bench.sealed(plain, HERE, Placement(2, 20, 20, 65))
    for work in (inspect, ingest):
        with pytest.raises(StrayStamp):
            work(taken_out(sealed, keep=(key,)), [Placement(1, 200, 20, 65)])


def test_stamp_with_seal_is_accepted(bench, plain):
    sealed = bench.sealed(plain, HERE, Placement(2, 20, 20, 65))
    again = bench.sealed(sealed, Placement(1, 200, 20, 65))
    assert bench.verify(again).verdict is Verdict.GENUINE


@pytest.mark.parametrize("is_inherited", [True, False])
def test_page_with_wrong_parent_is_refused(is_inherited):
    """Readers that inherit upwards would show a page of another size, and the stamp elsewhere."""
    made = letter(2)
    made[8] = b"<</Type/Pages/Kids[6 0 R]/Count 1/MediaBox[0 0 300 300]/Rotate 90>>"
    page = text_of(made[4]).replace(b"/Parent 2 0 R", b"/Parent 8 0 R")
    made[4] = page.replace(b"/MediaBox[0 0 595 842]", b"") if is_inherited else page
    made[2] = b"<</Type/Pages/Kids[4 0 R 6 0 R]/Count 2/MediaBox[0 0 595 842]>>"
    with pytest.raises(DocumentBroken):
        inspect(whole(made), [HERE])
    assert inspect(whole(made), [Placement(2, 20, 20, 70)]).pages == 2


# Ambiguous documents are repaired, or refused.


def test_row_that_does_not_lead_to_its_object_is_refused():
    document = whole(letter(2))
    at = document.index(b"\n3 0 obj") + 1
    row = b"%010d 00000 n" % at
    assert document.count(row) == 1
    with pytest.raises(DocumentBroken):
        inspect(document.replace(row, b"%010d 00000 n" % (at - 5)), [HERE])


@pytest.mark.parametrize(
    "tree",
    [
        b"<</Type/Pages/Kids[4 0 R 6 0 R]/Count 1>>",
        b"<</Type/Pages/Kids[4 0 R 6 0 R]/Count -2>>",
        b"<</Type/Pages/Kids[4 0 R 6 0 R]>>",
        b"<</Type/Page/Kids[4 0 R 6 0 R]/Count 2>>",
    ],
)
def test_page_tree_that_readers_walk_differently_is_refused(lab, tree):
    objects = letter(2)
    objects[2] = tree
    with pytest.raises(DocumentBroken):
        lab.seal(whole(objects))


def test_object_number_without_room_behind_it_is_refused(lab):
    objects = letter(2)
    objects[8_380_000] = b"<<>>"
    with pytest.raises(DocumentBroken):
        lab.seal(whole(objects))


def test_document_with_too_many_seals_for_another_stamping_is_refused():
    gap = b"<%b>" % (b"00" * 40)
    made = b""
    for _ in range(SEALS_MAX - STAMPS_MAX + 1):
        start = len(made)
        made += gap + b"/ByteRange[0 %d %d 9]" % (start, start + len(gap))
    check_room(made[: made.rindex(gap)])
    with pytest.raises(TooManySeals):
        check_room(made)
    with pytest.raises(TooManySeals):
        check_room(b">/ByteRange[0 1 2 3]" * RANGES_MAX)
