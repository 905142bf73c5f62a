"""The stamp as it is seen: where it was asked to be, upright, and readable by a scanner."""

import io

import pikepdf
import pypdfium2
import pytest
import zxingcpp

from meterai.sealing import HEIGHT_PER_WIDTH, Placement, Stamp, seal
from meterai.sealing.art import fixed_part
from meterai.sealing.qr import draw

WHITE = 250


def rendered(document, page, dpi=72):
    """A page as a grey picture with the annotations on it."""
    opened = pypdfium2.PdfDocument(document)
    opened.init_forms()
    picture = opened[page - 1].render(scale=dpi / 72, may_draw_forms=True).to_pil().convert("L")
    opened.close()
    return picture


def inked(picture):
    """The box of everything that is not white: left, low, right, top, from the lower left."""
    left, upper, right, lower = picture.point(lambda tone: 0 if tone > WHITE else 255).getbbox()
    return left, picture.height - lower, right, picture.height - upper


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


@pytest.mark.parametrize(("page", "size"), CASES)
def test_the_stamp_is_seen_where_it_was_asked(bench, make_pdf, page, size):
    entries = {
        name: pikepdf.Array(value) if isinstance(value, list) else value
        for name, value in page.items()
    }
    placements = Placement(1, 30, 40, 100), Placement(1, 200, 240, 60)
    document = bench.sealed(make_pdf(**entries), *placements)
    picture = rendered(document, 1)
    assert picture.size == size
    for placement in placements:
        x, y, width, height = placement.x, placement.y, placement.width, placement.height
        top = picture.height - y - height
        part = picture.crop((int(x) - 6, int(top) - 6, int(x + width) + 7, int(top + height) + 7))
        left, low, right, high = inked(part)
        assert (left, low) == (pytest.approx(6, abs=2), pytest.approx(6, abs=2))
        assert (right, high) == (pytest.approx(width + 6, abs=2), pytest.approx(height + 6, abs=2))
        # Upright: the name stands in a dark band near the top, the serial on white near the bottom.
        band, inset = round(height * 0.08), 6 + round(height * 0.04)
        assert tone(part, inset, band) < 130
        assert tone(part, part.height - inset - band, band) > 160


def tone(picture, row, height):
    """The mean of some rows of pixels, without their ends."""
    strip = picture.crop((14, row, picture.width - 14, row + height))
    return sum(strip.get_flattened_data()) / (strip.width * strip.height)


def test_the_codes_are_read_from_a_grey_print_of_20_mm(bench, plain):
    stamps = bench.stamps(Placement(1, 100.3, 100.7, 56.7), Placement(1, 300, 300, 80))
    delta = seal(plain, stamps, bench.issuer, at=bench.at, check_url=bench.check_url, specimen=True)
    picture = rendered(plain + delta.data, 1, dpi=300)
    read = {found.text for found in zxingcpp.read_barcodes(picture)}
    assert read == {f"HTTPS://METERAI.EXAMPLE/C/{stamp.serial}" for stamp in stamps}


def test_the_smallest_stamp_is_read_at_600_dpi(bench, plain):
    document = bench.sealed(plain, Placement(1, 100, 100, 40))
    assert len(zxingcpp.read_barcodes(rendered(document, 1, dpi=600))) == 1


def test_the_code_is_small_because_it_is_all_capitals(bench):
    assert draw("https://meterai.example/c", bench.serial()).modules == 29
    assert draw("https://meterai.example/c", bench.serial()).path.count(b" re") < 400


def test_specimen_is_printed_only_where_it_applies(bench, plain):
    assert fixed_part(specimen=True) != fixed_part(specimen=False)
    texts = []
    for specimen in (True, False):
        stamps = [Stamp(bench.serial(), Placement(1, 9, 9))]
        delta = seal(
            plain, stamps, bench.issuer, at=bench.at, check_url=bench.check_url, specimen=specimen
        )
        reader = pikepdf.open(io.BytesIO(plain + delta.data))
        face = reader.pages[0].Annots[0].AP.N
        texts.append(face.Resources.XObject.Art.read_bytes())
        for words in (b"METERAI ELEKTRONIK", b"10000", b"SEPULUH RIBU RUPIAH"):
            assert words in texts[-1]
        assert stamps[0].serial.grouped()[:14].encode() in face.read_bytes()
        assert float(face.BBox[3]) == pytest.approx(80 * HEIGHT_PER_WIDTH, abs=0.01)
    assert [b"SPECIMEN" in text for text in texts] == [True, False]
