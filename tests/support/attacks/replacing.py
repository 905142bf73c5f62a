"""Attacks that replace the image, the QR code, the words or the serial of a stamp."""

import re
import zlib

from tests.support.attacks.lab import Attack, Lab, altered, extended
from tests.support.attacks.octets import ranges_of
from tests.support.pdfmaker import Stream, letter, whole


def _number_of(document: bytes, pattern: bytes) -> int:
    return int(re.findall(pattern, document)[-1])


def widget_of(document: bytes) -> int:
    """The object number of the signature field."""
    return _number_of(document, rb"/Fields\s*\[[^\]]*?(\d+) 0 R\]")


def face_of(document: bytes) -> int:
    """The object number of the stamp's appearance stream."""
    return _number_of(document, rb"/AP<</N (\d+) 0 R")


def _face(lab: Lab) -> tuple[bytes, bytes]:
    found = re.search(
        rb"\n%d 0 obj\n<<(.*?)/Length \d+>>stream\n(.*?)\nendstream" % face_of(lab.sealed),
        lab.sealed,
        re.DOTALL,
    )
    assert found is not None
    return found[1], found[2]


def _picture_in_place(lab: Lab) -> bytes:
    _, data = _face(lab)
    return lab.sealed.replace(data, b"0 0 60 67 re f".ljust(len(data)))


def _code_in_place(lab: Lab) -> bytes:
    """The QR code of another seal in place of ours, padded to the same length."""
    _, ours = _face(lab)
    theirs = _face_of_other(lab)
    return lab.sealed.replace(ours, theirs[: len(ours)].ljust(len(ours)))


def _face_of_other(lab: Lab) -> bytes:
    found = re.search(
        rb"/Resources<</XObject<</Art.*?stream\n(.*?)\nendstream", lab.other, re.DOTALL
    )
    assert found is not None
    return found[1]


def _picture_by_update(lab: Lab) -> bytes:
    entries, _ = _face(lab)
    return lab.raw(lab.sealed, {face_of(lab.sealed): Stream(entries, b"0 0 60 67 re f")})


def _claim_swapped(lab: Lab) -> bytes:
    ours = re.search(rb"/Claims\[\(([^)]*)\)", lab.sealed)
    theirs = re.search(rb"/Claims\[\(([^)]*)\)", lab.other)
    assert ours is not None
    assert theirs is not None
    return lab.sealed.replace(ours[1], theirs[1])


def _serial_swapped(lab: Lab) -> bytes:
    serial = re.search(rb"Meterai_(\w{22})", lab.sealed)
    assert serial is not None
    return lab.sealed.replace(serial[1], str(lab.serial()).encode())


def _time_swapped(lab: Lab) -> bytes:
    return lab.sealed.replace(b"D:20261124", b"D:20261123")


def _stamp_moved(lab: Lab) -> bytes:
    return lab.sealed.replace(b"/Rect[20 20 85 121.4]", b"/Rect[30 20 95 121.4]")


def _annotation_copied(lab: Lab) -> bytes:
    """A stamp annotation with picture, words and serial, in a document without a seal."""
    objects = letter(1, "Surat Palsu")
    entries, data = _face(lab)
    named = re.search(rb"/T\((Meterai_\w{22})\)", lab.sealed)
    assert named is not None
    objects[4] = objects[4][:-2] + b"/Annots[20 0 R]>>"  # type: ignore[operator]
    objects[20] = (
        b"<</Type/Annot/Subtype/Stamp/Rect[20 20 80 87]/F 4/NM(%b)/AP<</N 21 0 R>>>>" % (named[1])
    )
    objects[21] = Stream(re.sub(rb"/XObject<<.*?>>", b"", entries), data)
    return whole(objects)


def _seal_copied_as_octets(lab: Lab) -> bytes:
    """A whole seal with its SignedData, in a document whose form does not name it."""
    start, end, _ = ranges_of(lab.sealed)
    objects = letter(1, "Surat Palsu")
    objects[20] = b"<</Type/Sig/Contents %b/ByteRange[0 %d %d 99]>>" % (
        lab.sealed[start:end],
        start,
        end,
    )
    return whole(objects)


def _page_content_replaced(lab: Lab) -> bytes:
    return lab.raw(lab.sealed, {5: Stream(b"/Filter/FlateDecode", zlib.compress(b"0 g"))})


CASES: dict[str, Attack] = {
    "picture-replaced-in-place": altered(_picture_in_place, "integrity"),
    "code-swapped-in-place": altered(_code_in_place, "integrity"),
    "claim-swapped": altered(_claim_swapped, "integrity"),
    "serial-swapped": altered(_serial_swapped, "integrity"),
    "time-swapped": altered(_time_swapped, "integrity"),
    "stamp-moved-in-place": altered(_stamp_moved, "integrity"),
    "picture-replaced-by-an-update": extended(_picture_by_update),
    "page-replaced-by-an-update": extended(_page_content_replaced),
    "stamp-picture-copied": Attack(_annotation_copied, "not_sealed"),
    "seal-copied-outside-the-form": Attack(_seal_copied_as_octets, "not_sealed"),
}
