"""Samples of images that every reader decodes alike (ISO 32000-2, section 8.9.5).

| entry | what all take alike |
|---|---|
| `/Decode` | none; each colour from 0 to 1 or from 1 to 0, of a list what changes nothing (table 88); of Lab, and of JPEG 2000, none |
| `/Mask` as a list | a first and a last for each colour, within what the samples can be (8.9.6.4) |
| `/Mask` as a stream | an image that is a mask (8.9.6.3) |
| `/ColorSpace` of JPEG 2000 | of as many colours as the data have; where it is left to the data, grey or RGB without an opacity |
| `/SMaskInData` | none, or 0: what the data say of opacity is nothing (table 87) |
"""

from collections.abc import Callable, Sequence

from meterai.sealing.pdf.strict import StrictValue
from meterai.sealing.sandbox.rendering import NotDrawn

_PLAIN, _REVERSED = [0, 1], [1, 0]
_BANDS = (1, 3)  # of JPEG 2000 that says its colours itself

Resolve = Callable[[StrictValue], StrictValue]


def refuse_if_decoded_differently(
    entries: dict[str, StrictValue], colours: int | None, depth: StrictValue, resolved: Resolve
) -> None:
    """Raise `NotDrawn` for an image of so many colours (`None`: its data say how many) whose samples some
    reader takes otherwise."""
    _check_decode(entries, colours, depth, resolved)
    masked = resolved(entries.get("/Mask"))
    if isinstance(masked, dict) and resolved(masked.get("/ImageMask")) is not True:
        raise NotDrawn
    if isinstance(masked, list):
        _check_mask([resolved(one) for one in masked], colours, depth)
    if resolved(entries.get("/SMaskInData")) not in (None, 0):
        raise NotDrawn


def refuse_bands(bands: int, colours: int | None) -> None:
    """Raise `NotDrawn` for JPEG 2000 of other components than its space has, or with more than colours."""
    if bands != colours if colours is not None else bands not in _BANDS:
        raise NotDrawn


def _check_decode(
    entries: dict[str, StrictValue], colours: int | None, depth: StrictValue, resolved: Resolve
) -> None:
    stated = resolved(entries.get("/Decode"))
    if stated is None:
        return
    found = [resolved(one) for one in stated] if isinstance(stated, list) else []
    space = resolved(entries.get("/ColorSpace"))
    family = resolved(space[0]) if isinstance(space, list) and space else space
    if colours is None or len(found) != 2 * colours or family == "/Lab":
        raise NotDrawn
    if family == "/Indexed":
        if not isinstance(depth, int) or found != [0, (1 << depth) - 1]:
            raise NotDrawn
    elif any(found[at : at + 2] not in (_PLAIN, _REVERSED) for at in range(0, len(found), 2)):
        raise NotDrawn


def _check_mask(found: Sequence[StrictValue], colours: int | None, depth: StrictValue) -> None:
    if colours is None or len(found) != 2 * colours or not isinstance(depth, int):
        raise NotDrawn
    for first, last in zip(found[::2], found[1::2], strict=True):
        if type(first) is not int or type(last) is not int or not 0 <= first <= last < 1 << depth:
            raise NotDrawn
