"""Colour spaces that every reader paints with alike."""

import pytest

from meterai.sealing.checking.colour_spaces import components, stands_in

D65 = [0.9505, 1, 1.089]
SRGB = [0.4124, 0.2126, 0.0193, 0.3576, 0.7152, 0.1192, 0.1805, 0.0722, 0.9505]
INVERSE = {"/FunctionType": 2, "/Domain": [0, 1], "/C0": [1], "/C1": [0], "/N": 1}


def same(value):
    return value


@pytest.mark.parametrize(
    ("space", "count"),
    [
        (["/CalGray", {"/WhitePoint": D65, "/Gamma": 2.2}], 1),
        (["/CalRGB", {"/WhitePoint": D65, "/Gamma": [2.2, 2.2, 2.2], "/Matrix": SRGB}], 3),
        (["/Lab", {"/WhitePoint": [0.9642, 1, 0.8249]}], 3),
        (["/CalGray", {"/WhitePoint": D65, "/Gamma": 99}], None),
        (["/CalRGB", {"/WhitePoint": [0.01, 1, 0.01]}], None),
        (["/CalRGB", {"/WhitePoint": D65, "/Matrix": [0] * 9}], None),
        (["/CalRGB", {"/WhitePoint": D65, "/Matrix": SRGB[:8]}], None),
        (["/CalGray", {}], None),
        (["/ICCBased", {"/N": 3}], 3),
        (["/ICCBased", {"/N": 3, "/Alternate": "/DeviceRGB"}], 3),
        (["/ICCBased", {"/N": 4, "/Alternate": "/DeviceRGB"}], None),
        (["/ICCBased", {"/N": 3, "/Alternate": ["/Lab", {"/WhitePoint": D65}]}], None),
        (
            ["/ICCBased", {"/N": 1, "/Alternate": ["/Separation", "/X", "/DeviceGray", INVERSE]}],
            None,
        ),
        (["/CalGray"], None),
    ],
)
def test_a_measured_space_is_one_of_screens_and_paper(space, count):
    assert components(space, same) == count


@pytest.mark.parametrize(
    ("name", "space", "is_alike"),
    [
        ("/DefaultGray", ["/CalGray", {"/WhitePoint": D65}], True),
        ("/DefaultRGB", ["/ICCBased", {"/N": 3}], True),
        ("/DefaultRGB", ["/ICCBased", {"/N": 1}], False),
        ("/DefaultRGB", ["/Lab", {"/WhitePoint": D65}], False),
        ("/DefaultGray", ["/Separation", "/X", "/DeviceGray", INVERSE], False),
        ("/DefaultGray", ["/Indexed", "/DeviceGray", 1, b"\0\0"], False),
    ],
)
def test_what_stands_in_for_a_space_of_the_device_is_measured(name, space, is_alike):
    assert stands_in(name, space, same) is is_alike
