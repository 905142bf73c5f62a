"""Colours have as many numbers as their space, and the XObjects of a content are found."""

import pytest

from meterai.sealing.checking.colour_spaces import DEVICES, PATTERN, components
from meterai.sealing.pdf.content_operators import Colours, xobjects
from meterai.sealing.pdf.strict import StrictValue

SPACES = DEVICES | {"/C": 1, "/N": 5, "/P": PATTERN + 3}
FUNCTION: dict[str, StrictValue] = {"/FunctionType": 2, "/Domain": [0, 1], "/N": 1}

FIT = [
    b"1 sc .5 SC",
    b"0 0 0 rg 1 1 1 sc 0 0 0 1 K 1 1 1 1 SC",
    b"/C cs 1 scn/N CS .1 .2 .3 .4 .5 SCN",
    b"/DeviceRGB cs q /C cs 1 sc Q 1 1 1 sc",
    b"/Pattern cs /Tile scn /P cs 1 0 0 /Tile scn",
    b"(1 1 1 sc) Tj 1 sc % 1 1 sc\n[(g)1(k)]TJ 1 sc",
    b"/C#61 cs 1 scn",
    b"Q Q 1 g 1 sc",
]
NOT = [
    b"1 1 sc",
    b"/DeviceCMYK cs 1 sc",
    b"/DeviceRGB cs q /C cs Q 1 sc",
    b"/Zip cs",
    b"/Zip CS",
    b"/C cs sc",
    b"/C cs /Tile scn",
    b"/Pattern cs 1 /Tile scn",
    b"/Pattern cs 1 scn",
    b"0 0 0 rg 1 % 1 1 1\n sc",
]


@pytest.mark.parametrize("content", FIT)
def test_colours_that_fit(content: bytes) -> None:
    known = SPACES | {"/Ca": 1}
    assert Colours(known.get, PATTERN, known=1).fit(content)


@pytest.mark.parametrize("content", NOT)
def test_colours_that_readers_paint_differently(content: bytes) -> None:
    assert not Colours(SPACES.get, PATTERN, known=1).fit(content)


def test_a_form_has_no_space_of_its_own_before_it_names_one() -> None:
    assert not Colours(SPACES.get, PATTERN, known=None).fit(b"1 sc")
    assert Colours(SPACES.get, PATTERN, known=None).fit(b"1 g 1 sc")


def test_xobjects_are_found_by_name() -> None:
    content = b"/A Do q/B Do Q (/C Do) Tj % /D Do\n/E#20F\tDo /G Doo"
    assert xobjects(content) == {"/A", "/B", "/E F"}


@pytest.mark.parametrize(
    ("space", "wanted"),
    [
        ("/DeviceGray", 1),
        (["/CalRGB", {"/WhitePoint": [0.95, 1, 1.09]}], 3),
        (["/CalRGB", {}], None),
        (["/ICCBased", {"/N": 4}], 4),
        (["/Indexed", ["/Separation", "/Red", "/DeviceCMYK", FUNCTION], 1, b"ab"], 1),
        (["/DeviceN", ["/Red", "/None"], "/DeviceCMYK", FUNCTION], 2),
        (["/Pattern", "/DeviceRGB"], PATTERN + 3),
        ("/CalRGB", None),
        ("/G", None),
        (["/DeviceGray"], None),
        (["/ICCBased", {"/N": 2}], None),
        (["/Separation", "/None", "/DeviceGray", FUNCTION], None),
        (["/DeviceN", ["/None"], "/DeviceGray", FUNCTION], None),
        (["/Separation", "/Red", "/Zip", FUNCTION], None),
        (["/Indexed", "/Pattern", 1, b"ab"], None),
        (["/Lab"], None),
        ([], None),
        (7, None),
    ],
)
def test_how_many_numbers_a_colour_has(space: StrictValue, wanted: int | None) -> None:
    assert components(space, lambda value: value) == wanted
