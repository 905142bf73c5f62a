"""Shadow attacks: content prepared before the seal becomes visible after it (Mainka et al., 2021)."""

from collections.abc import Mapping

from tests.support.attacks.lab import Attack, Lab, altered, extended
from tests.support.pdfmaker import Body, Row, Stream, letter, text_of, update, whole


def _hidden(lab: Lab) -> bytes:
    """ "Hide": freeing the object of a picture reveals the words below."""
    objects = letter(2)
    objects[4] = text_of(objects[4]).replace(b"/Contents 5 0 R", b"/Contents[5 0 R 60 0 R]")
    objects[60] = Stream(b"", b"1 g 0 0 595 700 re f")
    return lab.raw(lab.sealed_of(objects), {}, rows={60: Row("f", 0, 1)})


def _replaced(lab: Lab) -> bytes:
    """ "Replace": an exchanged font changes the letters that are read."""
    return lab.raw(lab.sealed, {3: b"<</Type/Font/Subtype/Type1/BaseFont/ZapfDingbats>>"})


def _with_a_second_tree(objects: Mapping[int, Body]) -> dict[int, Body]:
    """A letter with a second page tree to which no object refers."""
    return {
        **objects,
        60: Stream(b"", b"BT /F1 60 Tf 72 500 Td (Rp 999) Tj ET"),
        61: b"<</Type/Page/Parent 62 0 R/MediaBox[0 0 595 842]/Contents 60 0 R"
        b"/Resources<</Font<</F1 3 0 R>>>>>>",
        62: b"<</Type/Pages/Kids[61 0 R]/Count 1>>",
        63: b"<</Type/Catalog/Pages 62 0 R>>",
    }


def _swapped_by_row(lab: Lab) -> bytes:
    """ "Hide and replace": a cross-reference row points the page tree's number to the prepared tree."""
    sealed = lab.sealed_of(_with_a_second_tree(letter(2)))
    return lab.raw(sealed, {}, rows={2: Row("n", sealed.index(b"\n62 0 obj") + 1)})


def _swapped_by_trailer(lab: Lab) -> bytes:
    sealed = lab.sealed_of(_with_a_second_tree(letter(2)))
    return lab.raw(sealed, {}, trailer=b"/Root 63 0 R/ID[<00><00>]")


def _old_section_again(lab: Lab) -> bytes:
    """The pointer at the end of the file leads to a section that was prepared before the seal."""
    evil = update(
        whole(_with_a_second_tree(letter(2))), {2: b"<</Type/Pages/Kids[61 0 R]/Count 1>>"}
    )
    start = evil.rindex(b"xref\n", 0, evil.rindex(b"startxref"))
    return lab.seal(update(evil, {2: letter(2)[2]})) + b"startxref\n%d\n%%%%EOF\n" % start


def _missing_object(lab: Lab) -> bytes:
    """A page draws an object that is missing, and a later signature adds it."""
    objects = letter(2)
    objects[4] = text_of(objects[4]).replace(b"/Contents 5 0 R", b"/Contents[5 0 R 60 0 R]")
    return lab.raw(lab.signed(lab.sealed_of(objects)), {60: Stream(b"", b"0 0 300 300 re f")})


def _length(lab: Lab) -> bytes:
    """The length of the page content is an object of its own, and grows afterwards."""
    objects = letter(2)
    text = b"BT /F1 24 Tf 72 760 Td (Rp 1) Tj ET\nBT /F1 24 Tf 72 700 Td (Rp 999) Tj ET"
    objects[5] = b"<</Length 60 0 R>>stream\n%b\nendstream" % text
    objects[60] = b"%d" % text.index(b"\n")
    return lab.raw(lab.sealed_of(objects), {60: b"%d" % len(text)})


def _prepared_seal(lab: Lab) -> bytes:
    """The seal of one document behind another document, prepared to have the same length."""
    return lab.other[: len(lab.original)] + lab.sealed[len(lab.original) :]


CASES: dict[str, Attack] = {
    "shadow-hide": extended(_hidden),
    "shadow-replace-the-font": extended(_replaced),
    "shadow-hide-and-replace-by-a-row": extended(_swapped_by_row),
    "shadow-hide-and-replace-by-the-trailer": extended(_swapped_by_trailer),
    "shadow-old-section-again": extended(_old_section_again),
    "shadow-missing-object": extended(_missing_object),
    "shadow-length-of-the-content": extended(_length),
    "shadow-of-the-whole-document": altered(_prepared_seal, "integrity"),
}
