"""What a page may paint under a later box, by the boxes of its operations alone."""

from typing import Any

import pytest

from meterai.sealing.checking.graphics import Reader
from meterai.sealing.checking.painted import OPERATIONS_MAX, refuse_if_painted
from meterai.sealing.sandbox.rendering import NotDrawn

BOX = (300.0, 300.0, 450.0, 360.0)
HELVETICA = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
WORDS = b"BT /F 24 Tf 310 320 Td (Rahasia) Tj ET"
HALF = {"/FunctionType": 2, "/Domain": [0, 1], "/C0": [1], "/C1": [1], "/N": 1}


DOWN, UP = b".000001 0 0 .000001 0 0 cm ", b"1000000 0 0 1000000 0 0 cm "


def composite(encoding, embedded=True):
    below = {"/W": [36, [500, 500], 60, 70, 250], "/DW": 1000}
    if embedded:
        below["/FontDescriptor"] = {"/FontFile2": {}}
    return {
        "/Subtype": "/Type0",
        "/Encoding": encoding,
        "/DescendantFonts": [below],
        "/ToUnicode": b"1 beginbfchar <0003> <0020> endbfchar",
    }


RESOURCES: dict[str, Any] = {
    "/Font": {
        "/F": HELVETICA,
        "/Z": {**HELVETICA, "/FirstChar": 0, "/Widths": [0] * 256},
        "/N": {**HELVETICA, "/FirstChar": 0, "/Widths": [-500] * 256},
        "/D": {**HELVETICA, "/Encoding": {"/Differences": [31, "/A", "/B"]}},
        "/S": {**HELVETICA, "/Encoding": {"/Differences": [31, "/A", "/space"]}},
        "/C": {**HELVETICA, "/BaseFont": "/Courier"},
        "/I": composite("/Identity-H"),
        "/O": composite("/Identity-H", embedded=False),
        "/V": composite("/Identity-V"),
        "/M": composite({"/CMapName": "/Own"}),
        "/T": {
            "/Subtype": "/Type3",
            "/FontMatrix": [0.01, 0, 0, 0.01, 0, 0],
            "/FontBBox": [0, -1000, 200, 3000],
            "/FirstChar": 97,
            "/Widths": [100],
        },
    },
    "/ColorSpace": {
        "/Black": ["/Separation", "/Black", "/DeviceGray", HALF],
        "/Calm": ["/CalGray", {"/WhitePoint": [0.95, 1, 1.09]}],
        "/List": ["/Indexed", "/DeviceGray", 1, b"\0\0"],
    },
    "/ExtGState": {
        "/Over": {"/op": True},
        "/Not": {"/op": False, "/BM": "/Normal", "/TR": "/Identity"},
        "/Other": {"/BM": "/Normal"},
        "/Type": {"/Font": [HELVETICA, 24]},
        "/Wide": {"/LW": 200},
        "/Dashed": {"/D": [[0, 99], 0]},
        "/Clear": {"/ca": 0},
        "/Masked": {"/SMask": {"/S": "/Alpha"}},
        "/Bare": {"/SMask": "/None"},
    },
    "/XObject": {
        "/Form": {
            "/Subtype": "/Form",
            "/BBox": [0, 0, 595, 842],
            "/Matrix": [1, 0, 0, 1, 100, 100],
            "/Content": b"BT /F 24 Tf 210 220 Td (Rahasia) Tj ET",
        },
        "/Away": {
            "/Subtype": "/Form",
            "/BBox": [0, 0, 100, 100],
            "/Content": b"BT /F 24 Tf 310 320 Td (Rahasia) Tj ET",
        },
        "/Knock": {
            "/Subtype": "/Form",
            "/BBox": [0, 0, 595, 842],
            "/Group": {"/K": True},
            "/Content": b"",
        },
        "/Plain": {
            "/Subtype": "/Form",
            "/BBox": [0, 0, 595, 842],
            "/Content": b"310 310 40 10 re f",
        },
        "/Self": {"/Subtype": "/Form", "/BBox": [0, 0, 595, 842], "/Content": b"/Self Do"},
        "/Image": {"/Subtype": "/Image"},
        "/Ink": {
            "/Subtype": "/Image",
            "/ColorSpace": ["/Separation", "/Black", "/DeviceGray", HALF],
        },
        "/Inks": {
            "/Subtype": "/Image",
            "/ColorSpace": ["/Indexed", ["/DeviceN", ["/Black"], "/DeviceGray", HALF], 1, b"ab"],
        },
        "/Listed": {"/Subtype": "/Image", "/ColorSpace": ["/Indexed", "/DeviceRGB", 0, b"abc"]},
        "/Line": {"/Subtype": "/Form", "/BBox": [0, 0, 0, 0], "/Content": WORDS},
        "/Mask": {"/Subtype": "/Image", "/ImageMask": True},
    },
}


def is_painted(*parts):
    def resolved(value):
        return value

    def content(value):
        return [value["/Content"]]

    def data(value):
        return value or b""

    try:
        refuse_if_painted(Reader(resolved, content, data), parts, RESOURCES, [BOX])
    except NotDrawn:
        return True
    return False


@pytest.mark.parametrize(
    "content",
    [
        WORDS,
        b"BT /F 24 Tf 1 0 0 1 310 320 Tm (Rahasia) Tj ET",
        b"BT /F 24 Tf 400 TL 310 720 Td T* (Rahasia) Tj ET",
        b"BT /F 24 Tf 310 720 Td 0 -400 TD T* 0 400 Td (Rahasia) Tj ET",
        b"BT /F 24 Tf 400 TL 310 720 Td (Rahasia) ' ET",
        b'BT /F 24 Tf 400 TL 310 720 Td 1 1 (Rahasia) " ET',
        b"BT /F 24 Tf 10 320 Td [-13000 (Rahasia)] TJ ET",
        b"BT /F 24 Tf 10 320 Td (Rahasia) Tj [-10000 (R)] TJ ET",
        b"BT /F 24 Tf 200 Tc 10 320 Td (Rahasia) Tj ET",
        b"BT /F 24 Tf 300 Tw 10 320 Td ( R) Tj ET",
        b"BT /F 24 Tf 10 320 Td 400 Tz (Rahasia) Tj ET",
        b"BT /F 24 Tf 10 20 Td 300 Ts (Rahasia Rahasia Rahasia Rahasia) Tj ET",
        b"BT /F 200 Tf 250 320 Td (W) Tj ET",
        b"BT /F -24 Tf 440 340 Td (Rahasia) Tj ET",
        b"BT /Z 200 Tf 250 320 Td (W) Tj ET",
        b"BT /N 24 Tf 480 320 Td (          R) Tj ET",
        b"BT /D 24 Tf 310 320 Td (  ) Tj ET",
        b"BT /C 24 Tf 250 320 Td (iiiii) Tj ET",
        b"BT /I 24 Tf 310 320 Td <0024> Tj ET",
        b"BT /I 24 Tf 200 320 Td <00030003000300030024> Tj ET",
        b"BT /O 24 Tf 310 320 Td <0003> Tj ET",
        b"BT /V 24 Tf 310 600 Td <%b> Tj ET" % (b"0024" * 20),
        b"BT /M 24 Tf 200 320 Td <2424242424> Tj ET",
        b"BT /T 10 Tf 310 100 Td (a) Tj ET",
        b"BT /T 10 Tf 3 Tr 310 320 Td (a) Tj ET",
        b"BT /F 24 Tf 7 Tr 310 320 Td (Rahasia) Tj ET",
        b"/Type gs BT 310 320 Td (Rahasia) Tj ET",
        b"0.5 0 0 0.5 0 0 cm BT /F 48 Tf 620 640 Td (Rahasia) Tj ET",
        b"q 1 0 0 1 900 900 cm Q " + WORDS,
        b"% (\n" + WORDS,
        b"/OC <</Type/OCG/Name(a>>b)>> BDC " + WORDS + b" EMC",
        b"1 g BT /T 10 Tf 310 320 Td (a) Tj ET",
        b"BT /T 90 Tf 200 320 Td (a) Tj ET",
        b"BT /F 24 Tf 0 Tz 200 320 Td (Rahasia Rahasia) Tj ET",
        b"0 0 m W n 5 5 0 0 re W n " + WORDS,
        b"/Line Do",
        b"q 10 0 0 10 310 310 cm /Ink Do Q",
        b"q 10 0 0 10 310 310 cm /Inks Do Q",
        b"/Form Do",
        b"/Knock Do",
        b"/Self Do",
        b"1 g 1 G 2 Tr /Black CS 1 SCN " + WORDS,
        b"/Black cs 1 scn 310 310 40 10 re f",
        b"/List cs 1 sc 310 310 40 10 re f",
        b"/Pattern cs /P scn 310 310 m 320 320 l 310 320 l h f",
        b"/Zip cs 1 sc 310 310 40 10 re f",
        b"/Black CS 1 SCN 20 w 200 290 m 500 290 l S",
        b"/Black CS 1 SCN /Wide gs 200 200 m 500 200 l S",
        b"/Black cs 1 scn 310 310 40 10 re 500 500 m b*",
        b"/Over gs 1 g 310 310 40 10 re f",
        b"/Over gs /Other gs 1 g 310 310 40 10 re f",
        b"/Over gs q /Not gs Q 1 g 310 310 40 10 re f",
        b"/S sh",
        b"310 310 40 10 re W n /S sh",
        b"/Pattern cs /P scn q 10 0 0 10 310 310 cm /Mask Do Q",
        b"0.9 g 0 0 595 842 re f 1 g " + WORDS,
        b"q 595 0 0 842 0 0 cm /Image Do Q 1 g " + WORDS,
        b"q " * (OPERATIONS_MAX + 1),
        b"q %b%b 310 310 40 10 re f Q" % (DOWN * 8, UP * 8),
        b"q %b%b Q q %b%b /Image Do Q" % (DOWN * 8, UP * 8, UP * 8, DOWN * 8),
        b"1 0 0 1 99999999 0 cm 1 0 0 1 -99999999 0 cm 310 310 40 10 re f",
        b"q 1 0 0 1 99999999 0 cm BT /F 9 Tf (a) Tj ET Q",
        b"BT 1 0 0 1 99999999 0 Tm ET 310 310 40 10 re f",
        b"1 0 0 0 0 330 cm 300 0 150 60 re f",
        b"q 310 320 40 0 re W n 310 310 40 10 re f Q",
        b"q W n 310 310 40 10 re f Q",
        b"q 310 310 m 350 350 l 310 310 l W n 310 310 40 10 re f Q",
        b"BT 7 Tr ET 310 310 40 10 re f",
        b"BT /F 9 Tf 7 Tr 10 10 Td ( ) Tj 310 310 40 10 re f ET",
        b"1 J 9 w 320 320 0 0 re S",
        b"1 J 9 w 320 320 m 320 320 320 320 320 320 c S",
        b"1 J 9 w 100 100 m 200 200 l 320 320 m 320 320 320 320 320 320 c h S",
        b"-9 w 310 310 m 350 310 l S",
        b"[0 99] 0 d 9 w 310 310 m 350 310 l S",
        b"[-5 5] 0 d 9 w 310 310 m 350 310 l S",
        b"[.00001 .00001] 0 d 9 w 310 310 m 350 310 l S",
        b"/Dashed gs 9 w 310 310 m 350 310 l S",
        b"20 w -299650 -899670 m 300350 900330 l S",
        b"-2000000 300 2000310 60 re f",
        b"1000 0 0 1000 0 0 cm -300 -900 m 300 900 l S",
        b"/Clear gs /Plain Do",
        b"/Masked gs 310 310 40 10 re f",
    ],
)
def test_what_no_renderer_may_show_is_noticed(content):
    assert is_painted(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"1 g " + WORDS,
        b"1 1 1 rg " + WORDS,
        b"0 0 0 0 k " + WORDS,
        b"/Calm cs 1 sc " + WORDS,
        b"1 g 0 0 595 842 re f " + WORDS,
        b"BT /F 24 Tf 3 Tr 310 320 Td (Rahasia) Tj ET",
        b"BT /F 24 Tf 200 320 Td (Surat) Tj ET",
        b"BT /F 24 Tf 310 363 Td (Surat) Tj ET",
        b"BT /F 24 Tf 310 285 Td (Surat) Tj ET",
        b"BT /F 24 Tf 310 320 Td (    ) Tj ET",
        b"BT /F 24 Tf 250 320 Td (i          ) Tj ET",
        b"BT /S 24 Tf 310 320 Td (    ) Tj ET",
        b"BT /I 24 Tf 310 320 Td <0003> Tj ET",
        b"BT /I 24 Tf 270 320 Td <00240025> Tj ET",
        b"BT /I 24 Tf 270 320 Td <003C003D003E003F> Tj ET",
        b"q 10 10 50 50 re W n " + WORDS + b" Q",
        b"10 10 50 50 re W n /S sh",
        b"0 g 310 310 40 10 re f",
        b"/Black cs 1 scn 10 10 40 10 re f",
        b"/Black cs 1 scn 0 g 310 310 40 10 re f",
        b"q /Black cs 1 scn Q 310 310 40 10 re f",
        b"/Over gs /Not gs 310 310 40 10 re f",
        b"/Calm cs .5 sc 310 310 40 10 re f",
        b"/Away Do",
        b"/Missing Do",
        b"q 10 0 0 10 310 310 cm /Listed Do Q",
        b"q 595 0 0 842 0 0 cm /Image Do Q",
        b"q .00001 0 0 .00001 0 0 cm 31000000 31000000 4000000 1000000 re f Q",
        b"q %b%b Q 310 310 40 10 re f" % (DOWN * 8, UP * 8),
        b"q 0 0 0 0 10 10 cm 310 310 40 10 re f Q",
        b"q 10 320 40 0 re W n Q 310 310 40 10 re f",
        b"q 10 10 m W n 10 310 40 10 re f Q",
        b"q BT 7 Tr ET 10 310 40 10 re f Q 310 310 40 10 re f",
        b"1 J 9 w 320 320 m 320 320 l S",
        b"1 J 9 w 20 320 0 0 re S",
        b"1 J 9 w 310 310 m 350 350 350 350 350 350 c S",
        b"1 J [0 9] 0 d 9 w 310 310 m 350 310 l S",
        b"[3 0] 0 d [] 0 d 9 w 310 310 m 350 310 l S",
        b"-32768 -32768 65536 65536 re f",
        b"20 w -3000 -9000 m 3000 9000 l S",
        b"/Clear gs 310 310 40 10 re f",
        b"/Masked gs /Bare gs 310 310 40 10 re f",
    ],
)
def test_what_all_readers_show_or_nobody_is_not(content):
    assert not is_painted(content)


def test_an_inline_image_is_paper_of_another_colour():
    white = b"1 g " + WORDS
    assert not is_painted(b"q 595 0 0 842 0 0 cm", b"Q")
    assert is_painted(b"q 595 0 0 842 0 0 cm", b"Q " + white)
