"""Shapes of paths that some readers paint and others do not (ISO 32000-2, section 8.5).

| what | who draws it otherwise |
|---|---|
| a stroke along a rectangle or curves without length | PDFium draws nothing, the others the caps of its ends |
| points far from the page | PDFium moves them nearer, so that a line goes elsewhere; beyond 1e6 most round |
| a path without an area, as a clip | Ghostscript and poppler leave a row of pixels |
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from meterai.sealing.pdf.operations import Matrix, bounds, numbers, transformed
from meterai.sealing.pdf.pages import Box

POINT = 0.01  # units of the page: what is shorter has no length for some
NARROW = 0.02  # units: of a clip
# PDFium keeps 50,000 pixels from the corner, which are so many units in the pictures of pages that we draw.
FAR = 25_000.0
FARTHEST = 1e6  # also of rectangles, the sides of which go nowhere else; 32 bits keep a sixteenth of a unit there
_BENT = re.compile(rb"re|[cvy]")
_STEP = re.compile(rb"((?:[-+.\d]++[\0\t\n\f\r ]++)*+)(re|[mlcvyh])")
_COMMENT = re.compile(rb"%[^\r\n]*+")
# Numbers with so many digits before the point; with fewer, at a scale of one, a point is near.
_LONG = {digits: re.compile(rb"(?<![.\d])\d{%d}" % digits) for digits in (3, 4, 5)}


def is_narrow(box: Box) -> bool:
    """True for a box without an area, or nearly."""
    return min(box[2] - box[0], box[3] - box[1]) < NARROW


def has_point(route: bytes, most: float) -> bool:
    """True if a part of a path that has a rectangle or curves is no longer than this."""
    if _BENT.search(route) is None:
        return False
    return any(
        is_bent and max(max(one) - min(one) for one in (points[::2], points[1::2])) <= most
        for is_bent, points in _parts(route)
    )


def has_area(route: bytes, matrix: Matrix) -> bool:
    """True if some part of a path is wider than a line."""
    a, b, c, d, _, _ = matrix
    for _, points in _parts(route):
        across, along = points[::2], points[1::2]
        around = zip([across[-1], *across], [along[-1], *along], strict=True)
        area = sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(around))
        longest = max(max(across) - min(across), max(along) - min(along)) * max(
            map(abs, matrix[:4])
        )
        if longest and abs(area * (a * d - b * c)) / 2 / longest >= NARROW:
            return True
    return False


def reaches_far(route: bytes, matrix: Matrix) -> bool:
    """True if readers may move a point of a path; rectangles that are not turned may be larger."""
    factor = max(map(abs, matrix[:4]))
    digits = 5 if factor <= 1 else 4 if factor <= 10 else 3
    near = max(map(abs, matrix[4:])) < FAR / 5 and factor <= 100
    if near and _LONG[digits].search(route) is None:
        return False
    box = bounds(route)
    if box is None:
        return False
    most = max(map(abs, transformed(box, matrix)))
    is_upright = not (matrix[1] or matrix[2]) or not (matrix[0] or matrix[3])
    is_of_rectangles = is_upright and all(
        operator == b"re" for _, operator in _STEP.findall(_COMMENT.sub(b" ", route))
    )
    return most > (FARTHEST if is_of_rectangles else FAR)


def _parts(route: bytes) -> Iterator[tuple[bool, list[float]]]:
    """The parts of a path that hang together: whether they have rectangles or curves; their points."""
    is_bent, points = False, list[float]()
    for operands, operator in _STEP.findall(_COMMENT.sub(b" ", route)):
        found = numbers(operands)
        if operator in (b"re", b"m"):
            if points:
                yield is_bent, points
            is_bent, points = operator == b"re", found
            if operator == b"re":
                x, y, width, height = found[-4:]
                points = [x, y, x + width, y, x + width, y + height, x, y + height]
        elif operator == b"h":
            if points:
                yield is_bent, points
            is_bent, points = False, points[:2]
        else:
            is_bent = is_bent or operator != b"l"
            points = points + found
    if len(points) > 2:
        yield is_bent, points
