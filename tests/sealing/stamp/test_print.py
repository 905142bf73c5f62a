"""The code is read from paper: a stamp of 20 mm, printed at 300 dpi in grey, scanned askew."""

import shutil
from typing import Any

import pytest
import zxingcpp

from meterai.sealing.stamp import qr
from tests.sealing.stamp.printed import MAKER, POINTS_PER_MM, code_text, page, printed, scanned

WIDTH = 20 * POINTS_PER_MM
DPI = 300
SEEDS = range(8)  # of each length and turn
MODERATE: dict[str, Any] = {"tilt": 2.0, "blur": 0.6, "noise": 10.0, "ink": (40, 225), "jpeg": 40}
# The length of the text for the usual address, and for the longest in versions 8, 9 and 10.
LENGTHS = (189, qr.capacity(8), qr.capacity(9), qr.capacity(10))

pytestmark = pytest.mark.skipif(
    shutil.which("pdftoppm") is None, reason="pdftoppm (poppler-utils) is not on this machine"
)


def is_read(picture, text):
    """Whether one of two looks reads the code.

    At about three pixels a module the reader overlooks a corner pattern once in fifty scans,
    noise or not, and finds it in the same picture at twice the size.
    """
    looks = (picture, picture.resize((2 * picture.width, 2 * picture.height)))
    return any([found.text for found in zxingcpp.read_barcodes(look)] == [text] for look in looks)


@pytest.mark.slow
@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("characters", LENGTHS)
def test_a_moderate_scan_of_20_mm_is_read(tmp_path, turns, characters):
    missed = []
    for seed in (1000 * characters + 100 * turns + seed for seed in SEEDS):
        text = code_text(MAKER.make(), characters)
        paper = printed(page(WIDTH, text=text, turns=turns), DPI, tmp_path)
        if not is_read(scanned(paper, seed, **MODERATE), text):
            missed.append(seed)
    assert not missed, f"seeds {missed} of {len(SEEDS)} were not read"


@pytest.mark.slow
def test_how_much_blur_a_scan_may_have(tmp_path, say):
    text = code_text(MAKER.make())
    paper = printed(page(WIDTH, text=text), DPI, tmp_path)
    rates = {}
    for blur in (0.6, 0.9, 1.2, 1.4, 1.6):
        scans = [scanned(paper, seed, **MODERATE | {"blur": blur}) for seed in SEEDS]
        rates[blur] = sum(is_read(scan, text) for scan in scans) / len(SEEDS)
    say(
        "read at 300 dpi, by blur in pixels: "
        + ", ".join(f"{b}: {r:.0%}" for b, r in rates.items())
    )
    assert rates[0.6] == 1.0


@pytest.mark.parametrize("turns", range(4))
def test_print_is_black_and_white_around_the_code(tmp_path, turns):
    paper = printed(page(WIDTH, turns=turns), DPI, tmp_path)
    code = zxingcpp.read_barcodes(paper)[0].position
    corner = paper.getpixel((code.top_left.x + 2, code.top_left.y + 2))
    outside = paper.getpixel((code.top_left.x - 4, code.top_left.y - 4))
    assert (corner, outside) == (0, 255)
    # Upright: the first corner of the code is the upper left one.
    assert code.top_left.x < code.top_right.x - 100
    assert code.top_left.y < code.bottom_left.y - 100
