"""The QR code: its modules equal those of another encoder, and its texts fit a small stamp."""

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from meterai.kit.serial import SerialMaker
from meterai.sealing import claim
from meterai.sealing.stamp import qr

VERSIONS = range(7, 13)
ENCODERS = {
    (version, odd): qr.Encoder(version, qr.capacity(version) - odd)
    for version in VERSIONS
    for odd in (0, 1)
}


def modules(code: qr.QrSymbol) -> list[list[int]]:
    """Rows with a number for each module; the padding of a row must be zero."""
    length = (code.modules + 7) // 8
    assert len(code.rows) == length * code.modules
    rows = []
    for start in range(0, len(code.rows), length):
        bits = "".join(f"{octet:08b}" for octet in code.rows[start : start + length])
        assert set(bits[code.modules :]) <= {"0"}
        rows.append([int(bit) for bit in bits[: code.modules]])
    return rows


def oracle(text: str, version: int) -> list[list[int]]:
    code = segno.make_qr(
        text, error="m", version=version, mode="alphanumeric", mask=qr.MASK, boost_error=False
    )
    return [list(row) for row in code.matrix]


@settings(deadline=None)
@given(st.data(), st.sampled_from(sorted(ENCODERS)))
def test_text_that_fills_version_equals_code_of_segno(data, which):
    encoder = ENCODERS[which]
    length = encoder.characters
    text = data.draw(st.text(qr.ALPHABET, min_size=length, max_size=length))
    assert modules(encoder.draw(text)) == oracle(text, encoder.version)


@settings(deadline=None, max_examples=25)
@given(st.text(qr.ALPHABET, min_size=1, max_size=qr.CHARACTERS_MAX))
def test_text_is_drawn_in_smallest_version_that_holds_it(text):
    encoder = qr.Encoder(qr.encoder_for(len(text)).version, len(text))
    code = encoder.draw(text)
    assert modules(code) == oracle(text, encoder.version)
    assert encoder.version == qr.VERSION_MIN or len(text) > qr.capacity(encoder.version - 1)
    assert code.modules == 17 + 4 * encoder.version


def test_check_address_leaves_room_for_claim():
    assert qr.ADDRESS_CHARACTERS_MAX + 1 + claim.CLAIM_CHARACTERS == qr.CHARACTERS_MAX
    serial = SerialMaker(7).make()
    assert qr.check_address("https://meterai.example/c/", serial) == (
        f"HTTPS://METERAI.EXAMPLE/C/{serial}"
    )
    longest = "https://meterai.example/".ljust(qr.ADDRESS_CHARACTERS_MAX - 23, "x")
    assert len(qr.check_address(longest, serial)) == qr.ADDRESS_CHARACTERS_MAX
    with pytest.raises(ValueError, match="at most 80"):
        qr.check_address(longest + "x", serial)
    with pytest.raises(ValueError, match="does not hold"):
        qr.check_address("https://meterai.example/c?s=", serial)
