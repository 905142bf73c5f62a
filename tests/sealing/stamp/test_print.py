"""Reading the code from paper: a stamp of the least width, printed in grey, scanned askew or faxed."""

import io
import shutil
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from meterai.sealing import WIDTH_DEFAULT, WIDTH_MIN
from meterai.sealing.sandbox.scanning import codes_on
from meterai.sealing.stamp import qr
from tests.sealing.stamp.printed import code_text, page, printed, rendered, scanned
from tests.support.serials import numbered

FAX_DPI = 200  # of faxes (ITU-T T.4, fine) and of office scanners as they are set
PRINT_DPI = 300
SEEDS = range(8)  # of each length and turn
FAX_SEEDS = range(36)
INK = (40, 225)
MODERATE: dict[str, Any] = {"tilt": (0.0, 2.0), "blur": 0.6, "noise": 10.0, "ink": INK, "jpeg": 40}
OFFICE: dict[str, Any] = {"tilt": (0.5, 2.0), "blur": 0.6, "noise": 10.0, "ink": INK}
LENGTHS = (189, qr.capacity(qr.VERSION_MAX))  # with the usual address, and with the longest

needs_poppler = pytest.mark.skipif(
    shutil.which("pdftoppm") is None, reason="pdftoppm (poppler-utils) is not on this machine"
)


def read(picture: Image.Image) -> list[str]:
    """Texts that the page for photos reads."""
    out = io.BytesIO()
    picture.save(out, "PNG")
    return codes_on(out.getvalue())


def fax_like(seed: int, width: float, **more: Any) -> tuple[Any, str]:
    """A stamp at a place of its own between the pixels, rendered at 200 dpi and scanned in grey."""
    serial = numbered(seed)
    text = code_text(serial, LENGTHS[seed % 2])
    at = (20 + seed * 0.37 % 1, 20 + seed * 0.61 % 1)
    turns, size = seed % 4, (150.0, 150.0)
    document = page(width, text=text, serial=serial, at=at, turns=turns, size=size)
    return scanned(rendered(document, FAX_DPI), seed, **OFFICE | more), text


@pytest.mark.parametrize("width", [WIDTH_MIN, WIDTH_DEFAULT])
def test_grey_scan_of_200_dpi_is_read_at_first_search(width):
    missed = []
    for seed in FAX_SEEDS:
        grey, text = fax_like(seed, width, jpeg=60)
        if [found.text for found in zxingcpp.read_barcodes(grey)] != [text]:
            missed.append(seed)
    assert not missed, f"seeds {missed} of {len(FAX_SEEDS)} were not read"


@needs_poppler
@pytest.mark.soak
@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("characters", LENGTHS)
def test_moderate_scan_of_print_is_read(tmp_path, turns, characters):
    missed = []
    for seed in (1000 * characters + 100 * turns + seed for seed in SEEDS):
        serial = numbered(seed)
        text = code_text(serial, characters)
        document = page(WIDTH_MIN, text=text, serial=serial, turns=turns)
        paper = printed(document, PRINT_DPI, tmp_path)
        if read(scanned(paper, seed, **MODERATE)) != [text]:
            missed.append(seed)
    assert not missed, f"seeds {missed} of {len(SEEDS)} were not read"


@needs_poppler
@pytest.mark.parametrize("turns", range(4))
def test_print_is_black_and_white_around_code(tmp_path, turns):
    paper = printed(page(WIDTH_MIN, serial=numbered(turns), turns=turns), PRINT_DPI, tmp_path)
    code = zxingcpp.read_barcodes(paper)[0].position
    corner = paper.getpixel((code.top_left.x + 2, code.top_left.y + 2))
    outside = paper.getpixel((code.top_left.x - 4, code.top_left.y - 4))
    assert (corner, outside) == (0, 255)
    # Upright: the first corner of the code is the upper left one.
    assert code.top_left.x < code.top_right.x - 100
    assert code.top_left.y < code.bottom_left.y - 100
