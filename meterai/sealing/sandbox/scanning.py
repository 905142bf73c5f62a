"""QR codes on a photo (Pillow, then ZXing).

Both libraries are large and read a stranger's file here, so this runs only in the processes of `bounded`.
"""

import io
import warnings

import zxingcpp
from PIL import Image, ImageOps, UnidentifiedImageError

PIXELS_MAX = 50_000_000  # of a photo; the largest phone sensors have 50 after binning
SIDE_PIXELS = (
    2400  # of the reduced picture; a code of 20 mm that fills an eighth of it has 5 pixels a module
)
CODES_MAX = 8
CODE_LENGTH_MAX = 512  # characters; ours have some two hundred
_FORMATS = ("JPEG", "PNG", "WEBP")
_LOGO_FORMATS = ("JPEG", "PNG")
LOGO_PIXELS_MAX = 4_000_000  # of the file
_LOGO_BOX = (480, 160)  # twice what a page shows, for dense screens
_CODES = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)


class PhotoNotRead(Exception):
    """The picture is not in a format that cameras and browsers make, or has too many pixels."""


def codes_on(photo: bytes) -> list[str]:
    """Return the text of each QR code on a photo.  Raises `PhotoNotRead`.

    If the first search finds none, the picture is searched again at twice the size: the dots of a
    fax's halftone hide the corners of a code at the first size.
    """
    grey = _opened(photo, "L")
    found = codes_in(grey) or codes_in(grey.resize((2 * grey.width, 2 * grey.height)))
    return [one for one in found if len(one) <= CODE_LENGTH_MAX][:CODES_MAX]


def _opened(
    photo: bytes, mode: str, formats: tuple[str, ...] = _FORMATS, pixels_max: int = PIXELS_MAX
) -> Image.Image:
    """Open a picture with its pixels in this mode, at most `SIDE_PIXELS` wide or high.  Raises `PhotoNotRead`."""
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
    found.info.clear()  # else the encoder writes the colour profile of the file
    return found


def logo(picture: bytes) -> Image.Image:
    """Draw a logo anew from its pixels on white, as large as a page shows it.  Raises `PhotoNotRead`."""
    found = ImageOps.exif_transpose(_opened(picture, "RGBA", _LOGO_FORMATS, LOGO_PIXELS_MAX))
    found.thumbnail(_LOGO_BOX)
    ground = Image.new("RGBA", found.size, "white")
    ground.alpha_composite(found)
    return ground.convert("RGB")


def codes_in(grey: Image.Image) -> list[str]:
    """Return the text of every QR code in a picture that was opened or made here."""
    return [one.text for one in zxingcpp.read_barcodes(grey, formats=_CODES)]
