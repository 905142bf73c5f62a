"""Reading the QR code on a photo: untrusted pictures, within the limits of a task."""

import io
import random

import pypdfium2
import pytest
from PIL import Image, ImageFilter

from meterai.sealing import PhotoUnreadable, scanning
from meterai.sealing.sandbox.bounded import finish
from meterai.sealing.sandbox.scanning import PIXELS_MAX
from tests.sealing.stamp.printed import code_text, page
from tests.support.serials import numbered


def picture(text: str, scale: float = 5.0) -> Image.Image:
    opened = pypdfium2.PdfDocument(io.BytesIO(page(80.0, text=text)))
    opened.init_forms()
    found: Image.Image = opened[0].render(scale=scale).to_pil().convert("RGB")
    opened.close()
    return found


def encoded(picture: Image.Image, kind: str = "JPEG", **more: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **more)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_code_is_read(kind: str) -> None:
    text = code_text(numbered(1))
    assert finish(scanning(encoded(picture(text), kind))) == [text]


def test_code_on_phone_photo_is_read() -> None:
    """Four thousand pixels wide, turned, not sharp, on grey paper, twelve megapixels."""
    text = code_text(numbered(1))
    code = picture(text, 8.0).rotate(17, expand=True, fillcolor="#ddd")
    photo = Image.new("RGB", (4000, 3000), "#ccc")
    photo.paste(code, (900, 700))
    blurred = photo.filter(ImageFilter.GaussianBlur(2))
    assert finish(scanning(encoded(blurred, quality=70))) == [text]


def test_picture_without_code_gets_empty_answer() -> None:
    assert finish(scanning(encoded(Image.new("RGB", (800, 600), "#bbb")))) == []


def test_picture_of_too_many_pixels_is_refused() -> None:
    side = int(PIXELS_MAX**0.5) + 10
    with pytest.raises(PhotoUnreadable):
        finish(scanning(encoded(Image.new("1", (side, side)), "PNG")))


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "BMP", "PPM", "ICNS"])
def test_other_kinds_of_pictures_are_not_opened(kind: str) -> None:
    text = code_text(numbered(1))
    with pytest.raises(PhotoUnreadable):
        finish(scanning(encoded(picture(text).resize((512, 512)), kind)))


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff", b"%PDF-1.7", b"\x89PNG\r\n\x1a\n"])
def test_file_that_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(PhotoUnreadable):
        finish(scanning(content))


def test_broken_picture_is_read_or_refused() -> None:
    dice = random.Random(5)
    text = code_text(numbered(1))
    for whole in (encoded(picture(text)), encoded(picture(text), "PNG")):
        for _ in range(10):
            broken = bytearray(whole[: dice.randrange(len(whole) // 2, len(whole))])
            for _ in range(5):
                broken[dice.randrange(len(broken))] = dice.randrange(256)
            try:
                found = finish(scanning(bytes(broken)))
            except PhotoUnreadable:
                continue
            assert set(found) <= {text}
