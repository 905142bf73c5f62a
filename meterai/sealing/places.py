"""Conversion of requests for stamps, in a corner of a page or at a text of the document, to exact placements."""

import math
from collections.abc import Sequence
from typing import Any

from meterai.sealing.model import (
    LAST_PAGE,
    AtCorner,
    AtText,
    PageOutOfRange,
    Placement,
    PlacementWish,
    TextNotSearched,
)
from meterai.sealing.sandbox import answers
from meterai.sealing.sandbox.answers import NotAnswered, Placed
from meterai.sealing.sandbox.bounded import Task, Work

TEXT_LENGTH_MAX = 200  # characters of a searched text; a longer text spans lines and is never found
OCCURRENCE_MAX = 1_000


def placing(
    document: bytes, places: Sequence[PlacementWish], password: bytes = b""
) -> Work[tuple[Placement, ...]]:
    """Return a `Work` that finds a placement for each request; an exact placement is returned unchanged.

    It is not checked whether a stamp fits there; `accepting` does that.  Refuses with the refusals of opening the document,
    with `PageOutOfRange`, `TextNotFound` and `TextNotSearched`.
    """
    kept = tuple(one for one in places if isinstance(one, Placement))
    if len(kept) == len(places):
        return kept
    for one in places:
        if one.page is not None and one.page < 1 and one.page != LAST_PAGE:
            raise PageOutOfRange(page=one.page, pages=0)
    parameters = {
        "password": password.decode("latin-1"),
        "places": [_written(one) for one in places],
    }
    answer = yield Task("place", document, parameters)
    try:
        found = answers.read(answer, Placed).stamps
    except NotAnswered:
        raise TextNotSearched("no answer came within the bounds") from None
    if len(found) != len(places) or not all(math.isfinite(one) for row in found for one in row):
        raise TextNotSearched("the answer contradicts the question")
    return tuple(
        one if isinstance(one, Placement) else Placement(*row)
        for one, row in zip(places, found, strict=True)
    )


def _written(place: PlacementWish) -> dict[str, Any]:
    """Encode a request as a parameter of a task; an exact placement needs no search and becomes an empty `dict`."""
    match place:
        case AtCorner(page, corner, margin, width):
            return {"page": page, "corner": corner.value, "margin": margin, "width": width}
        case AtText(text, occurrence, page, dx, dy, width):
            moved = {"dx": dx, "dy": dy, "width": width}
            return {"page": page, "text": text, "occurrence": occurrence} | moved
        case Placement():
            return {}
