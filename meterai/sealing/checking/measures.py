"""How large the numbers may be with which something is drawn, and how small its box (ISO 32000-2, annex C).

Readers keep whole numbers in 32 bits and others in 32 bits as well; what is larger one takes for nothing, one for
the largest that it has, one for its last 32 bits, so that a box lies elsewhere.
"""

from collections.abc import Callable

from meterai.sealing.checking.graphics import PLACE_MAX
from meterai.sealing.checking.later_places import SCALE_MAX, SCALE_MIN
from meterai.sealing.pdf.strict import StrictValue

NUMBER_MAX = 0x7FFFFFFF  # of any number among what is drawn
COORDINATE_MAX = PLACE_MAX  # units; the largest page has 14,400
SIDE_MIN = 0.01  # units, of the box of a form that draws something
_MATRIX = 6

Resolve = Callable[[StrictValue], StrictValue]


def is_near(corners: tuple[float, ...] | list[float]) -> bool:
    """True for coordinates that all readers keep."""
    return all(abs(one) <= COORDINATE_MAX for one in corners)


def has_room(box: StrictValue, matrix: StrictValue, resolved: Resolve) -> bool:
    """False for a box, or a matrix, so small or so large that some renderers draw nothing."""
    sides, scales = resolved(box), resolved(matrix)
    if scales is None:
        scales = [1, 0, 0, 1]
    if not isinstance(sides, list) or not isinstance(scales, list) or len(sides) != 4:
        return False
    plain = [resolved(one) for one in (*sides, *scales[:_MATRIX])]
    found = [float(one) for one in plain if isinstance(one, int | float)]
    if len(found) not in (8, 10) or len(found) != len(plain) or not is_near(found):
        return False
    left, low, right, top, *factors = found
    lengths = abs(right - left), abs(top - low)
    largest = max(map(abs, factors[:4]))
    return min(lengths) >= SIDE_MIN and SCALE_MIN <= largest <= SCALE_MAX
