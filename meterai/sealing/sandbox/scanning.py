"""The QR codes on a photo (Pillow, then ZXing), and whether an image or a font of a document is whole (libjpeg, libtiff, FreeType).

Both are large and get a stranger's file here: this runs only in the processes of `bounded`.
"""

import io
import struct
import warnings

import zxingcpp
from PIL import Image, ImageFont, UnidentifiedImageError

PIXELS_MAX = 50_000_000  # of a photo; the largest sensors of phones, binned as they do it, have 50
SIDE_PIXELS = 2400  # looked at; a code of 20 mm that fills an eighth of it has 5 pixels a module
CODES_MAX = 8
CODE_LENGTH_MAX = 512  # characters; ours have some two hundred
_FORMATS = ("JPEG", "PNG", "WEBP")
_TIFF_HEAD = 10  # bytes before the entries of a TIFF of one directory
_CODES = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)


class PhotoNotRead(Exception):
    """No picture of a kind that cameras and browsers make, or one of too many pixels."""


def codes_on(photo: bytes) -> list[str]:
    """The text of each QR code on a photo.  Raises `PhotoNotRead`.

    Where the first look finds none, it is looked at again twice as large: between the dots of a
    fax's halftone the corners of a code are overlooked, and found so.
    """
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(photo), formats=_FORMATS) as opened:
            warnings.simplefilter("ignore")
            if opened.width * opened.height > PIXELS_MAX:
                raise PhotoNotRead
            opened.draft("L", (SIDE_PIXELS, SIDE_PIXELS))  # a JPEG is not unpacked at full size
            grey = opened.convert("L")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError) as cause:
        raise PhotoNotRead from cause
    except (SyntaxError, MemoryError) as cause:  # Pillow's word for a broken PNG
        raise PhotoNotRead from cause
    grey.thumbnail((SIDE_PIXELS, SIDE_PIXELS))
    found = codes_in(grey) or codes_in(grey.resize((2 * grey.width, 2 * grey.height)))
    return [one for one in found if len(one) <= CODE_LENGTH_MAX][:CODES_MAX]


def codes_in(grey: Image.Image) -> list[str]:
    """The text of every QR code in a picture that was opened or made here."""
    return [one.text for one in zxingcpp.read_barcodes(grey, formats=_CODES)]


def picture_of(data: bytes, kind: str) -> tuple[tuple[int, int], int] | None:
    """Size and number of components of an image of a document; `None` if it is damaged, or not of this
    kind (JPEG, JPEG2000).

    A JPEG is decoded at an eighth of its size, to its end; of JPEG 2000 the head is read.
    """
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(data), formats=[kind]) as opened:
            warnings.simplefilter("ignore")
            size, bands = opened.size, len(opened.getbands())
            if kind == "JPEG" and size[0] * size[1] <= PIXELS_MAX:
                opened.draft("L" if opened.mode != "CMYK" else "CMYK", (1, 1))
                opened.load()
            return size, bands
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError):
        return None
    except (SyntaxError, MemoryError):  # Pillow's word for a broken file
        return None


def fax_is_whole(data: bytes, size: tuple[int, int], kind: int) -> bool:
    """True if data of a fax (ITU-T T.4 of a `kind` of 0 and above, T.6 below it) are decoded to that size."""
    wide, high = size
    if wide * high > PIXELS_MAX:
        return False
    head = _TIFF_HEAD + 12 * 9 + 4
    entries = (
        *((256, wide), (257, high), (258, 1), (259, 4 if kind < 0 else 3), (262, 0)),
        *((273, head), (278, high), (279, len(data)), (292, int(kind > 0))),
    )
    packed = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    file = b"II*\0" + struct.pack("<IH", 8, len(entries)) + packed + bytes(4) + data
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(file), formats=["TIFF"]) as opened:
            warnings.simplefilter("ignore")
            opened.load()
            return opened.size == size
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError):
        return False
    except (SyntaxError, MemoryError):
        return False


def font_is_whole(data: bytes) -> bool:
    """True if FreeType opens a font, which PDFium, poppler and MuPDF draw letters with."""
    try:
        ImageFont.truetype(io.BytesIO(data), layout_engine=ImageFont.Layout.BASIC)
    except (OSError, ValueError, MemoryError):
        return False
    return True
