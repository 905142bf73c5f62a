"""Samples of images: what all readers decode alike, and what only some do."""

import pytest

from meterai.sealing.checking.samples import refuse_bands, refuse_if_decoded_differently
from meterai.sealing.pdf.strict import StrictValue
from meterai.sealing.sandbox.rendering import NotDrawn

_RGB = "/DeviceRGB"
_LIST: list[StrictValue] = ["/Indexed", _RGB, 3, b"\0" * 12]
ALIKE: list[tuple[dict[str, StrictValue], int | None]] = [
    ({}, 1),
    ({"/ColorSpace": _RGB, "/Decode": [0, 1, 0, 1, 0, 1]}, 3),
    ({"/ColorSpace": "/DeviceCMYK", "/Decode": [1, 0] * 4}, 4),
    ({"/ColorSpace": _RGB, "/Decode": [0.0, 1.0, 0, 1, 1, 0]}, 3),
    ({"/ColorSpace": _LIST, "/Decode": [0, 255]}, 1),
    ({"/ImageMask": True, "/Decode": [1, 0]}, 1),
    ({"/ColorSpace": _RGB, "/Mask": [0, 9, 0, 255, 7, 7]}, 3),
    ({"/Mask": {"/ImageMask": True}}, 1),
    ({"/SMaskInData": 0}, None),
]
DIFFERENT: list[tuple[dict[str, StrictValue], int | None]] = [
    ({"/Decode": [1, 1]}, 1),
    ({"/Decode": [1, 1.0001]}, 1),
    ({"/Decode": [0, 1, 0, 1]}, 1),
    ({"/Decode": "/None"}, 1),
    ({"/ColorSpace": _LIST, "/Decode": [255, 0]}, 1),
    ({"/ColorSpace": ["/Lab", {}], "/Decode": [0, 1, 0, 1, 0, 1]}, 3),
    ({"/Decode": [0, 1]}, None),
    ({"/ColorSpace": _RGB, "/Mask": [0, 255]}, 3),
    ({"/Mask": [-1, 256]}, 1),
    ({"/Mask": [9, 0]}, 1),
    ({"/Mask": [0, 1.0]}, 1),
    ({"/Mask": [0, 255]}, None),
    ({"/Mask": {}}, 1),
    ({"/SMaskInData": 1}, None),
]


def decoded(entries: dict[str, StrictValue], colours: int | None) -> None:
    refuse_if_decoded_differently(entries, colours, 8, lambda value: value)


@pytest.mark.parametrize(("entries", "colours"), ALIKE)
def test_what_all_decode_alike_is_drawn(
    entries: dict[str, StrictValue], colours: int | None
) -> None:
    decoded(entries, colours)


@pytest.mark.parametrize(("entries", "colours"), DIFFERENT)
def test_what_some_decode_otherwise_is_not(
    entries: dict[str, StrictValue], colours: int | None
) -> None:
    with pytest.raises(NotDrawn):
        decoded(entries, colours)


def test_the_components_of_jpeg_2000_are_those_of_its_space() -> None:
    for bands, colours in ((1, None), (3, None), (3, 3), (4, 4), (1, 1)):
        refuse_bands(bands, colours)
    for bands, colours in ((4, None), (2, None), (3, 1), (4, 3), (0, None)):
        with pytest.raises(NotDrawn):
            refuse_bands(bands, colours)
