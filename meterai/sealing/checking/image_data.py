"""Data of images that are whole, whatever their filters (ISO 32000-2, section 7.4).

What is missing or damaged MuPDF and pdf.js paint black, and others do not paint at all.

| data | are whole if |
|---|---|
| none but `/FlateDecode` | they fill the image |
| `/RunLengthDecode` | their runs do |
| `/DCTDecode`, `/JPXDecode` | they are decoded, in the size that is stated |
| `/CCITTFaxDecode` | the lines are as wide as the image, and decoded |
| `/JBIG2Decode` | their segments follow each other to the end, and one is a page of that size |
| any of these in `/ASCIIHexDecode`, `/ASCII85Decode` or `/FlateDecode` | what these hold is |

Half of a line too few in other filters every reader shows as black.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from meterai.sealing.checking.colour_spaces import PATTERN
from meterai.sealing.pdf import content
from meterai.sealing.pdf.content import InlineImage
from meterai.sealing.pdf.strict import StrictValue
from meterai.sealing.sandbox.scanning import fax_is_whole, picture_of

_FORMATS = {"/DCTDecode": "JPEG", "/JPXDecode": "JPEG2000"}
_FAX_KEYS = {"/K", "/Columns", "/Rows", "/BlackIs1", "/EndOfBlock"}
_FAX_COLUMNS = 1728  # where they are not stated (table 11)
_PNG = 10  # the first of the predictors that begin each row with a byte (table 8)
_END_OF_RUNS = 128
# Of inline images: tables 91 and 92.
_SPACES = {b"/G": b"/DeviceGray", b"/RGB": b"/DeviceRGB", b"/CMYK": b"/DeviceCMYK"}
_FILTERS = {
    b"/AHx": b"/ASCIIHexDecode",
    b"/A85": b"/ASCII85Decode",
    b"/LZW": b"/LZWDecode",
    b"/Fl": b"/FlateDecode",
    b"/RL": b"/RunLengthDecode",
    b"/CCF": b"/CCITTFaxDecode",
    b"/DCT": b"/DCTDecode",
}
_NAME = re.compile(rb"/[A-Za-z0-9]+")
_PARAMETER = re.compile(rb"(/[A-Za-z0-9]+)[\0\t\n\f\r ]*(-?\d+|true|false)")
_PAGE_INFORMATION = 48  # of the segments of JBIG2 (ITU-T T.88, 7.3)
_SEGMENTS_MAX = 10_000


class Image(NamedTuple):
    """What an image says of itself: `bits` of a sample of all its colours; `parameters` of its last filter."""

    wide: int
    high: int
    bits: int
    filters: Sequence[StrictValue]
    parameters: dict[str, StrictValue]

    @property
    def rows_bytes(self) -> int:
        """All its rows, unpacked."""
        predictor = self.parameters.get("/Predictor")
        is_png = isinstance(predictor, int) and predictor >= _PNG
        return ((self.wide * self.bits + 7) // 8 + is_png) * self.high


def of_inline(image: InlineImage, components: Callable[[str], int | None]) -> Image | None:
    """An inline image (8.9.7), as all readers take it; `components` of a space that is called so."""
    entries = image.entries
    is_mask = entries.get(b"/ImageMask") == b"true"
    stated = entries.get(b"/ColorSpace", b"")
    space = _SPACES.get(stated, stated).decode("latin-1")
    count = 1 if is_mask or space.startswith("[") else components(space)
    filters = [
        _FILTERS.get(one, one).decode() for one in _NAME.findall(entries.get(b"/Filter", b""))
    ]
    parameters: dict[str, StrictValue] = {
        key.decode(): {b"true": True, b"false": False}.get(value) if value.isalpha() else int(value)
        for key, value in _PARAMETER.findall(entries.get(b"/DecodeParms", b""))
    }
    depths = entries.get(b"/BitsPerComponent", b"1")
    try:
        wide, high, depth = map(int, (entries[b"/Width"], entries[b"/Height"], depths))
    except (KeyError, ValueError):
        return None
    if count is None or not 0 < count < PATTERN or min(wide, high, depth) <= 0:
        return None
    if is_mask and depth != 1:
        return None
    return Image(wide, high, count * depth, filters, parameters)


def is_inline_whole(image: Image, data: bytes) -> bool:
    """True if the data of an inline image fill it."""
    held = within(image, data)
    if held is None:
        return False
    return bands_of(image, held) is not None if is_picture(image) else is_whole(image, held)


def bands_of(image: Image, data: bytes) -> int | None:
    """How many colours a JPEG or JPEG 2000 has; `None` if it is damaged, or of another size."""
    size, bands = picture_of(data, _FORMATS[str(image.filters[-1])]) or ((0, 0), 0)
    return bands if size == (image.wide, image.high) else None


def within(image: Image, data: bytes) -> bytes | None:
    """The data of the last filter, out of those before it."""
    return content.decoded(data, image.filters[:-1]) if image.filters else data


def is_picture(image: Image) -> bool:
    """True for a JPEG or JPEG 2000."""
    return bool(image.filters) and image.filters[-1] in _FORMATS


def is_whole(image: Image, data: bytes) -> bool:
    """True if data, out of all filters but the last, fill the image."""
    name = image.filters[-1] if image.filters else None
    if name is None:
        return len(data) >= image.rows_bytes
    if name == "/FlateDecode":
        return content.inflated_length(data, image.rows_bytes) >= image.rows_bytes
    if name == "/RunLengthDecode":
        return _length_of_runs(data, image.rows_bytes) >= image.rows_bytes
    if name == "/CCITTFaxDecode":
        return _is_fax(image, data)
    return name != "/JBIG2Decode" or _is_in_segments(image, data)


def _length_of_runs(data: bytes, most: int) -> int:
    """How long runs are (7.4.5), as far as they are whole."""
    at = length = 0
    while at < len(data) and data[at] != _END_OF_RUNS and length < most:
        count = data[at] + 1 if data[at] < _END_OF_RUNS else 257 - data[at]
        step = data[at] + 2 if data[at] < _END_OF_RUNS else 2
        if at + step > len(data):
            break
        at, length = at + step, length + count
    return length


def _is_fax(image: Image, data: bytes) -> bool:
    """True for parameters by which all readers find the same lines (table 11), in data that have them."""
    stated = image.parameters
    columns, kind = stated.get("/Columns", _FAX_COLUMNS), stated.get("/K", 0)
    if stated.keys() - _FAX_KEYS or columns != image.wide or type(kind) is not int:
        return False
    return fax_is_whole(data, (image.wide, image.high), kind)


def _is_in_segments(image: Image, data: bytes) -> bool:
    """True for segments of JBIG2 one behind the other (ITU-T T.88, 7.2), among which is a page of this size."""
    at, is_page = 0, False
    for _ in range(_SEGMENTS_MAX):
        if at == len(data):
            return is_page
        if at + 11 > len(data):
            return False
        number, flags, counted = int.from_bytes(data[at : at + 4]), data[at + 4], data[at + 5]
        kind, count, head = flags & 63, counted >> 5, at + 6
        if count == 7:
            count = int.from_bytes(data[at + 5 : at + 9]) & 0x1FFFFFFF
            head = at + 9 + (count + 8) // 8
        head += count * (1 if number <= 256 else 2 if number <= 65_536 else 4)
        head += 4 if flags & 64 else 1
        length = int.from_bytes(data[head : head + 4])
        at = head + 4 + length
        if at > len(data):
            return False
        if kind == _PAGE_INFORMATION:
            wide, high = (int.from_bytes(data[head + 4 + 4 * one :][:4]) for one in (0, 1))
            is_page = (wide, high) == (image.wide, image.high)
    return False
