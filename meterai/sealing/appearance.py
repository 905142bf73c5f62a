"""The drawing of a stamp as objects of a PDF: a shared form for the art, one form per stamp."""

import zlib
from collections.abc import Iterable, Mapping

from pyhanko.pdf_utils import generic

from meterai.kit.serial import Serial
from meterai.sealing import art as drawing
from meterai.sealing.objects import Dictionary, Value, key, named, new_dictionary, reals
from meterai.sealing.pages import UPRIGHT
from meterai.sealing.qr import Qr


def art(*, specimen: bool) -> generic.StreamObject:
    """The part of the drawing that every stamp of a document shares."""
    box = (0.0, 0.0, drawing.SHEET_WIDTH, drawing.SHEET_HEIGHT)
    fonts = {"B": _font("Helvetica-Bold")}
    return _form(drawing.fixed_part(specimen=specimen), box, {"Font": new_dictionary(fonts)})


def face(
    serial: Serial, code: Qr, shared: generic.IndirectObject, width: float, quarter_turns: int
) -> generic.StreamObject:
    """The appearance of one stamp, turned so that it stands upright on a turned page."""
    scale = width / drawing.SHEET_WIDTH
    head = f"q {scale:.5f} 0 0 {scale:.5f} 0 0 cm /Art Do\n".encode("ascii")
    content = head + drawing.face(serial, code) + b"\nQ"
    resources = {
        "XObject": new_dictionary({"Art": shared}),
        "Font": new_dictionary({"M": _font("Courier-Bold")}),
    }
    box = (0.0, 0.0, width, drawing.SHEET_HEIGHT * scale)
    form = _form(zlib.compress(content, 6), box, resources)
    if quarter_turns:
        form[key("Matrix")] = reals([*UPRIGHT[quarter_turns], 0, 0])
    return form


def _form(
    compressed: bytes, box: Iterable[float], resources: Mapping[str, Value]
) -> generic.StreamObject:
    entries: dict[str, Value] = {
        "Type": key("XObject"),
        "Subtype": key("Form"),
        "BBox": reals(box),
        "Resources": new_dictionary(resources),
        "Filter": key("FlateDecode"),
    }
    return generic.StreamObject(named(entries), encoded_data=compressed)


def _font(name: str) -> Dictionary:
    return new_dictionary(
        {
            "Type": key("Font"),
            "Subtype": key("Type1"),
            "BaseFont": key(name),
            "Encoding": key("WinAnsiEncoding"),
        }
    )
