"""Attacks by a picture that nobody sees when it is judged: hidden, or behind what looks like nothing.

A hidden field is shown by an action that was prepared before sealing; a picture without a box is drawn in its own size.
"""

import zlib
from collections.abc import Callable

from tests.support.attacks.by_hand import SIGNATURE, objects_of, signed
from tests.support.attacks.lab import Attack, Lab, changed
from tests.support.attacks.later import object_of, signed_by_hand
from tests.support.pdfmaker import Stream, letter, text_of

_SHOWN = b"/OpenAction<</S/Hide/T(Notaris)/H false>>"
FORM = b"/Type/XObject/Subtype/Form"
_OVER = b"60 740 340 800"
_NOWHERE = b"60 740 60 740"
_WORDS = b"1 g 0 0 280 60 re f 0 g 10 10 20 20 re f"
_BOX = b"/BBox[0 0 280 60]"


def _deflated(data: bytes, entries: bytes = b"") -> Stream:
    return Stream(FORM + entries + b"/Filter/FlateDecode", zlib.compress(data))


def signed_with(
    lab: Lab, flags: int, picture: Stream, *, place: bytes = _NOWHERE, prepared: bytes = _SHOWN
) -> bytes:
    """A stranger's signature on the first page, with these flags and this picture."""
    made = letter(2)
    made[1] = text_of(made[1])[:-2] + prepared + b">>"
    widget = b"/Type/Annot/Subtype/Widget/P 4 0 R/F %d/Rect[%b]/AP<</N 202 0 R>>" % (flags, place)
    return signed_by_hand(lab, lab.sealed_of(made), {202: picture}, field=widget, page=4)


def _with(flags: int, picture: Stream, place: bytes = _NOWHERE) -> Callable[[Lab], bytes]:
    return lambda lab: signed_with(lab, flags, picture, place=place)


def _waiting(flags: int) -> Callable[[Lab], bytes]:
    """A field that was sealed empty, and is not seen, gets a picture with its signature."""

    def make(lab: Lab) -> bytes:
        made = letter(2)
        shown = b"/Type/Annot/Subtype/Widget/FT/Sig/T(Saksi)/F %d/Rect[%b]/P 6 0 R" % (flags, _OVER)
        made[1] = b"<</Type/Catalog/Pages 2 0 R/AcroForm 30 0 R%b>>" % _SHOWN
        made[6] = text_of(made[6])[:-2] + b"/Annots[31 0 R]>>"
        made |= {30: b"<</Fields[31 0 R]>>", 31: b"<<%b>>" % shown}
        sealed = lab.sealed_of(made)
        filled = object_of(sealed, 31)[:-2] + b"/V %d 0 R/AP<</N 202 0 R>>>>" % SIGNATURE
        picture = Stream(FORM + _BOX, _WORDS)
        value = objects_of(sealed)[SIGNATURE]
        return signed(lab, sealed, {31: filled, SIGNATURE: value, 202: picture})

    return make


CASES: dict[str, Attack] = {
    "concealed-hidden": changed(_with(6, Stream(FORM + _BOX, _WORDS), _OVER), "unchanged"),
    "concealed-hidden-and-deflated": changed(_with(2, _deflated(_WORDS, _BOX), _OVER), "unchanged"),
    "concealed-behind-blanks": changed(_with(6, _deflated(b" " * 3_000 + _WORDS)), "unchanged"),
    "concealed-behind-blanks-in-sight": changed(
        _with(4, _deflated(b" " * 3_000 + _WORDS)), "unchanged"
    ),
    "concealed-by-a-predictor": changed(
        _with(4, _deflated(b"\t \n\t", b"/DecodeParms<</Predictor 2/Columns 2>>")), "unchanged"
    ),
    "concealed-behind-the-end-of-the-data": changed(
        _with(6, Stream(FORM + b"/Filter/FlateDecode", zlib.compress(b" ") + _WORDS)), "unchanged"
    ),
    "concealed-in-a-field-that-was-hidden": changed(_waiting(6), "unchanged"),
    "concealed-in-a-field-on-paper-alone": changed(_waiting(36), "unchanged"),
}
