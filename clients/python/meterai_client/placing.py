"""Where a stamp goes.  Lengths are points from the lower left of the page as it is seen; 72 are an inch.

Page 1 is the first, -1 the last.  A `width` that is left out is the one of the installation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class At:
    """With its lower left corner at a point."""

    page: int
    x: float
    y: float
    width: float | None = None


@dataclass(frozen=True, slots=True)
class InCorner:
    """In a corner of a page, `margin` points away from both edges."""

    corner: Literal["bottom_right", "bottom_left", "top_right", "top_left"]
    page: int = -1
    margin: float | None = None
    width: float | None = None


@dataclass(frozen=True, slots=True)
class AtText:
    """With its lower left corner at that of a text, moved by `dx` and `dy`.

    `occurrence` counts from 1; without `page` through all pages.  Refused as `text_not_found` where it is not there.
    """

    text: str
    occurrence: int = 1
    page: int | None = None
    dx: float = 0
    dy: float = 0
    width: float | None = None


Placement = At | InCorner | AtText


def plain(placement: Placement | Sequence[Placement]) -> Any:
    """A placement, or several, as the API takes them."""
    if isinstance(placement, At | InCorner | AtText):
        return _plain(placement)
    return [_plain(one) for one in placement]


def _plain(placement: Placement) -> Mapping[str, Any]:
    names = type(placement).__slots__
    found = {name: getattr(placement, name) for name in names}
    return {name: value for name, value in found.items() if value is not None}
