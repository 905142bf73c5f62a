"""Attacks by a later signature of a stranger: what it covers, and what it brings along."""

from collections.abc import Callable
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from tests.support.attacks.lab import (
    EMPTY_PAPER,
    OVER_WORDS,
    Attack,
    Change,
    Lab,
    changed,
    covered,
    forged,
)
from tests.support.attacks.updates import title
from tests.support.pdfmaker import Stream, letter


def _covering(box: tuple[float, ...], page: int = 0, **entries: bytes) -> Callable[[Lab], bytes]:
    """A visible signature on a letter whose pages have more entries."""

    def make(lab: Lab) -> bytes:
        objects = letter(2)
        more = b"".join(b"/%b %b" % (key.encode(), value) for key, value in entries.items())
        for number in (4, 6):
            objects[number] = objects[number][:-2] + more + b">>"  # type: ignore[operator]
        return lab.signed(lab.sealed_of(objects), on_page=page, box=box)

    return make


def widget(writer: IncrementalPdfFileWriter, **entries: Any) -> generic.IndirectObject:
    """A signature field without a picture, which signing brings; to be hung on a page."""
    field = {
        "/Type": pdf_name("/Annot"),
        "/Subtype": pdf_name("/Widget"),
        "/FT": pdf_name("/Sig"),
        "/T": generic.pdf_string("Notaris"),
        "/F": generic.NumberObject(132),
        "/Rect": generic.ArrayObject(map(generic.NumberObject, OVER_WORDS)),
        "/P": writer.root["/Pages"]["/Kids"].raw_get(0),
    } | {f"/{key}": value for key, value in entries.items()}
    made = writer.add_object(
        generic.DictionaryObject({pdf_name(key): value for key, value in field.items()})
    )
    form = writer.root["/AcroForm"]
    form["/Fields"].append(made)
    writer.update_container(form["/Fields"])
    return made


def _lying_about_its_page(lab: Lab) -> bytes:
    """The widget hangs on the first page and says it is on the second, where there is nothing."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        kids = writer.root["/Pages"]["/Kids"]
        made = widget(writer, P=kids.raw_get(1))
        writer.register_annotation(kids.raw_get(0), made)

    return lab.signed(lab.sealed, change=change)


def _on_both_pages(lab: Lab) -> bytes:
    """One widget that hangs on two pages: on one it covers nothing."""
    objects = letter(2)
    objects[5] = Stream(b"", b"")
    sealed = lab.sealed_of(objects)

    def change(writer: IncrementalPdfFileWriter) -> None:
        kids = writer.root["/Pages"]["/Kids"]
        made = widget(writer)
        for index in (0, 1):
            writer.register_annotation(kids.raw_get(index), made)

    return lab.signed(sealed, change=change)


def _turned_rectangle(lab: Lab) -> bytes:
    """The corners of the rectangle in the other order."""
    left, low, right, top = OVER_WORDS

    def change(writer: IncrementalPdfFileWriter) -> None:
        rect = generic.ArrayObject(map(generic.NumberObject, (right, top, left, low)))
        made = widget(writer, Rect=rect)
        writer.register_annotation(writer.root["/Pages"]["/Kids"].raw_get(0), made)

    return lab.signed(lab.sealed, change=change)


def _with_flags(flags: int, rectangle: tuple[int, ...]) -> Callable[[Lab], bytes]:
    """A widget whose flags make it lie elsewhere, or be shown only later."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        place = generic.ArrayObject(map(generic.NumberObject, rectangle))
        made = widget(writer, F=generic.NumberObject(flags), Rect=place)
        writer.register_annotation(writer.root["/Pages"]["/Kids"].raw_get(0), made)

    def make(lab: Lab) -> bytes:
        objects = letter(2)
        objects[4] = objects[4][:-2] + b"/Rotate 90>>"  # type: ignore[operator]
        return lab.signed(lab.sealed_of(objects), change=change)

    return make


def _picture_of_empty_field(lab: Lab) -> bytes:
    """A field that was there, empty and over the words, gets its picture with the signature."""
    objects = letter(2)
    objects[1] = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[30 0 R]>>>>"
    objects[30] = (
        b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Notaris)/F 4/P 4 0 R/Rect[60 740 340 800]>>"
    )
    objects[4] = objects[4][:-2] + b"/Annots[30 0 R]>>"  # type: ignore[operator]
    return lab.signed(lab.sealed_of(objects))


def _beside(change: Change) -> Callable[[Lab], bytes]:
    return lambda lab: lab.signed(lab.sealed, change=change, on_page=0, box=EMPTY_PAPER)


def _stray(writer: IncrementalPdfFileWriter) -> None:
    writer.add_object(generic.DictionaryObject({pdf_name("/Stray"): generic.NumberObject(1)}))


def _second_annotation(writer: IncrementalPdfFileWriter) -> None:
    page = writer.root["/Pages"]["/Kids"].raw_get(0)
    note = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/Square"),
            pdf_name("/Rect"): generic.ArrayObject(map(generic.NumberObject, EMPTY_PAPER)),
        }
    )
    writer.register_annotation(page, writer.add_object(note))


def _inline_widget(writer: IncrementalPdfFileWriter) -> None:
    page = writer.root["/Pages"]["/Kids"].raw_get(0)
    note = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/Widget"),
            pdf_name("/FT"): pdf_name("/Sig"),
            pdf_name("/Rect"): generic.ArrayObject(map(generic.NumberObject, OVER_WORDS)),
        }
    )
    page.get_object()["/Annots"].append(note)
    writer.update_container(page.get_object()["/Annots"])


def _content(writer: IncrementalPdfFileWriter) -> None:
    page = writer.root["/Pages"]["/Kids"].raw_get(0)
    page.get_object()["/Contents"] = writer.add_object(generic.StreamObject(stream_data=b"0 g"))
    writer.mark_update(page)


def _actions(writer: IncrementalPdfFileWriter) -> None:
    action = generic.DictionaryObject(
        {pdf_name("/S"): pdf_name("/URI"), pdf_name("/URI"): generic.pdf_string("http://e/")}
    )
    made = widget(
        writer, A=action, Rect=generic.ArrayObject(map(generic.NumberObject, EMPTY_PAPER))
    )
    writer.register_annotation(writer.root["/Pages"]["/Kids"].raw_get(0), made)


def _button(writer: IncrementalPdfFileWriter) -> None:
    made = widget(writer, FT=pdf_name("/Btn"), T=generic.pdf_string("Tombol"))
    writer.register_annotation(writer.root["/Pages"]["/Kids"].raw_get(0), made)


def _many_pictures(lab: Lab) -> bytes:
    document = lab.signed(lab.sealed, on_page=0, box=EMPTY_PAPER)
    return lab.signed(document, "Kedua", on_page=0, box=OVER_WORDS)


def _our_reason(lab: Lab) -> bytes:
    return lab.signed(lab.sealed, reason=f"[{lab.serial()}] Meterai elektronik")


def _our_field(lab: Lab) -> bytes:
    return lab.signed(lab.sealed, f"Meterai_{lab.serial()}")


def _our_own_field(lab: Lab) -> bytes:
    """The stranger puts a signature of his own where our seal was."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        field = writer.root["/AcroForm"]["/Fields"][0].get_object()
        del field["/V"]
        writer.update_container(field)
        name["is"] = str(field["/T"])

    name: dict[str, str] = {"is": ""}
    serial = lab.sealed[lab.sealed.index(b"/T(Meterai_") + 3 :][:30].decode()
    return lab.signed(lab.sealed, serial, change=change)


def _last_container(document: bytes) -> tuple[int, int]:
    """Where the hexadecimal digits of the last signature begin and end."""
    start = document.rindex(b"/Contents <") + len(b"/Contents <")
    return start, document.index(b">", start)


def _value_broken(lab: Lab) -> bytes:
    """A later signature one digit of whose value is another, in an update with another title."""
    document = lab.signed(lab.sealed, change=title)
    start, end = _last_container(document)
    last = start + len(document[start:end].rstrip(b"0")) - 8
    digit = b"1" if document[last : last + 1] != b"1" else b"2"
    return document[:last] + digit + document[last + 1 :]


def _container_of_another(lab: Lab) -> bytes:
    """A later signature that holds, but for another file."""
    document, other = (lab.signed(lab.sealed, change=change) for change in (title, None))
    container = other[slice(*_last_container(other))].rstrip(b"0")
    start, end = _last_container(document)
    return document[:start] + container.ljust(end - start, b"0") + document[end:]


def _container_empty(lab: Lab) -> bytes:
    document = lab.signed(lab.sealed, change=title)
    start, end = _last_container(document)
    return document[:start] + b"0" * (end - start) + document[end:]


def _range_short(lab: Lab) -> bytes:
    """A later signature whose byte range ends before its update does."""
    document = lab.signed(lab.sealed)
    place = document.rindex(b"/ByteRange")
    numbers = document[place : document.index(b"]", place)].split()
    shorter = str(int(numbers[-1]) - 30).encode().ljust(len(numbers[-1]))
    start = document.rindex(numbers[-1], place, document.index(b"]", place))
    return document[:start] + shorter + document[start + len(numbers[-1]) :]


def _title_behind(lab: Lab) -> bytes:
    """An honest signature, and behind it an update that nobody signed."""
    return lab.updated(lab.signed(lab.sealed), title)


CASES: dict[str, Attack] = {
    "signed-with-a-broken-value": changed(_value_broken, "unchanged"),
    "signed-for-another-file": changed(_container_of_another, "unchanged"),
    "signed-with-an-empty-container": changed(_container_empty, "unchanged"),
    "signed-over-less-than-its-update": changed(_range_short, "unchanged"),
    "title-behind-a-signature": changed(_title_behind, "unchanged"),
    "sneaky-signature": covered(_covering(OVER_WORDS)),
    "sneaky-signature-on-a-turned-page": covered(_covering(OVER_WORDS, Rotate=b"90")),
    "sneaky-signature-on-a-page-upside-down": covered(_covering(OVER_WORDS, Rotate=b"180")),
    "sneaky-signature-on-a-page-turned-back": covered(_covering(OVER_WORDS, Rotate=b"270")),
    "sneaky-signature-on-a-cropped-page": covered(_covering(OVER_WORDS, CropBox=b"[50 0 500 800]")),
    "sneaky-signature-on-a-cropped-turned-page": covered(
        _covering(OVER_WORDS, CropBox=b"[50 0 500 800]", Rotate=b"90")
    ),
    "sneaky-signature-in-user-units": covered(_covering(OVER_WORDS, UserUnit=b"2")),
    "sneaky-signature-on-the-last-page": covered(_covering(OVER_WORDS, page=1)),
    "sneaky-signature-over-the-stamp": covered(_covering((30, 30, 60, 60))),
    "sneaky-signature-over-the-whole-page": covered(_covering((0, 0, 595, 842))),
    "sneaky-second-signature": covered(_many_pictures),
    "sneaky-widget-lying-about-its-page": changed(_lying_about_its_page, "unchanged"),
    "sneaky-widget-on-two-pages": changed(_on_both_pages, "unchanged"),
    "sneaky-widget-with-a-turned-rectangle": Attack(_turned_rectangle, "covered_after_sealing"),
    "sneaky-widget-that-does-not-turn": changed(
        _with_flags(4 | 16, (300, 100, 320, 700)), "unchanged"
    ),
    "sneaky-widget-that-does-not-grow": changed(_with_flags(4 | 8, EMPTY_PAPER), "unchanged"),
    "signed-with-a-title": changed(lambda lab: lab.signed(lab.sealed, change=title), "unchanged"),
    "sneaky-widget-hidden-at-first": changed(_with_flags(2, OVER_WORDS), "unchanged"),
    "sneaky-picture-of-an-empty-field": Attack(_picture_of_empty_field, "covered_after_sealing"),
    "signed-with-a-stray-object": changed(_beside(_stray), "unchanged"),
    "signed-with-an-annotation": changed(_beside(_second_annotation), "unchanged"),
    "signed-with-an-inline-widget": changed(_beside(_inline_widget), "unchanged"),
    "signed-with-another-page": changed(_beside(_content), "unchanged"),
    "signed-with-a-button": changed(_beside(_button), "unchanged"),
    "signed-with-a-link": changed(lambda lab: lab.signed(lab.sealed, change=_actions), "unchanged"),
    "signed-with-our-reason": forged(_our_reason, "issuer"),
    "signed-in-a-field-of-our-name": forged(_our_field, "issuer"),
    "signed-where-our-seal-was": forged(_our_own_field, "issuer"),
}
