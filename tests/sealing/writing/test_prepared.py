"""What somebody prepares before sealing, for what is appended then or later to be part of it."""

import io
import random
import re
import zlib

import pikepdf
import pytest

from meterai.sealing import (
    DynamicForm,
    Placement,
    ReferencesUnresolved,
    SealDoesNotHold,
    StrayStamp,
    Verdict,
    ingest,
    inspect,
)
from meterai.sealing.ingestion import examining
from meterai.sealing.model import DocumentBroken
from meterai.sealing.pdf.deflation import is_read_alike
from meterai.sealing.pdf.document import open_document
from meterai.sealing.pdf.references import (
    NUMBER_MAX,
    WITHOUT_REFERENCES,
    Places,
    first_unreferred,
    references_of,
)
from meterai.sealing.sandbox.bounded import Task, finish
from meterai.sealing.signing.issuers import Issuers
from meterai.sealing.writing.engine import accepting
from tests.support.attacks import structure
from tests.support.attacks.by_hand import MORE, form_number, objects_of, signed
from tests.support.pdfmaker import Stream, letter, text_of, update, whole

HERE = Placement(1, 20, 20, 65)
SIZE = 9  # of `with_annotations`: our objects would be numbered from here
WRITTEN = [
    b"%d 0 R",
    b"%d\n0\nR",
    b"000000%d 0 R",
    b"%d 00000 R",
    b"%d%%c\n0 R",
    b"%d 0%%c 1 0 R\r%%\nR",
    b"+%d 0 R",
    b"%d\x0b0\x0bR",
]


def with_annotations(listed, style="table", packed=()):
    """A letter whose second page lists these annotations, and a font that nothing needs."""
    made = letter(2)
    made[6] = text_of(made[6])[:-2] + b"/Annots[%b]>>" % listed
    made[8] = b"<</Type/Font>>"
    return whole(made, style=style, packed=packed)


def annotations_of(document, page):
    with pikepdf.open(io.BytesIO(document)) as opened:
        found = opened.pages[page - 1].obj.get("/Annots")
        return (
            [] if found is None else [one for one in found if isinstance(one, pikepdf.Dictionary)]
        )


@pytest.mark.parametrize("written", WRITTEN)
def test_a_stamp_is_on_no_page_that_waits_for_an_object(bench, written):
    """Each of the numbers that an object of ours would have is listed by the other page."""
    listed = b" ".join(written % number for number in range(SIZE, SIZE + 40))
    sealed = bench.sealed(with_annotations(listed), HERE)
    assert bench.verify(sealed).verdict is Verdict.GENUINE
    ours = {int(one) for one in re.findall(rb"(\d+) 0 obj\n<</Type/Annot", sealed)}
    assert ours == {number for number in ours if number >= SIZE + 40}
    assert len(annotations_of(sealed, 1)) == 1
    assert not annotations_of(sealed, 2)


def test_a_number_that_wraps_around_is_left_out_too():
    wrapped = (0x1_0000_0000 + SIZE, 0x8000_0000 + SIZE + 1, SIZE + 2)
    document = with_annotations(b"%d 0 R %d 0 R %d.0 0 R" % wrapped)
    assert first_unreferred(open_document(document, bytes_max=len(document))) == SIZE + 3


def test_a_reference_in_an_object_stream_counts():
    document = with_annotations(b"20 0 R", style="stream", packed=(2, 4, 6))
    assert first_unreferred(open_document(document, bytes_max=len(document))) == 21


@pytest.mark.parametrize("written", [b"20\x800\xffR", b"20\xff%x\n\x800 R", b"20 0\x80%x\nR"])
def test_what_is_white_space_for_some_readers_divides_a_reference(written):
    document = with_annotations(written)
    assert first_unreferred(open_document(document, bytes_max=len(document))) == 21


def test_one_far_behind_is_left_to_whoever_checks():
    document = with_annotations(b"%d 0 R" % (SIZE + WITHOUT_REFERENCES))
    assert first_unreferred(open_document(document, bytes_max=len(document))) == SIZE


def test_references_to_what_is_missing_everywhere_are_refused():
    step = WITHOUT_REFERENCES - 1
    listed = b" ".join(b"%d 0 R" % (SIZE + step * index) for index in range(110))
    with pytest.raises(ReferencesUnresolved):
        inspect(with_annotations(listed), [HERE])


@pytest.mark.parametrize("style", ["table", "stream"])
def test_numbers_that_some_readers_keep_no_room_for_are_refused(style):
    def numbered(number):
        return whole({**letter(1), number: b"null"}, style=style)

    assert inspect(numbered(NUMBER_MAX - 2), [HERE]).pages == 1
    with pytest.raises(ReferencesUnresolved):
        inspect(numbered(NUMBER_MAX), [HERE])


def read_forwards(text):
    """The same rule, read from the beginning: slow, and plain."""
    between = rb"(?:[\0-\x20]|%[^\r\n]*+[\r\n])++"
    rule = rb"(?<![\d.])(\d++)[.\d]*+(?:%b[+-]?+|[+-])[\d.]++(?:%b)?R" % (between, between)
    return {int(one) for one in re.findall(rule, text)}


def test_reading_backwards_finds_all_that_reading_forwards_does():
    chance, tokens = random.Random(3), [b"1", b"2", b"0", b".", b"%", b"\n", b" ", b"R", b"+", b"-"]
    tokens += [b"x", b"\r", b"\0", b"(", b" 0 R", b"%c\n", b"12 "]
    document = open_document(whole(letter(1)), bytes_max=100_000)
    found = 0
    for _ in range(20_000):
        text = b"".join(chance.choice(tokens) for _ in range(chance.randint(4, 18)))
        document.buffer = text
        document.sections = []
        expected = read_forwards(text)
        found += len(expected)
        assert expected <= references_of(document), text
    assert found > 3_000


def test_comments_behind_numbers_are_counted():
    document = with_annotations(b"")[:-1] + b"\n"
    opened = open_document(document, bytes_max=len(document))
    opened.buffer = b"%1" * 500_000
    opened.sections = []
    with pytest.raises(DocumentBroken):
        references_of(opened)


@pytest.mark.parametrize(
    "written",
    [
        *WRITTEN,
        b"%d %%" + b"x" * 300 + b"\n0 R",
        b"%d%%" + b"x" * 300 + b"\r0 R",
        b"%d 0 %%" + b"x" * 300 + b"\nR",
        b"%d\x80 0\xffR",
        b"%d -0 R",
        b"%d 0.0 R",
        b"%d+0R",
        b"00%d. 0 R",
    ],
)
def test_a_second_reference_is_found_however_it_is_written(written):
    document = with_annotations(b"4 0 R 8 0 R" + b" " + written % 8)
    places = Places(open_document(document, bytes_max=len(document)))
    assert places.times_referred(8) == 2
    assert places.times_referred(4) == 2  # one is that of the page tree


def test_a_number_that_wraps_around_may_be_a_reference_to_any():
    document = with_annotations(b"%d 0 R 80 0 R 8 1" % (0x2_0000_0000 + 8))
    places = Places(open_document(document, bytes_max=len(document)))
    assert places.times_referred(8) == 1


def with_references(written):
    """A letter with a stream that somebody filled with references."""
    return whole({**letter(2), 90: Stream(b"", written)})


@pytest.mark.parametrize(
    "written",
    [
        b"".join(b"%d 0R" % number for number in range(1, 200_000)),
        b"1 0R" * 600_000,
    ],
)
def test_references_without_end_are_read_in_a_process(written):
    document = with_references(written)
    assert isinstance(next(accepting(document, [HERE]), None), Task)
    assert ingest(document, [HERE]).inspection.pages == 2


def test_there_is_an_end_to_them_there():
    document = with_references(b"".join(b"%d 0R" % (3 * number) for number in range(1_200_000)))
    opened = open_document(document, bytes_max=len(document))
    with pytest.raises(DocumentBroken):
        references_of(opened)


def test_the_references_of_a_large_book_are_read_at_once():
    book = b"".join(b"[%d 0 R %d 0 R]" % (number, number + 1) for number in range(1, 60_000))
    document = with_references(book)
    assert next(accepting(document, [HERE]), None) is None


def shared_annotations(annotations):
    """Two pages with one list of annotations, which is an object of its own."""
    made = letter(2)
    for number in (4, 6):
        made[number] = text_of(made[number])[:-2] + b"/Annots 8 0 R>>"
    made[8] = annotations
    return whole(made)


LINK = b"<</Type/Annot/Subtype/Link/Rect[60 700 90 720]/Contents(rahasia sekali)>>"


@pytest.mark.parametrize("annotations", [b"[]", b" %%x\n[%b ]" % LINK])
def test_pages_that_share_a_list_do_not_share_the_stamp(bench, annotations):
    document = shared_annotations(annotations)
    sealed = bench.sealed(document, HERE)
    assert bench.verify(sealed).verdict is Verdict.GENUINE
    assert len(annotations_of(sealed, 1)) == 1 + len(annotations_of(document, 1))
    assert len(annotations_of(sealed, 2)) == len(annotations_of(document, 2))


def test_pages_of_a_signed_document_do_not_either(bench, lab):
    document = lab.signed(shared_annotations(b"[]"))
    sealed = bench.sealed(document, HERE)
    assert bench.verify(sealed).verdict is Verdict.GENUINE
    assert len(annotations_of(sealed, 1)) == 1 + len(annotations_of(sealed, 2))


@pytest.mark.parametrize("home", ["1 0 R", "9 0 R"])
def test_fields_that_are_the_annotations_of_a_page_do_not_bring_it_the_stamp(bench, lab, home):
    made = letter(2)
    made[6] = text_of(made[6])[:-2] + b"/Annots 8 0 R>>"
    made[8] = b"[]"
    made[9] = b"<</Fields 8 0 R>>"
    form = b"9 0 R" if home == "9 0 R" else made[9]
    made[1] = b"<</Type/Catalog/Pages 2 0 R/AcroForm %b>>" % text_of(form)
    for document in (whole(made), lab.signed(whole(made))):
        sealed = bench.sealed(document, HERE)
        assert bench.verify(sealed).verdict is Verdict.GENUINE
        before = len(annotations_of(document, 2))
        assert len(annotations_of(sealed, 2)) == before


@pytest.mark.parametrize("revision", [3, 4, 6])
def test_a_list_that_is_copied_is_enciphered_for_where_it_stands(bench, revision):
    out = io.BytesIO()
    handler = pikepdf.Encryption(
        owner="a", user="", R=revision, aes=revision > 3, metadata=revision > 3
    )
    with pikepdf.open(io.BytesIO(shared_annotations(b"[%b]" % LINK))) as opened:
        opened.save(out, encryption=handler, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    sealed = bench.sealed(out.getvalue(), HERE)
    assert str(annotations_of(sealed, 1)[0].Contents) == "rahasia sekali"
    assert len(annotations_of(sealed, 2)) == 1


@pytest.mark.parametrize(
    "form", [b"<</Fields[]/XFA[(a) 8 0 R]>>", b"<</Fields[]/X#46A 8 0 R>>", b"9 0 R"]
)
def test_a_form_that_is_built_when_it_is_opened_is_refused(bench, form):
    made = letter(1)
    made[1] = b"<</Type/Catalog/Pages 2 0 R/AcroForm %b>>" % form
    made[8] = Stream(b"", b"<xdp/>")
    made[9] = b"<</Fields[]/XFA 8 0 R>>"
    for work in (lambda: inspect(whole(made), [HERE]), lambda: bench.sealed(whole(made), HERE)):
        with pytest.raises(DynamicForm):
            work()


@pytest.mark.parametrize("key", [b"/L", b"/#4c", b"/L%L\n"])
def test_a_file_that_would_be_taken_for_linearized_once_it_is_sealed_is_not_handed_out(bench, key):
    """Some readers would begin at a cross-reference of the original, and see no stamp.

    One seal in some 150 is longer, because its QR code is written in hexadecimal (`artwork.code`): its
    document is handed out, and its length is not the one that was foretold.
    """
    made = letter(2)
    first = {9: b"<</Linearized 1%b 0000000/H[0 0]/O 4/E 1/N 2/T 1>>" % key} | made
    document = whole(first)
    # The usual length, not that of one which is longer: else none of those below is as long.
    sealings = (bench.sealed(document, HERE) for _ in range(9))
    length = len(next(one for one in sealings if b"/F/AHx" not in one))
    prepared = document.replace(b" 0000000/H", b" %07d/H" % length)
    refused = 0
    for _ in range(10):
        try:
            assert len(bench.sealed(prepared, HERE)) != length
        except SealDoesNotHold:
            refused += 1
    assert refused
    honest = document.replace(b" 0000000/H", b" %07d/H" % len(document))
    assert bench.verify(bench.sealed(honest, HERE)).verdict is Verdict.GENUINE


def taken_out(sealed, *, keep=()):
    """A sealed document written anew without the form, its picture left."""
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
def test_a_stamp_whose_seal_was_taken_out_is_no_place_for_another(bench, plain, key):
    sealed = bench.sealed(plain, HERE, Placement(2, 20, 20, 65))
    for work in (inspect, ingest):
        with pytest.raises(StrayStamp):
            work(taken_out(sealed, keep=(key,)), [Placement(1, 200, 20, 65)])


def test_a_stamp_beside_its_seal_is(bench, plain):
    sealed = bench.sealed(plain, HERE, Placement(2, 20, 20, 65))
    again = bench.sealed(sealed, Placement(1, 200, 20, 65))
    assert bench.verify(again).verdict is Verdict.GENUINE


@pytest.mark.parametrize("numbers", [(1,), (1, 4)])
def test_a_seal_that_the_form_no_longer_names_is_found_when_the_document_comes_in(
    bench, lab, numbers
):
    """With its picture left on the page, or without."""
    hidden = update(lab.sealed, {number: letter(2)[number] for number in numbers})
    issuers = Issuers(bench.issuer, {}, (bench.issuer.root,), {})
    work = examining(hidden, [Placement(1, 200, 20, 65)], issuers, bench.at)
    if numbers == (1,):
        with pytest.raises(StrayStamp):
            finish(work)
        return
    _, verdict = finish(work)
    assert verdict is Verdict.CHANGED_AFTER_SEALING


def test_a_note_that_takes_its_font_from_the_form_keeps_it(lab):
    """Readers that draw such a note anew would take the font that a later update puts there."""
    made = letter(2)
    note = (
        b"<</Type/Annot/Subtype/FreeText/Rect[60 600 400 640]/DA(/F9 20 Tf)/Contents(Rp 99)/F 4>>"
    )
    made[50] = note
    made[4] = text_of(made[4])[:-2] + b"/Annots[50 0 R]>>"
    document = lab.seal(whole(made))
    objects = objects_of(document)
    form = form_number(document)
    objects[form] = text_of(objects[form])[:-2] + b"/DR<</Font<</F9 %d 0 R>>>>>>" % MORE
    objects[MORE] = b"<</Type/Font/Subtype/Type1/BaseFont/Symbol>>"
    assert lab.verify(signed(lab, document, objects)).verdict is Verdict.CHANGED_AFTER_SEALING


@pytest.mark.parametrize("is_inherited", [True, False])
def test_a_page_that_hangs_from_another_node_than_it_says_is_not_stamped_as_it_is(is_inherited):
    """Readers that inherit upwards would see a page of another size, and the stamp elsewhere."""
    made = letter(2)
    made[8] = b"<</Type/Pages/Kids[6 0 R]/Count 1/MediaBox[0 0 300 300]/Rotate 90>>"
    page = text_of(made[4]).replace(b"/Parent 2 0 R", b"/Parent 8 0 R")
    made[4] = page.replace(b"/MediaBox[0 0 595 842]", b"") if is_inherited else page
    made[2] = b"<</Type/Pages/Kids[4 0 R 6 0 R]/Count 2/MediaBox[0 0 595 842]>>"
    with pytest.raises(DocumentBroken):
        inspect(whole(made), [HERE])
    assert inspect(whole(made), [Placement(2, 20, 20, 70)]).pages == 2


@pytest.mark.parametrize("name", structure.PREPARED)
def test_what_some_reader_takes_otherwise_is_written_anew_before_sealing(bench, name):
    document = structure.PREPARED[name]()
    with pytest.raises(DocumentBroken):
        inspect(document, [HERE])
    prepared = ingest(document, [HERE])
    assert prepared.is_repaired
    assert bench.verify(bench.sealed(prepared.document, HERE)).verdict is Verdict.GENUINE


def test_what_some_reader_ends_earlier_is_refused():
    """Writing it anew keeps its brackets."""
    for work in (inspect, ingest):
        with pytest.raises(DocumentBroken):
            work(structure.of_deep_brackets(), [HERE])


def test_deflated_data_are_the_same_for_all_unless_a_stored_block_follows_a_coded_one():
    words = b"BT /F1 24 Tf 72 760 Td (Surat Pernyataan) Tj ET\n" * 400
    for level in range(10):
        for plain in (b"", words, random.Random(level).randbytes(100_000)):
            deflated = zlib.compress(plain, level)
            assert is_read_alike(deflated)
            assert not is_read_alike(deflated[:2])
    assert not is_read_alike(structure.read_ahead(words, words))
    assert not is_read_alike(words)
    # Of the second block nothing is known where the first ends before its end.
    assert not is_read_alike(structure.read_ahead(words, words)[:40])
