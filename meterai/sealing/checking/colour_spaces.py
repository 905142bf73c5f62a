"""Colour spaces that every reader knows, and how many numbers a colour of each has (ISO 32000-2, 8.6)."""

from collections.abc import Callable

from meterai.sealing.pdf.strict import StrictValue

# A pattern is named; one without colours takes those of the space below it besides.
PATTERN = 100
DEVICES = {"/DeviceGray": 1, "/DeviceRGB": 3, "/DeviceCMYK": 4, "/Pattern": PATTERN}
COLOURANTS_MAX = 32  # ISO 32000-2, annex C
_CALIBRATED = {"/CalGray": 1, "/CalRGB": 3, "/Lab": 3}
_OF_PROFILES = (1, 3, 4)
_NOTHING = "/None"  # the colourant that paints nothing, which one reader paints
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
        is_whole = len(rest) == 1 and isinstance(resolved(rest[0]), dict)
        return _CALIBRATED[str(family)] if is_whole else None
    if family == "/ICCBased" and len(rest) == 1:
        profile = resolved(rest[0])
        count = resolved(profile.get("/N")) if isinstance(profile, dict) else None
        return count if isinstance(count, int) and count in _OF_PROFILES else None
    if family == "/Indexed" and len(rest) == 3:
        below = components(rest[0], resolved, depth + 1)
        return 1 if below is not None and below < PATTERN else None
    if family in ("/Separation", "/DeviceN") and len(rest) >= 3:
        return _colourants(resolved(rest[0]), components(rest[1], resolved, depth + 1), resolved)
    if family == "/Pattern" and len(rest) <= 1:
        below = components(rest[0], resolved, depth + 1) if rest else 0
        return PATTERN + below if below is not None and below < PATTERN else None
    return None


def _colourants(named: StrictValue, below: int | None, resolved: Resolve) -> int | None:
    names = [resolved(one) for one in named] if isinstance(named, list) else [named]
    if below is None or below >= PATTERN or not 1 <= len(names) <= COLOURANTS_MAX:
        return None
    if not all(isinstance(one, str) for one in names) or set(names) == {_NOTHING}:
        return None
    return len(names)
