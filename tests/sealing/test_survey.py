"""A suggested place is free of ink, and near the usual place of signatures."""

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.sealing import (
    INK_SHARE_MAX,
    LAST_PAGE,
    WIDTH_DEFAULT,
    InkSurvey,
    PageSize,
    Placement,
    picturing,
)
from meterai.sealing.sandbox.bounded import finish
from meterai.sealing.survey import grid

WIDTH, HEIGHT = 595.0, 842.0
COLUMNS, ROWS = grid(WIDTH, HEIGHT)
CELL = WIDTH / COLUMNS, HEIGHT / ROWS


def survey(*marked: tuple[float, float, float, float]) -> InkSurvey:
    """A page of A4 with ink in these parts: left, low, right, top, in points."""
    ink = bytearray(COLUMNS * ROWS)
    for left, low, right, top in marked:
        for row in range(int((HEIGHT - top) / CELL[1]), int((HEIGHT - low) / CELL[1])):
            for column in range(int(left / CELL[0]), int(right / CELL[0])):
                ink[row * COLUMNS + column] = 255
    return InkSurvey(WIDTH, HEIGHT, COLUMNS, ROWS, bytes(ink))


def test_cell_is_two_millimetres_or_larger_on_poster():
    assert pytest.approx((5.67, 5.67), abs=0.03) == CELL
    assert max(grid(14_400, 7_200)) <= 200


def test_ink_under_place_is_share_of_area():
    found = survey((0, 0, WIDTH / 2, HEIGHT))
    edge = int(WIDTH / 2 / CELL[0]) * CELL[0]
    assert found.ink_under(Placement(1, edge - WIDTH_DEFAULT / 2, 100)) == pytest.approx(
        0.5, abs=0.001
    )
    assert found.ink_under(Placement(1, edge - 80, 100)) == pytest.approx(1)
    assert found.ink_under(Placement(1, edge, 100)) == 0


def test_empty_page_is_stamped_to_lower_right():
    place = survey().free_place(3, 80)
    assert place is not None
    assert place.page == 3
    assert WIDTH / 2 < place.x < WIDTH - 80
    assert 0 < place.y < HEIGHT / 3


def test_suggested_stamp_is_beside_signature_block():
    closing, name = (350, 260, 450, 275), (350, 190, 450, 205)
    page_number = (300, 30, 320, 40)
    text = (70, 330, 525, 780)
    place = survey(text, closing, name, page_number).free_place(1, 80)
    assert place is not None
    assert 150 < place.y + place.height / 2 < 300
    assert 220 < place.x < 520


def test_full_page_has_no_suggested_place():
    assert survey((0, 0, WIDTH, HEIGHT)).free_place(1, 80) is None


def test_second_stamp_is_beside_first():
    found = survey()
    first = found.free_place(1, 80)
    assert first is not None
    second = found.free_place(1, 80, [first])
    assert second is not None
    assert abs(first.x - second.x) >= 80 or abs(first.y - second.y) >= first.height


parts = st.tuples(st.floats(0, 400), st.floats(0, 700), st.floats(5, 195), st.floats(5, 140)).map(
    lambda one: (one[0], one[1], one[0] + one[2], one[1] + one[3])
)


@given(st.lists(parts, max_size=8), st.floats(40, 300))
def test_suggested_place_is_free_and_on_page(marked, width):
    found = survey(*marked)
    place = found.free_place(1, width)
    if place is not None:
        assert found.ink_under(place) < INK_SHARE_MAX
        assert place.x >= 0
        assert place.y >= 0
        assert place.x + place.width <= WIDTH
        assert place.y + place.height <= HEIGHT
    usual = found.usual_place(1, width)
    assert 0 <= usual.x <= WIDTH - usual.width
    assert 0 <= usual.y <= HEIGHT - usual.height


def seen_ink(document: bytes, size: PageSize, place: Placement) -> float:
    """Share of a place that is not white, at four times the resolution, by PDFium alone."""
    opened = pypdfium2.PdfDocument(document)
    opened.init_forms()
    page = opened[size.page - 1]
    scale = 4 * size.width / page.get_size()[0]
    picture = page.render(scale=scale, grayscale=True, may_draw_forms=True).to_pil()
    box = (
        place.x * 4,
        (size.height - place.y - place.height) * 4,
        (place.x + place.width) * 4,
        (size.height - place.y) * 4,
    )
    levels: list[int] = picture.crop(tuple(round(side) for side in box)).histogram()
    return sum(levels[:240]) / sum(levels)


@pytest.mark.soak
def test_free_place_is_found_on_plain_files_of_corpus(corpus, say):
    """On the last page of each file; if there is none, the ink under the usual place is reported."""
    files, free = list(corpus("plain")), 0
    for file in files:
        document = file.read_bytes()
        picture = finish(picturing(document, LAST_PAGE, with_survey=True))
        assert picture.survey is not None
        place = picture.survey.free_place(picture.size.page, 80)
        shown = place or picture.survey.usual_place(picture.size.page, 80)
        seen = seen_ink(document, picture.size, shown)
        say(
            f"{file.name:52} {shown.x:4.0f} {shown.y:4.0f}  ink {seen:7.2%}  "
            f"{'free' if place else 'none'}"
        )
        if place is None:
            assert picture.survey.ink_under(shown) >= INK_SHARE_MAX  # so the page warns
        else:
            assert seen < INK_SHARE_MAX, file.name
            free += 1
    assert len(files) == 29
    assert free >= 25
