"""Images that are whole are: the data of every filter are followed to their end."""

import io

import pytest
from PIL import Image as Picture
from PIL.TiffImagePlugin import TiffImageFile

from meterai.sealing.checking.image_data import Image, is_whole


def image(name, wide=64, high=64, bits=1, **parameters):
    return Image(wide, high, bits, [name], {f"/{key}": one for key, one in parameters.items()})


@pytest.fixture(scope="module")
def fax():
    """A square in a square, as a fax of group 4."""
    drawn = Picture.new("1", (64, 64), 1)
    drawn.paste(0, (10, 10, 40, 50))
    out = io.BytesIO()
    drawn.save(out, "TIFF", compression="group4")
    with Picture.open(io.BytesIO(out.getvalue())) as opened:
        assert isinstance(opened, TiffImageFile)
        offset, length = (opened.tag_v2[tag][0] for tag in (273, 279))
    return out.getvalue()[offset : offset + length]


def test_a_fax_is_whole_in_its_size(fax):
    assert is_whole(image("/CCITTFaxDecode", K=-1, Columns=64), fax)
    assert not is_whole(image("/CCITTFaxDecode", K=-1, Columns=64), b"\1\2\3\4")
    assert not is_whole(image("/CCITTFaxDecode", K=-1, Columns=72), fax)
    assert not is_whole(image("/CCITTFaxDecode", K=-1), fax)
    assert not is_whole(image("/CCITTFaxDecode", K=-1, Columns=64, EndOfLine=True), fax)


def segment(number, kind, data):
    return number.to_bytes(4) + bytes([kind, 0, 1]) + len(data).to_bytes(4) + data


def test_segments_are_followed_to_the_end():
    page = segment(0, 48, (64).to_bytes(4) * 2 + bytes(11))
    drawn = segment(1, 38, bytes(30))
    assert is_whole(image("/JBIG2Decode"), page + drawn)
    for data in (b"", b"junkjunkjunk", drawn, page + drawn[:-1], page + drawn + b"\0"):
        assert not is_whole(image("/JBIG2Decode"), data)
    assert not is_whole(image("/JBIG2Decode", wide=65), page + drawn)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\xc1\0" * 8 + b"\x80", True),
        (b"\xc1\0" * 8, True),
        (b"\x3f" + bytes(64) + b"\xc1\0" * 7, True),
        (b"\xc1\0" * 7 + b"\x80", False),
        (b"\x80" + b"\xc1\0" * 8, False),
        (b"\xc1\0" * 7 + b"\x3f\0", False),
    ],
)
def test_runs_fill_the_image(data, expected):
    assert is_whole(image("/RunLengthDecode", high=8, bits=8), data) is expected
