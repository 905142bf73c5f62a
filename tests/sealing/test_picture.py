"""The picture of a page shows what readers of the document see, is small, and is made within its limits."""

import io

import pikepdf
import pytest
from PIL import Image

from meterai.sealing import (
    PICTURE_WIDTH,
    PageNotDrawn,
    Rectangle,
    picturing,
)
from meterai.sealing.sandbox import answers
from meterai.sealing.sandbox.answers import RenderedPage
from meterai.sealing.sandbox.bounded import finish

SQUARE = (100.0, 200.0, 50.0, 50.0)  # of the file: left, low, width, height
# Computed by hand for the shown page: entries of the page; its size; the lower left corner.
SEEN = [
    ({}, (595, 842), (100, 200)),
    ({"Rotate": 90}, (842, 595), (200, 595 - 150)),
    ({"Rotate": 180}, (595, 842), (595 - 150, 842 - 250)),
    ({"Rotate": 270}, (842, 595), (842 - 250, 100)),
    ({"CropBox": [50, 60, 500, 800]}, (450, 740), (50, 140)),
    ({"MediaBox": [-50, -60, 545, 782]}, (595, 842), (150, 260)),
    ({"UserUnit": 2}, (1190, 1684), (200, 400)),
    ({"MediaBox": [0, 0, 419.5, 595.3]}, (419.5, 595.3), (100, 200)),  # A5
    ({"MediaBox": [0, 0, 609.4, 935.4], "Rotate": 90}, (935.4, 609.4), (200, 609.4 - 150)),  # F4
]


def squared(**page) -> bytes:
    """A page with one black square on it."""
    made = pikepdf.new()
    made.add_blank_page(page_size=(595, 842))
    for name, value in page.items():
        made.pages[0].obj[f"/{name}"] = pikepdf.Array(value) if isinstance(value, list) else value
    made.pages[0].Contents = made.make_stream(b"%f %f %f %f re f" % SQUARE)
    out = io.BytesIO()
    made.save(out, static_id=True)
    return out.getvalue()


def pixels(found) -> Image.Image:
    return Image.open(io.BytesIO(found.webp)).convert("L")


def dark(picture: Image.Image) -> tuple[int, int, int, int] | None:
    return picture.point([255 if level < 128 else 0 for level in range(256)]).getbbox()


@pytest.mark.parametrize(("page", "size", "corner"), SEEN)
def test_picture_shows_page_as_seen(page, size, corner):
    found = finish(picturing(squared(**page), 1))
    assert (found.size.width, found.size.height) == pytest.approx(size)
    picture = pixels(found)
    assert picture.width == PICTURE_WIDTH
    a_point = picture.width / size[0]
    assert picture.height == pytest.approx(size[1] * a_point, abs=1)
    side = 50 * found.size.width / size[0] * (2 if "UserUnit" in page else 1)
    x, y = corner
    expected = (x, size[1] - y - side, x + side, size[1] - y)
    assert dark(picture) == pytest.approx([one * a_point for one in expected], abs=1.5)


def test_mark_surrounds_its_area_without_covering_it():
    area = Rectangle(100, 200, 50, 50)
    bare = pixels(finish(picturing(squared(), 1)))
    marked = pixels(finish(picturing(squared(), 1, marks=[area, Rectangle(2000, 0, 1, 1)])))
    left, top, right, bottom = dark(bare) or (0, 0, 0, 0)
    inside = marked.crop((left, top, right, bottom))
    assert inside.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0)) == pytest.approx(3, abs=8)
    around = dark(marked) or (0, 0, 0, 0)
    assert around[0] < left - 3 < right + 3 < around[2]
    assert around[1] < top - 3 < bottom + 3 < around[3]


@pytest.mark.parametrize("size", [(3, 14_000), (14_000, 3), (3, 3), (14_400, 14_400)])
def test_any_page_size_fits_limits_of_picture(make_pdf, size):
    found = finish(picturing(make_pdf(size=size), 1, with_survey=True))
    assert max(pixels(found).size) <= 4096
    assert found.survey is not None
    assert len(found.survey.ink) == found.survey.columns * found.survey.rows <= 40_000


@pytest.mark.parametrize(
    "answer",
    [
        None,
        answers.written(RenderedPage(b"<script>", 1, 1, 595, 842, b"", 255)),
        answers.written(RenderedPage(b"RIFF    WEBP", 2, 1, 595, 842, b"", 255)),
        answers.written(RenderedPage(b"RIFF    WEBP", 1, 1, 0, 842, b"", 255)),
        answers.written(RenderedPage(b"RIFF    WEBP", 1, 1, 595, 842, b"ink of another page", 255)),
    ],
)
def test_contradictory_answer_counts_as_none(answer, make_pdf):
    work = picturing(make_pdf(), 1, with_survey=True)
    work.send(None)
    with pytest.raises(PageNotDrawn):
        work.send(answer)
