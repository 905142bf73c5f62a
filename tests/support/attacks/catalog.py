"""Attacks that change nothing but the catalog, alone and under an honest signature."""

from collections.abc import Callable

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from tests.support.attacks.lab import Attack, Change, Lab, changed
from tests.support.attacks.updates import by_library, form_letter

_DICTIONARY, _ARRAY = generic.DictionaryObject, generic.ArrayObject


def _script() -> generic.DictionaryObject:
    return _DICTIONARY(
        {pdf_name("/S"): pdf_name("/JavaScript"), pdf_name("/JS"): pdf_string("app.alert(1)")}
    )


def _set(key: str, value: Callable[[], generic.PdfObject]) -> Change:
    def change(writer: IncrementalPdfFileWriter) -> None:
        writer.root[pdf_name(key)] = value()
        writer.update_root()

    return change


def _in_form(key: str, value: Callable[[], generic.PdfObject]) -> Change:
    def change(writer: IncrementalPdfFileWriter) -> None:
        writer.root["/AcroForm"][pdf_name(key)] = value()
        writer.update_container(writer.root["/AcroForm"])

    return change


def _names() -> generic.PdfObject:
    tree = _DICTIONARY({pdf_name("/Names"): _ARRAY([pdf_string("a"), _script()])})
    return _DICTIONARY({pdf_name("/JavaScript"): tree})


def _layers() -> generic.PdfObject:
    default = _DICTIONARY({pdf_name("/BaseState"): pdf_name("/OFF")})
    return _DICTIONARY({pdf_name("/OCGs"): _ARRAY(), pdf_name("/D"): default})


def _labels() -> generic.PdfObject:
    style = _DICTIONARY({pdf_name("/St"): generic.NumberObject(9)})
    return _DICTIONARY({pdf_name("/Nums"): _ARRAY([generic.NumberObject(0), style])})


def _permissions_dropped(writer: IncrementalPdfFileWriter) -> None:
    del writer.root["/Perms"]
    writer.update_root()


CHANGES: dict[str, Change] = {
    "opening-action": _set("/OpenAction", _script),
    "actions": _set("/AA", lambda: _DICTIONARY({pdf_name("/WC"): _script()})),
    "scripts-by-name": _set("/Names", _names),
    "layers": _set("/OCProperties", _layers),
    "page-labels": _set("/PageLabels", _labels),
    "another-version": _set("/Version", lambda: pdf_name("/2.0")),
    "address-base": _set("/URI", lambda: _DICTIONARY({pdf_name("/Base"): pdf_string("http://e/")})),
    "permissions-dropped": _permissions_dropped,
    "form-in-xml": _in_form("/XFA", lambda: _ARRAY([pdf_string("form"), pdf_string("<a/>")])),
    "form-resources": _in_form("/DR", lambda: _DICTIONARY({pdf_name("/XObject"): _DICTIONARY()})),
    "form-default-looks": _in_form("/DA", lambda: pdf_string("/F1 99 Tf")),
    "form-order": _in_form("/CO", _ARRAY),
    "form-drawn-anew": _in_form("/NeedAppearances", lambda: generic.BooleanObject(True)),
}

# A signing program may raise the version, because it needs a newer one for what it adds.
_ALLOWED_WITH_A_SIGNATURE = {"another-version"}


def _under_signature(name: str, change: Change) -> Callable[[Lab], bytes]:
    """The change in the update of an honest signature, on a letter with a text field."""
    if name != "form-drawn-anew":
        return lambda lab: lab.signed(lab.sealed_of(form_letter()), change=change)
    # The library takes this entry away; it does not know the name it is given here.
    disguised = _in_form("/NeedAppearancez", lambda: generic.BooleanObject(True))
    return lambda lab: lab.signed(lab.sealed_of(form_letter()), change=disguised).replace(
        b"/NeedAppearancez", b"/NeedAppearances"
    )


def _form_value_under_signature(lab: Lab) -> bytes:
    def fill(writer: IncrementalPdfFileWriter) -> None:
        field = writer.root["/AcroForm"]["/Fields"][0].get_object()
        field["/V"] = pdf_string("Rp99")
        writer.update_container(field)

    return lab.signed(lab.sealed_of(form_letter()), change=fill)


CASES: dict[str, Attack] = {
    f"catalog-{name}": changed(by_library(change), "unchanged") for name, change in CHANGES.items()
} | {
    f"signed-with-{name}": changed(_under_signature(name, change), "unchanged")
    for name, change in CHANGES.items()
    if name not in _ALLOWED_WITH_A_SIGNATURE
}
CASES["signed-with-a-filled-form"] = changed(_form_value_under_signature, "unchanged")
