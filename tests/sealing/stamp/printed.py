"""Stamps on paper: one page of PDF around the objects of `appearance`, its pictures, scans of it."""

import hashlib
import io
import random
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy
import pypdfium2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image, ImageFilter

from meterai.kit.serial import Serial
from meterai.sealing import HEIGHT_PER_WIDTH, claim
from meterai.sealing.pdf.serialization import Stream, numbers
from meterai.sealing.stamp import appearance, artwork, qr
from meterai.sealing.stamp.wording import wording
from tests.support.serials import numbered

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
KEY = claim.ClaimKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
CHECK_URL = "https://meterai.example/c"


def code_text(serial: Serial, characters: int = 0) -> str:
    """Text of a QR code of the platform, whose address is lengthened to `characters` characters.

    It is the same for the same serial.
    """
    digest = hashlib.sha256(serial.text.encode()).digest()
    tail = f"/{serial}/{claim.make(serial, AT, digest, KEY)}"
    return "HTTPS://METERAI.EXAMPLE/C".ljust(characters - len(tail), "X") + tail


def page(
    width: float,
    *,
    text: str = "",
    serial: Serial | None = None,
    turns: int = 0,
    specimen: bool = True,
    operator_artwork: bytes | None = None,
    flat: bool = False,
    size: tuple[float, float] = (150.0, 180.0),
    at: tuple[float, float] = (30.3, 40.7),
) -> bytes:
    """A page rotated by `turns` quarter turns, with a stamp of this width at a place of the unrotated page.

    The stamp is upright on the shown page. It is an annotation, or with `flat` part of the content, where its
    text can be searched.
    """
    serial = serial or numbered(0)
    text = text or code_text(serial)
    code = qr.encoder_for(len(text)).draw(text)
    shared, first = appearance.shared(specimen=specimen, operator_artwork=operator_artwork), 5
    says = artwork.serial_and_words(serial, wording(AT, CHECK_URL))
    face = appearance.appearance_stream(says, code, width, turns, first)
    across, up = (width, width * HEIGHT_PER_WIDTH)
    if turns % 2:
        across, up = up, across
    last = first + shared.count
    x, y = at
    content = b"/Face Do" if flat else b""
    annotations = b"" if flat else b"/Annots[4 0 R]"
    return _file(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %b]/Rotate %d/Contents %d 0 R%b"
            b"/Resources<</XObject<</Face %d 0 R>>>>>>"
            % (numbers(*size), 90 * turns, last + 1, annotations, last),
            b"<</Type/Annot/Subtype/Stamp/F 4/Rect[%b]/AP<</N %d 0 R>>>>"
            % (numbers(x, y, x + across, y + up), last),
            *shared.objects(first),
            face,
            Stream(b"", content),
        ]
    )


def _file(bodies: Sequence[Stream | bytes]) -> bytes:
    out = io.BytesIO()
    out.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    rows = [b"0000000000 65535 f \n"]
    for number, body in enumerate(bodies, start=1):
        rows.append(b"%010d 00000 n \n" % out.tell())
        if isinstance(body, Stream):
            body = b"<<%b/Length %d>>stream\n%b\nendstream" % (
                body.entries,
                len(body.data),
                body.data,
            )
        out.write(b"%d 0 obj\n%b\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n%b" % (len(rows), b"".join(rows)))
    out.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(rows), start))
    return out.getvalue()


def rendered(document: bytes, dpi: float) -> Image.Image:
    """The first page as PDFium draws it."""
    opened = pypdfium2.PdfDocument(document)
    opened.init_forms()
    picture: Image.Image = opened[0].render(scale=dpi / 72, may_draw_forms=True).to_pil()
    opened.close()
    return picture


def printed(document: bytes, dpi: int, directory: Path) -> Image.Image:
    """The first page in grey as Poppler prints it."""
    source, target = directory / "page.pdf", directory / "page"
    source.write_bytes(document)
    command = ["pdftoppm", "-r", str(dpi), "-gray", "-singlefile", str(source), str(target)]
    subprocess.run(command, check=True)
    with Image.open(target.with_suffix(".pgm")) as picture:
        return picture.copy()


def scanned(
    picture: Image.Image,
    seed: int,
    *,
    tilt: tuple[float, float] = (0.0, 0.0),
    blur: float = 0.0,
    noise: float = 0.0,
    ink: tuple[int, int] = (0, 255),
    jpeg: int = 0,
) -> Image.Image:
    """A simulated scan of a print.

    It is tilted by a random angle in the range `tilt` (degrees), shifted by a part of a pixel, blurred (`blur`
    pixels), mapped to the tones `ink` of ink and paper, with noise (tones), and compressed as JPEG if it has a
    quality.
    """
    chance = random.Random(seed)
    angle = chance.uniform(*tilt) * chance.choice((-1, 1))
    cubic = Image.Resampling.BICUBIC
    picture = picture.convert("L").rotate(angle, cubic, fillcolor=255)
    moved = (1, 0, chance.random(), 0, 1, chance.random())
    picture = picture.transform(picture.size, Image.Transform.AFFINE, moved, cubic, fillcolor=255)
    picture = picture.filter(ImageFilter.GaussianBlur(blur))
    dark, light = ink
    tones = numpy.asarray(picture, dtype=float) / 255 * (light - dark) + dark
    tones += numpy.random.default_rng(seed).normal(0, noise, tones.shape)
    picture = Image.fromarray(tones.clip(0, 255).astype("uint8"))
    if not jpeg:
        return picture
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=jpeg)
    return Image.open(out).convert("L")


def faxed(grey: Image.Image, ink: tuple[int, int], *, dithered: bool) -> Image.Image:
    """A fax of a scan between these tones: one bit for each pixel, by a threshold or by error diffusion
    (halftone mode)."""
    dark, light = ink
    if not dithered:
        return grey.point([0 if tone < (dark + light) // 2 else 255 for tone in range(256)])
    near = (light - dark) // 10  # tones near black and white are taken as such
    spread = [
        round(255 * min(max((tone - dark - near) / (light - dark - 2 * near), 0), 1))
        for tone in range(256)
    ]
    return grey.point(spread).convert("1").convert("L")
