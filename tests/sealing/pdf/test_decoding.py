"""Rows of cross-reference streams, with each predictor."""

import random
import zlib

import pytest

from meterai.sealing.pdf.decoding import ReadBudget, stream_rows
from meterai.sealing.pdf.syntax import Dictionary

WIDTH = 5


def predicted(rows, kind):
    """The deflated rows. With `kind` 2, each row is the difference to the row above."""
    above, out = bytes(WIDTH), b""
    for row in rows:
        written = bytes((one - up) & 0xFF for one, up in zip(row, above, strict=True))
        out += bytes([kind]) + (written if kind == 2 else row)
        above = row
    return zlib.compress(out)


@pytest.mark.parametrize("kind", [0, 2])
@pytest.mark.parametrize("count", [0, 1, 2, 254, 255, 256, 257, 700])
def test_predicted_rows_are_decoded(count, kind):
    noise = random.Random(count)
    rows = [noise.randbytes(WIDTH) for _ in range(count)]
    parameters = b"/DecodeParms<</Predictor 12/Columns %d>>" % WIDTH
    entries = Dictionary(b"<</Filter/FlateDecode%b>>" % parameters, 0)
    found = stream_rows(predicted(rows, kind), entries, WIDTH, ReadBudget())
    assert found.count == count
    assert [found.row(index) for index in range(count)] == rows
    assert found.columns() == [bytes(row[offset] for row in rows) for offset in range(WIDTH)]
