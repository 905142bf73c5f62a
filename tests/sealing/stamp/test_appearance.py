"""The displayed stamp: at its placement, upright, readable, and fit for PDF/A."""

import io
import re

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from meterai.sealing import HEIGHT_PER_WIDTH, WIDTH_MIN, Placement
from meterai.sealing.stamp import (
    appearance,
    artwork,
    identifiers,
    operator_artwork,
    qr,
)
from meterai.sealing.stamp.wording import wording
from tests.sealing.stamp.printed import AT, CHECK_URL, code_text, page, rendered
from tests.support.serials import numbered

WHITE = 250
SAYS = wording(AT, CHECK_URL)
WORDS = artwork.serial_and_words(numbered(0), SAYS)


def colours_of(picture: Image.Image) -> dict[tuple[int, ...], int]:
    """Number of pixels of each colour."""
    found = picture.getcolors(1 << 20)
    assert found is not None
    return {colour: count for count, colour in found if isinstance(colour, tuple)}


def inked(picture):
    """The box around everything that is not white: left, low, right, top, from the lower left."""
    left, upper, right, lower = picture.point(lambda tone: 0 if tone > WHITE else 255).getbbox()
    return left, picture.height - lower, right, picture.height - upper


def tone(picture, row, height):
    """Mean of some rows of pixels, without their ends."""
    strip = picture.crop((14, row, picture.width - 14, row + height))
    return sum(strip.get_flattened_data()) / (strip.width * strip.height)


CASES = [
    ({}, (595, 842)),
    ({"Rotate": 90}, (842, 595)),
    ({"Rotate": 180}, (595, 842)),
    ({"Rotate": 270}, (842, 595)),
    ({"Rotate": -90}, (842, 595)),
    ({"CropBox": [50, 60, 450, 560]}, (400, 500)),
    ({"CropBox": [50, 60, 450, 560], "Rotate": 90}, (500, 400)),
    ({"CropBox": [450, 560, 50, 60], "Rotate": 270}, (500, 400)),
    ({"MediaBox": [-100, -200, 400, 400], "Rotate": 180}, (500, 600)),
]


@pytest.mark.parametrize(("entries", "size"), CASES)
def test_stamp_is_seen_at_its_placement(bench, make_pdf, entries, size):
    made = {
        name: pikepdf.Array(value) if isinstance(value, list) else value
        for name, value in entries.items()
    }
    placements = Placement(1, 30, 40, 100), Placement(1, 200, 240, 70)
    document = bench.sealed(make_pdf(**made), *placements)
    picture = rendered(document, 72).convert("L")
    assert picture.size == size
    for placement in placements:
        x, y, width, height = placement.x, placement.y, placement.width, placement.height
        top = picture.height - y - height
        part = picture.crop((int(x) - 6, int(top) - 6, int(x + width) + 7, int(top + height) + 7))
        left, low, right, high = inked(part)
        assert (left, low) == (pytest.approx(6, abs=2), pytest.approx(6, abs=2))
        assert (right, high) == (pytest.approx(width + 6, abs=2), pytest.approx(height + 6, abs=2))
        # Upright: the name is in a dark band near the top, the serial on white near the bottom.
        band, inset = round(height * 0.06), 6 + round(height * 0.035)
        assert tone(part, inset, band) + 50 < tone(part, part.height - inset - band, band)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize(("width", "dpi"), [(WIDTH_MIN, 200), (WIDTH_MIN, 300), (300, 96)])
def test_code_is_read_at_every_size(width, dpi, turns):
    text = code_text(numbered(dpi + turns))
    document = page(width, text=text, turns=turns, size=(500, 500))
    assert [found.text for found in zxingcpp.read_barcodes(rendered(document, dpi))] == [text]


def test_serial_and_value_are_searchable_text():
    serial = numbered(1)
    opened = pypdfium2.PdfDocument(page(80, serial=serial, flat=True))
    text = opened[0].get_textpage().get_text_range()
    opened.close()
    for words in ("METERAI ELEKTRONIK", "10000", "SEPULUH RIBU", *serial.grouped().split()):
        assert words in text
    assert "24 NOV 2026 15.00 WIB" in text
    assert "PERIKSA: METERAI.EXAMPLE" in text


def test_alternative_text_has_content_of_stamp():
    serial = numbered(1)
    assert identifiers.alt_text(serial, SAYS) == (
        f"Meterai elektronik Rp10.000, nomor seri {serial.grouped()}, "
        "dibubuhkan 24 Nov 2026 15.00 WIB, periksa di meterai.example"
    )


def test_specimen_is_printed_only_on_specimen_artwork():
    words = {specimen: artwork.fixed_part(specimen=specimen) for specimen in (True, False)}
    assert b"(SPECIMEN)" in words[True]
    assert b"SPECIMEN" not in words[False]
    # A specimen does not say that a duty is paid.
    assert b"(BEA METERAI LUNAS)" in words[False]
    assert b"LUNAS" not in words[True]
    red = [colours_of(rendered(page(80, specimen=specimen), 72)) for specimen in (True, False)]
    counts = [
        sum(n for (r, g, b), n in colours.items() if r > 150 and max(g, b) < 60) for colours in red
    ]
    assert counts[0] > 50
    assert counts[1] == 0


# -- PDF/A (ISO 19005-1 to -3): what an appearance may not hold ------------------------------------


@pytest.fixture(scope="module", params=[True, False], ids=["specimen", "valid"])
def forms(request):
    """Form of a stamp and form of the artwork, of one document."""
    with pikepdf.open(io.BytesIO(page(80, specimen=request.param))) as opened:
        face = opened.pages[0].Annots[0].AP.N
        yield face, face.Resources.XObject.Art


def fonts(forms):
    return [font for form in forms for font in form.Resources.Font.values()]


# -- what it costs ---------------------------------------------------------------------------------


def test_stamp_keeps_its_shape():
    text = code_text(numbered(1))
    code = qr.encoder_for(len(text)).draw(text)
    for width in (WIDTH_MIN, 300):
        entries = appearance.appearance_stream(WORDS, code, width, 0, 40).entries
        [box] = re.findall(rb"/BBox\[0 0 (\S+) (\S+)\]", entries)
        assert float(box[0]) == width
        assert float(box[1]) == pytest.approx(width * HEIGHT_PER_WIDTH, abs=0.001)
    assert pytest.approx(156) == artwork.SHEET_HEIGHT


# -- operator artwork ------------------------------------------------------------------------------


def drawing_of_somebody(**entries):
    """A green page, with a stamp on it for its fonts and forms."""
    source = pikepdf.open(io.BytesIO(page(80, flat=True)))
    art = source.pages[0]
    art.contents_add(b"q 0 .5 0 rg 0 0 500 500 re f Q", prepend=True)
    art.mediabox = pikepdf.Array([0, 0, 200, 224])
    for name, value in entries.items():
        art.obj[f"/{name}"] = value
    out = io.BytesIO()
    source.save(out, static_id=True)
    return out.getvalue()


@pytest.mark.parametrize("turn", [0, 90])
@pytest.mark.parametrize("specimen", [True, False])
def test_operator_artwork_leaves_room_for_code_and_serial(specimen, turn):
    art_file = drawing_of_somebody(Rotate=turn, Metadata=pikepdf.Dictionary(Left="out"))
    serial, text = numbered(1), code_text(numbered(2))
    document = page(80, text=text, serial=serial, operator_artwork=art_file, specimen=specimen)
    pikepdf.open(io.BytesIO(document)).check_pdf_syntax()
    picture = rendered(document, 300)
    assert [found.text for found in zxingcpp.read_barcodes(picture)] == [text]
    colours = colours_of(picture)
    assert colours[0, 128, 0] > 2000
    reds = sum(n for (r, g, b), n in colours.items() if r > 150 and max(g, b) < 60)
    assert (reds > 1000) is specimen


@pytest.mark.parametrize(
    "entries",
    [
        {"Resources": pikepdf.Dictionary(ExtGState=pikepdf.Dictionary(A={"/SMask": 1}))},
        {"Resources": pikepdf.Dictionary(Properties=pikepdf.Dictionary(A=pikepdf.String("words")))},
    ],
)
def test_unsuitable_operator_artwork_is_refused(entries):
    with pytest.raises(operator_artwork.ArtworkUnusable):
        appearance.shared(specimen=True, operator_artwork=drawing_of_somebody(**entries))
