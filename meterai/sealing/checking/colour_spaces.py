"""Colour spaces that every reader knows, and how many numbers a colour of each has (ISO 32000-2, 8.6)."""

from collections.abc import Callable

from meterai.sealing.pdf.strict import StrictValue

# A pattern is named; one without colours takes those of the space below it besides.
PATTERN = 100
# Of a device, or measured by one: readers agree on their colours.
MEASURED = {"/DeviceGray", "/DeviceRGB", "/DeviceCMYK", "/CalGray", "/CalRGB", "/ICCBased"}
DEVICES = {"/DeviceGray": 1, "/DeviceRGB": 3, "/DeviceCMYK": 4, "/Pattern": PATTERN}
COLOURANTS_MAX = 32  # ISO 32000-2, annex C
_CALIBRATED = {"/CalGray": 1, "/CalRGB": 3, "/Lab": 3}
# The spaces that stand for those of the device.
DEFAULTS = {"/DefaultGray": 1, "/DefaultRGB": 3, "/DefaultCMYK": 4}
_WHITE_MIN, _WHITE_MAX = 0.6, 1.5  # of X, Y and Z; candle light has 0.36 for Z, D65 has 1.09
_GAMMA_MIN, _GAMMA_MAX = 0.4, 4.0  # screens have 1.8 to 2.4
_PRIMARIES_OFF_MAX = (
    0.1  # what their sum, which is white (8.6.5.3), may differ from the white point
)
_OF_PROFILES = (1, 3, 4)
_NOTHING = "/None"  # the colourant that paints nothing, which one reader paints
_ALL = "/All"  # every colourant there is: readers with no press take its tint, or paint in black
_NESTED_MAX = 4  # an indexed space of a separation of a profile has three

Resolve = Callable[[StrictValue], StrictValue]


def components(space: StrictValue, resolved: Resolve, depth: int = 0) -> int | None:
    """How many numbers a colour of this space has; above `PATTERN` for patterns.

    `None` where readers differ: a family that is none of the standard, or with too few parameters.
    """
    space = resolved(space)
    if isinstance(space, str):
        return DEVICES.get(space)
    if not isinstance(space, list) or not space or depth > _NESTED_MAX:
        return None
    family, *rest = space
    family = resolved(family)
    if family in _CALIBRATED:
        measured = resolved(rest[0]) if len(rest) == 1 else None
        is_usual = isinstance(measured, dict) and _is_usual(measured, resolved)
        return _CALIBRATED[str(family)] if is_usual else None
    if family == "/ICCBased" and len(rest) == 1:
        profile = resolved(rest[0])
        return _of_profile(profile, resolved) if isinstance(profile, dict) else None
    if family == "/Indexed" and len(rest) == 3:
        below = components(rest[0], resolved, depth + 1)
        return 1 if below is not None and below < PATTERN else None
    if family in ("/Separation", "/DeviceN") and len(rest) >= 3:
        return _colourants(resolved(rest[0]), components(rest[1], resolved, depth + 1), resolved)
    if family == "/Pattern" and len(rest) <= 1:
        below = components(rest[0], resolved, depth + 1) if rest else 0
        return PATTERN + below if below is not None and below < PATTERN else None
    return None


def stands_in(name: str, space: StrictValue, resolved: Resolve) -> bool:
    """True if every reader paints in this space as in the device's that it stands for (8.6.5.6)."""
    space = resolved(space)
    family = resolved(space[0]) if isinstance(space, list) and space else space
    is_measured = family in ("/CalGray", "/CalRGB", "/ICCBased")
    return is_measured and components(space, resolved) == DEFAULTS[name]


def _is_usual(measured: dict[str, StrictValue], resolved: Resolve) -> bool:
    """True for a white, a curve and primaries (tables 62 to 64) as screens and paper have them; others
    are white for one reader and dark for the next."""
    white, gamma, primaries = (
        _numbers(measured.get(key), resolved) for key in ("/WhitePoint", "/Gamma", "/Matrix")
    )
    if len(white) != 3 or not all(_WHITE_MIN <= one <= _WHITE_MAX for one in white):
        return False
    if not all(_GAMMA_MIN <= one <= _GAMMA_MAX for one in gamma):
        return False
    sums = [sum(primaries[first::3]) for first in range(3)] if primaries else white
    return len(primaries) in (0, 9) and all(
        abs(one - wanted) <= _PRIMARIES_OFF_MAX for one, wanted in zip(sums, white, strict=True)
    )


def _numbers(value: StrictValue, resolved: Resolve) -> list[float]:
    value = resolved(value)
    found = map(resolved, value if isinstance(value, list) else [value])
    return [
        float(one) for one in found if type(one) in (int, float) and isinstance(one, int | float)
    ]


def _of_profile(profile: dict[str, StrictValue], resolved: Resolve) -> int | None:
    """The numbers of a profile; readers that do not use it take a space beside it (8.6.5.5), so that has
    to be like it."""
    count = resolved(profile.get("/N"))
    if not isinstance(count, int) or count not in _OF_PROFILES:
        return None
    other = resolved(profile.get("/Alternate"))
    family = resolved(other[0]) if isinstance(other, list) and other else other
    is_plain = family in (None, "/CalGray", "/CalRGB", *DEVICES)
    return count if is_plain and (other is None or components(other, resolved) == count) else None


def _colourants(named: StrictValue, below: int | None, resolved: Resolve) -> int | None:
    names = [resolved(one) for one in named] if isinstance(named, list) else [named]
    if below is None or below >= PATTERN or not 1 <= len(names) <= COLOURANTS_MAX:
        return None
    if not all(isinstance(one, str) for one in names) or set(names) == {_NOTHING}:
        return None
    if _ALL in names:
        return None
    return len(names)
