"""A stamp requested at a text or in a corner gets a placement there, on the page as shown."""

import io

import pikepdf
import pytest

from meterai.sealing import (
    HEIGHT_PER_WIDTH,
    LAST_PAGE,
    AtCorner,
    AtText,
    Corner,
    PageOutOfRange,
    Placement,
    PlacementWish,
    TextNotFound,
    placing,
)
from meterai.sealing.sandbox.bounded import finish

WIDTH, HEIGHT = 595.0, 842.0
AT = (72.0, 700.0)  # of the text, in units of the file
# Entries of the page, and the lower left corner of a text at AT as shown.
SEEN = [
    ({}, AT),
    ({"CropBox": [50, 60, 500, 800]}, (22, 640)),
    ({"MediaBox": [-50, -60, 545, 782]}, (122, 760)),
    ({"UserUnit": 2}, (144, 1400)),
    ({"Rotate": 180}, None),
    ({"Rotate": 90}, None),
]


def texts(*pages: list[tuple[float, float, str]], **entries: object) -> bytes:
    """A document whose pages have these texts in Helvetica of 12 points."""
    made = pikepdf.new()
    for page in pages:
        made.add_blank_page(page_size=(WIDTH, HEIGHT))
        obj = made.pages[-1].obj
        for name, value in entries.items():
            obj[f"/{name}"] = pikepdf.Array(value) if isinstance(value, list) else value
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
        )
        obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        shown = " ".join(f"BT /F1 12 Tf {x} {y} Td ({text}) Tj ET" for x, y, text in page)
        obj.Contents = made.make_stream(shown.encode())
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def place(document: bytes, *wishes: PlacementWish) -> tuple[Placement, ...]:
    return finish(placing(document, wishes))


LETTER = texts(
    [(72, 700, "Surat Pernyataan"), (72, 200, "Materai di sini")],
    [(300, 400, "Materai kedua"), (300, 100, "materai kecil")],
)


@pytest.mark.parametrize(("entries", "corner"), SEEN)
def test_text_is_found_where_it_is_seen(
    entries: dict[str, object], corner: tuple[float, float] | None
) -> None:
    document = texts([(*AT, "Yang menyatakan")], **entries)
    [found] = place(document, AtText("Yang menyatakan", width=80.0))
    assert (found.page, found.width) == (1, 80.0)
    if corner:
        assert (found.x, found.y) == pytest.approx(corner, abs=6)
    elif entries == {"Rotate": 180}:
        # The end of the text is to the left on the shown page.
        assert found.x == pytest.approx(WIDTH - AT[0] - 90, abs=8)
        assert found.y == pytest.approx(HEIGHT - AT[1] - 10, abs=5)
    else:
        assert found.x == pytest.approx(AT[1], abs=5)
        assert found.y == pytest.approx(WIDTH - AT[0] - 90, abs=8)


def test_nth_occurrence_is_counted_through_the_pages() -> None:
    first, second = place(LETTER, AtText("Materai"), AtText("Materai", occurrence=2))
    assert (first.page, second.page) == (1, 2)
    assert (first.x, second.x) == pytest.approx((72, 300), abs=2)


def test_text_is_searched_on_named_page() -> None:
    last, second = place(
        LETTER, AtText("Materai", page=LAST_PAGE), AtText("Materai", page=2, dx=1.0)
    )
    assert (last.page, second.page) == (2, 2)
    with pytest.raises(TextNotFound):
        place(LETTER, AtText("Surat", page=2))
    for page in (3, 0, -2):
        with pytest.raises(PageOutOfRange):
            place(LETTER, AtText("Surat", page=page))


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        (AtText("Meterai"), 0),
        (AtText("MATERAI"), 0),
        (AtText("Materai", occurrence=3), 2),
    ],
)
def test_missing_text_is_refused_with_its_number(wish: AtText, found: int) -> None:
    with pytest.raises(TextNotFound) as refusal:
        place(LETTER, Placement(1, 10, 10), wish)
    assert refusal.value.facts() == {"number": 2, "found": found}


@pytest.mark.parametrize("corner", list(Corner))
def test_corner_keeps_margin_to_both_edges(corner: Corner) -> None:
    document = texts([], CropBox=[50, 60, 500, 800], Rotate=90)  # 740 wide, 450 high
    [found] = place(document, AtCorner(LAST_PAGE, corner, margin=20.0, width=70.0))
    is_right, is_top = "right" in corner, "top" in corner
    assert found.x == (740 - 20 - 70 if is_right else 20)
    assert found.y == pytest.approx(450 - 20 - 70 * HEIGHT_PER_WIDTH if is_top else 20)


@pytest.mark.parametrize("text", ["(", "\\", "\x00", "Surat\nPernyataan", " ", "é" * 200])
def test_any_text_is_found_or_refused(text: str) -> None:
    try:
        [found] = place(LETTER, AtText(text))
    except TextNotFound:
        return
    assert found.page in (1, 2)
