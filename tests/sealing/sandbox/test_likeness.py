"""A picture that looks like a stamp is told from what people sign with."""

import random
from collections.abc import Callable
from functools import cache, partial

import pytest
import segno
from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps

from meterai.sealing import HEIGHT_PER_WIDTH
from meterai.sealing.sandbox.likeness import is_like
from tests.sealing.stamp.printed import page, rendered

WIDTH = 70.0
WITHOUT_CODE = (0.05, 0.22, 0.95, 0.97)  # left, top, right, bottom of what is wiped out
INKS = ["#123354", "#b80d17", "#0a7d32", "#8a8a8a"]


@cache
def stamp(*, specimen: bool = True) -> Image.Image:
    """A stamp alone, 290 pixels wide."""
    size = (WIDTH, WIDTH * HEIGHT_PER_WIDTH)
    return rendered(page(WIDTH, specimen=specimen, size=size, at=(0, 0)), 300).convert("RGB")


def wiped(picture: Image.Image) -> Image.Image:
    left, top, right, low = WITHOUT_CODE
    wide, high = picture.size
    found = picture.copy()
    box = (int(left * wide), int(top * high), int(right * wide), int(low * high))
    found.paste("white", box)
    return found


def stretched(picture: Image.Image, across: float, down: float) -> Image.Image:
    size = (round(picture.width * across), round(picture.height * down))
    return picture.resize(size, Image.Resampling.BICUBIC)


def beside_words(picture: Image.Image) -> Image.Image:
    found = Image.new("RGB", (picture.width * 2 + 20, picture.height + 20), "white")
    found.paste(picture, (picture.width + 10, 10))
    ImageDraw.Draw(found).text((10, 60), "Ditandatangani oleh\nBudi", "black", font(24))
    return found


def in_another_frame(picture: Image.Image) -> Image.Image:
    found = Image.new("RGB", (picture.width + 120, picture.height + 200), "white")
    found.paste(picture, (60, 60))
    drawing = ImageDraw.Draw(found)
    for off in (4, 20):
        drawing.rectangle(
            (off, off, found.width - off, found.height - off), outline="black", width=3
        )
    drawing.text((60, found.height - 100), "Lunas dan sah", "black", font(30))
    return found


def under_words(picture: Image.Image) -> Image.Image:
    found = Image.new("RGB", (picture.width * 3, picture.height + 120), "white")
    found.paste(picture, (10, 100))
    drawing = ImageDraw.Draw(found)
    drawing.text((10, 10), "Disetujui oleh Budi", "black", font(40))
    drawing.line((picture.width + 60, 300, found.width - 20, 120), "blue", 6)
    return found


def side_by_side(picture: Image.Image) -> Image.Image:
    found = Image.new("RGB", (picture.width * 2 + 60, picture.height), "white")
    for left in (0, picture.width + 60):
        found.paste(picture, (left, 0))
    return found


def on_coloured_squares(picture: Image.Image) -> Image.Image:
    ground, chance = Image.new("RGB", picture.size, "white"), random.Random(1)
    drawing, side = ImageDraw.Draw(ground), picture.width // 26
    for left in range(0, picture.width, side):
        for top in range(0, picture.height, side):
            colour = chance.choice(["#ffffff", "#dcebdc", "#ebdcdc", "#dcdcf0"])
            drawing.rectangle((left, top, left + side - 1, top + side - 1), fill=colour)
    return ImageChops.multiply(picture, ground)


def font(size: int) -> ImageFont.FreeTypeFont:
    found = ImageFont.load_default(size)
    assert isinstance(found, ImageFont.FreeTypeFont)
    return found


def coloured(picture: Image.Image, ink: str, paper: str) -> Image.Image:
    return ImageOps.colorize(picture.convert("L"), ink, paper)


COPIES: dict[str, Callable[[], Image.Image]] = {
    "as it is": lambda: stamp(),
    "another kind": lambda: stamp(specimen=False),
    "in another frame": lambda: in_another_frame(wiped(stamp())),
    "under words": lambda: under_words(wiped(stamp())),
    "two side by side": lambda: side_by_side(wiped(stamp())),
    "on coloured squares": lambda: on_coloured_squares(wiped(stamp())),
    "without its code": lambda: wiped(stamp()),
    "half as large": lambda: stretched(stamp(), 0.5, 0.5),
    "twice as large": lambda: stretched(stamp(), 2, 2),
    "half as wide": lambda: stretched(stamp(), 0.5, 1),
    "twice as wide": lambda: stretched(stamp(), 2, 1),
    "half as wide, without its code": lambda: wiped(stretched(stamp(), 0.5, 1)),
    "half as high, without its code": lambda: wiped(stretched(stamp(), 1, 0.5)),
    "turned": lambda: stamp().rotate(90, expand=True),
    "turned back, without its code": lambda: wiped(stamp()).rotate(270, expand=True),
    "upside down": lambda: wiped(stamp()).rotate(180),
    "in blue": lambda: coloured(wiped(stamp()), "#2244bb", "white"),
    "in pale red": lambda: coloured(wiped(stamp()), "#ee9999", "white"),
    "on yellow": lambda: coloured(stamp(), "black", "#ffffcc"),
    "with room around it": lambda: ImageOps.expand(wiped(stamp()), 40, "white"),
    "beside words": lambda: beside_words(wiped(stamp())),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_of_a_stamp_is_like_it(name):
    assert is_like(COPIES[name](), stamp())


def framed_words(seed: int) -> Image.Image:
    """What programs put there: words in a frame, some with a bar for the name or a code of their own."""
    chance = random.Random(seed)
    size = chance.choice([(300, 470), (470, 300), (400, 200), (300, 300)])
    found = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(found)
    ink = chance.choice(INKS)
    if seed % 2:
        pen.rectangle((0, 0, size[0] - 1, size[1] - 1), outline=ink, width=chance.randint(2, 8))
    if seed % 3 == 0:
        pen.rectangle((8, 8, size[0] - 9, 44), fill=ink)
        pen.text((20, 12), "TANDA TANGAN ELEKTRONIK", "white", font(18))
    words = ["Ditandatangani secara elektronik oleh", "Budi Santoso, S.H.", "24 Nov 2026 15.04 WIB"]
    for at, line in enumerate(words):
        pen.text((14, 56 + 30 * at), line, ink, font(chance.randint(11, 24)))
    if seed % 4 == 0:
        code = segno.make_qr(f"https://contoh.id/{seed}").matrix
        side = len(code)
        modules = Image.new("1", (side, side))
        modules.putdata([255 * (1 - bit) for row in code for bit in row])
        found.paste(modules.resize((4 * side, 4 * side)), (14, size[1] - 4 * side - 14))
    return found


def scribble(seed: int) -> Image.Image:
    chance = random.Random(seed)
    found = Image.new("RGB", (400, 160), "white")
    points = [(20 + 30 * at, chance.randint(15, 145)) for at in range(13)]
    ImageDraw.Draw(found).line(points, "#112288", 5, joint="curve")
    return found


def rubber_stamp(seed: int) -> Image.Image:
    found = Image.new("RGB", (300, 300), "white")
    pen = ImageDraw.Draw(found)
    pen.ellipse((5, 5, 295, 295), outline="#553399", width=6)
    pen.ellipse((60, 60, 240, 240), outline="#553399", width=3)
    pen.text((80, 130), f"PT CONTOH {seed}", "#553399", font(22))
    return found


HONEST: dict[str, Callable[[], Image.Image]] = {
    **{f"words {seed}": partial(framed_words, seed) for seed in range(24)},
    **{f"scribble {seed}": partial(scribble, seed) for seed in range(6)},
    **{f"rubber stamp {seed}": partial(rubber_stamp, seed) for seed in range(2)},
    "nothing": lambda: Image.new("RGB", (200, 100), "white"),
    "all ink": lambda: Image.new("RGB", (200, 100), "black"),
    "a frame": lambda: ImageOps.expand(Image.new("RGB", (200, 312), "white"), 6, "black"),
}


@pytest.mark.parametrize("name", HONEST)
def test_what_people_sign_with_is_not_like_a_stamp(name):
    assert not is_like(HONEST[name](), stamp())
