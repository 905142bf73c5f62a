"""Reads QR codes on a photo (by Pillow, then ZXing), and draws photos and logos anew.

Both libraries are large and read untrusted files here, so this code runs only in the processes of `bounded`.
"""

import io
import warnings

import zxingcpp
from PIL import Image, ImageOps, UnidentifiedImageError

PIXELS_MAX = 50_000_000  # of a photo; the largest phone sensors give 50 million
SIDE_PIXELS = 2400  # of the reduced picture; a code of an eighth of its width has 5 pixels a module
CODES_MAX = 8
CODE_LENGTH_MAX = 512  # characters; our codes have some two hundred
_FORMATS = ("JPEG", "PNG", "WEBP")
_LOGO_FORMATS = ("JPEG", "PNG")
LOGO_PIXELS_MAX = 4_000_000  # of a logo in its file
_LOGO_BOX = (480, 160)  # width and height in pixels; twice the size on a page, for dense screens
_CODES = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)


class PhotoNotRead(Exception):
    """The picture is not in a format that cameras and browsers make, or has too many pixels."""


def codes_on(photo: bytes) -> list[str]:
    """Return the text of each QR code on a photo.  Raises `PhotoNotRead`.

    If no code is found, the picture is searched again at twice the size: the halftone dots of a fax may hide the corners of a
    code at the first size.
    """
    grey = _opened(photo, "L")
    found = codes_in(grey) or codes_in(grey.resize((2 * grey.width, 2 * grey.height)))
    return [one for one in found if len(one) <= CODE_LENGTH_MAX][:CODES_MAX]


def _opened(
    photo: bytes, mode: str, formats: tuple[str, ...] = _FORMATS, pixels_max: int = PIXELS_MAX
) -> Image.Image:
    """Open a picture in a Pillow mode, reduced to at most `SIDE_PIXELS` in width and height.  Raises `PhotoNotRead`."""
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(photo), formats=formats) as opened:
            warnings.simplefilter("ignore")
            if opened.width * opened.height > pixels_max:
                raise PhotoNotRead
            opened.draft(mode, (SIDE_PIXELS, SIDE_PIXELS))  # a JPEG is not unpacked at full size
            found = opened.convert(mode)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError) as cause:
        raise PhotoNotRead from cause
    except (SyntaxError, MemoryError) as cause:  # Pillow raises SyntaxError for a broken PNG
        raise PhotoNotRead from cause
    found.thumbnail((SIDE_PIXELS, SIDE_PIXELS))
    return found


def redrawn(photo: bytes) -> Image.Image:
    """Draw a picture anew from its pixels, upright, without any other data of the file.  Raises `PhotoNotRead`."""
    found = ImageOps.exif_transpose(_opened(photo, "RGB"))
    found.info.clear()  # otherwise the encoder copies the colour profile of the file
    return found


def logo(picture: bytes) -> Image.Image:
    """Draw a logo anew from its pixels on white, reduced to `_LOGO_BOX`.  Raises `PhotoNotRead`."""
    found = ImageOps.exif_transpose(_opened(picture, "RGBA", _LOGO_FORMATS, LOGO_PIXELS_MAX))
    found.thumbnail(_LOGO_BOX)
    ground = Image.new("RGBA", found.size, "white")
    ground.alpha_composite(found)
    return ground.convert("RGB")


def codes_in(grey: Image.Image) -> list[str]:
    """Return the text of every QR code in an opened greyscale picture."""
    return [one.text for one in zxingcpp.read_barcodes(grey, formats=_CODES)]
