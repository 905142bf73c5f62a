"""A content is plain, or readers may not draw it alike."""

import base64
import zlib

import pytest

from meterai.sealing.pdf.content import (
    CONTENT_BYTES_MAX,
    decoded,
    is_divided_between_tokens,
    is_plain,
)

PLAIN = [
    b"",
    b"q 1 0 0 -1 .5 +7. cm /F1 12 Tf BT (a(b\\)(c))d) Tj <61 62> Tj [(x)-3 .4(y)]TJ ET Q",
    b"/Span<</MCID 0/E(x)>>BDC 1 0 0 rg 0 0 9 9 re f* EMC\r%of it\r\nS",
    b"0 0 9 9 re W n % at the end",
    b"(a)' 1 2(b)\"",
    b"[2 3]0 d/P scn 1 .2 .3 .4 .5 scn 1/P scn/GS gs/x<</y[1(z)]>>DP 0 0 1 0 0 1 d1",
    b"q BI/W 2/H 2/BPC 8/CS/G ID 1EI4 EI Q",
    b"q BI/W 9/H 2/BPC 8/CS/G ID EI \x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e EI Q",
    b"BI/IM true/W 9/H 2/BPC 1/D[1 0]\nID 1234\nEI",
    b"BI/W 2/H 1/BPC 8/CS[/I/RGB 1<000000ffffff>]ID \0\1EI",
    b"BI/W 9/H 9/BPC 8/CS/G/F/Fl ID %b EI Q" % zlib.compress(bytes(81)),
    b"BI/W 1/H 1/BPC 8/CS/G/F[/A85]ID 5u~>EI",
    b"BI/W 9/H 9/IM true/F/CCF/DP<</K -1>>ID abc EI Q",
]
ODD = [
    b"--5 0 m",
    b"5- 0 m",
    b"0 m",
    b"0 0 0 m",
    b"0 /D 0 m",
    b"(x) 12 Tf",
    b"/F1 Tf",
    b"9 9 re",
    b"[0 (x)",
    b"g",
    b"0] 0 m",
    b"1e3 0 m",
    b"9999999999 0 m",
    b"0 0 9 9 ref",
    b"0 0 9 9 re paint",
    b"0 0 9 9 re\x0bf",
    b"0 0 9 9 re\x7ff",
    b"0 0 9 9 re}f",
    b"(a( Tj",
    b"<6x> Tj",
    b"%a\0\n f",
    b"BI/W 2/H 2/BPC 8/CS/G ID 1234 f",
    b"BI/W 2/Width 1/H 2/BPC 8/CS/G ID 1234 EI",
    b"BI/W 2/H 2/BPC 8/CS/G/X 1 ID 1234 EI",
    b"BI/W 2/H 2/BPC 8/CS/G/F/X ID 1234 EI",
    b"BI/W 2/H 2/BPC 8/CS/G/F[/AHx/X] ID 41424344> EI",
    b"BI/W 2/H 2/BPC 8/CS/G/F/JPX ID 1234 EI",
    b"BI/W 24/H 1/BPC 8/CS/G ID EI Q BT (A) Tj ET q BI/W EI Q",  # pdf.js ends it at once
    b"BI/W 9/H 1/BPC 8/CS/G ID 12345EI Q\nEI Q",
    b"BI/W 2/H 2/BPC 8/CS/Cs1 ID 1234 EI",
    b"BI/W 2/H 2/CS/G ID 1234 EI",
    b"BI/W 9/H 9/IM true/F/CCF ID abc EI 0 0 9 9 re f EI",
    b"BI/W 9/H 9/BPC 8/CS/G/F/Fl ID abc EI",
    b"BI/W 9/H 9/BPC 8/CS/G/F/Fl ID %b EI" % zlib.compress(bytes(81))[:-4],
    b"Q" * (CONTENT_BYTES_MAX + 1),
]


@pytest.mark.parametrize("content", PLAIN)
def test_what_the_standard_has_is_plain(content):
    assert is_plain(content)


@pytest.mark.parametrize("content", ODD, ids=lambda content: content[:40])
def test_what_readers_take_in_different_ways_is_not(content):
    assert not is_plain(content)


def test_filters_are_undone_one_after_another():
    packed = base64.a85encode(zlib.compress(b"0 0 9 9 re f"), adobe=False) + b"~>\n"
    assert decoded(packed, ["/ASCII85Decode", "/FlateDecode"]) == b"0 0 9 9 re f"
    assert decoded(b"66 2\n>", ["/ASCIIHexDecode"]) == b"f "


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (zlib.compress(b"f")[:-1], "/FlateDecode"),
        (b"f", "/FlateDecode"),
        (b"zz~", "/ASCII85Decode"),
        (b"6x", "/ASCIIHexDecode"),
        (b"f", "/Crypt"),
    ],
)
def test_damaged_data_and_other_filters_have_no_content(data, name):
    assert decoded(data, [name]) is None


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [b"q 1 0 0"],
        [b"q 1 0 0 ", b"", b"rg (a(b)c)", b"Tj [(x) 3", b" (y)]TJ % end\n", b"/N<41>", b">Q"],
        [b"Q\n", b"q\r", b"/Span<</MCID 0", b"/E(x)>>BDC", b" EMC"],
        [b"q BI/W 2/H 2/BPC 8/CS/G ID 1%(4 EI Q ", b"BI /W 2/H 1/BPC 8/CS/G ID 12 EI\n", b"Q"],
    ],
)
def test_pieces_that_end_with_a_token(pieces):
    assert is_divided_between_tokens(pieces)


@pytest.mark.parametrize(
    "pieces",
    [
        [b"q", b"Q"],
        [b"0 0 0", b"", b"0 k"],
        [b"/", b"F1 12 Tf"],
        [b"(a", b"b)Tj"],
        [b"<4 ", b" 1>Tj"],
        [b"q %", b"Q"],
        [b"q % Q", b"\nQ"],
        [b"q BI/W 2/H 2/BPC 8/CS/G ID 12", b"4 EI Q"],
        [b"q BI", b"/W 2/H 2/BPC 8/CS/G ID 1234 EI Q"],
    ],
)
def test_pieces_within_a_token(pieces):
    assert not is_divided_between_tokens(pieces)
