"""Check that a stamp is visible at its place, and nothing else on the page has changed.

pdftoppm draws the page before and after, in grey, and the two pictures are compared.
"""

import math
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from meterai.sealing import PageSize, Placement
from scripts.judges import CONTENT, MISSING, Sealed, Verdict, said_by

DOTS_PER_INCH = 72
SIDE_MAX = 2_000  # pixels; a poster is drawn smaller
INKED_MIN = 0.1  # of the stamp's rectangle: with less it is not our drawing
_EDGE = 1  # pixels around the rectangle that smoothing may touch
_HEADER = re.compile(rb"P5\s+(\d+)\s+(\d+)\s+255\s")


@dataclass(frozen=True, slots=True)
class _Picture:
    """Grey pixels, row by row from the top."""

    width: int
    height: int
    dots: bytes

    def row(self, number: int) -> bytes:
        return self.dots[number * self.width : (number + 1) * self.width]


def visible(sealed: Sealed) -> Verdict:
    """Check that every stamp is drawn within its rectangle, and no pixel outside has changed."""
    if shutil.which("pdftoppm") is None:
        return MISSING
    placed: dict[PageSize, list[Placement]] = {}
    for placement, size in zip(sealed.placements, sealed.sizes, strict=True):
        placed.setdefault(size, []).append(placement)
    for size, on_page in placed.items():
        before, after = (
            _drawn(path, size, sealed.password) for path in (sealed.before, sealed.after)
        )
        if before is None:
            return Verdict("objects", f"page {size.page} could not be drawn before sealing either")
        if after is None or (before.width, before.height) != (after.width, after.height):
            return Verdict("objects", f"page {size.page} cannot be drawn any more, or not as large")
        wrong = _compared(before, after, size, on_page)
        if wrong:
            return Verdict("objects", f"page {size.page}: {wrong}")
    return CONTENT


def _drawn(path: Path, size: PageSize, password: str) -> _Picture | None:
    resolution = DOTS_PER_INCH * min(1.0, SIDE_MAX / max(size.width, size.height, 1.0))
    page = str(size.page)
    with tempfile.TemporaryDirectory(prefix="meterai-proof-") as folder:
        out = Path(folder) / "page"
        command = [
            "pdftoppm",
            "-gray",
            "-cropbox",
            "-r",
            f"{resolution:.3f}",
            "-f",
            page,
            "-l",
            page,
        ]
        command += ["-upw", password] if password else []
        said_by([*command, str(path), str(out)])
        made = sorted(Path(folder).iterdir())
        picture = made[0].read_bytes() if made else b""
    header = _HEADER.match(picture)
    if header is None:
        return None
    return _Picture(int(header[1]), int(header[2]), picture[header.end() :])


def _compared(
    before: _Picture, after: _Picture, size: PageSize, placements: Sequence[Placement]
) -> str:
    """Return the fault as a text; empty if there is none."""
    across, down = after.width / size.width, after.height / size.height
    boxes = [_box(one, size, across, down) for one in placements]
    changed, strays = [0] * len(boxes), 0
    for number in range(after.height):
        old, new = before.row(number), after.row(number)
        if old == new:
            continue
        for column, (one, other) in enumerate(zip(old, new, strict=True)):
            if one == other:
                continue
            inside = [
                index
                for index, (left, top, right, low) in enumerate(boxes)
                if left <= column < right and top <= number < low
            ]
            for index in inside:
                changed[index] += 1
            strays += not inside
    for count, (left, top, right, low) in zip(changed, boxes, strict=True):
        if count < INKED_MIN * (right - left) * (low - top):
            return f"only {count} dots of a stamp are seen"
    return f"{strays} dots outside the stamps have changed" if strays else ""


def _box(
    placement: Placement, size: PageSize, across: float, down: float
) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom, in pixels."""
    return (
        math.floor(placement.x * across) - _EDGE,
        math.floor((size.height - placement.y - placement.height) * down) - _EDGE,
        math.ceil((placement.x + placement.width) * across) + _EDGE,
        math.ceil((size.height - placement.y) * down) + _EDGE,
    )
