"""drand's rounds: real ones of quicknet, those of the stand-in, and invalid ones."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.draw.protocol.chain import (
    QUICKNET,
    QUICKNET_HASH,
    RoundForged,
    first_round_at,
    hash_of,
    randomness_of,
    time_of,
)
from standins.drand import ROUNDS, signature_of
from tests.support.draws import CHAIN

# Rounds served by quicknet's relays.
REAL = {
    123: "b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482"
    "e26cd02df835d3546d23c4b13e0dfc92",
    1000: "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125"
    "e342b73a8dd2bacbe47e4b6b63ed5e39",
}


def test_quicknet_has_its_known_hash() -> None:
    assert hash_of(QUICKNET) == QUICKNET_HASH


@pytest.mark.parametrize("number", REAL)
def test_real_round_is_valid(number: int) -> None:
    expected = hashlib.sha256(bytes.fromhex(REAL[number])).digest()
    assert randomness_of(QUICKNET, number, REAL[number]) == expected


@pytest.mark.parametrize("number", [1, 2, 77, ROUNDS])
def test_round_of_the_stand_in_is_valid(number: int) -> None:
    assert len(randomness_of(CHAIN, number, signature_of(number))) == 32
    with pytest.raises(RoundForged):
        randomness_of(QUICKNET, number, signature_of(number))


@pytest.mark.parametrize("number", [1, 999, 1001, 0, -1, 1 << 63, 1 << 70])
def test_signature_is_valid_for_one_round(number: int) -> None:
    with pytest.raises(RoundForged):
        randomness_of(QUICKNET, number, REAL[1000])


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "00",
        "zz" * 48,
        REAL[1000].upper(),
        REAL[1000] + "00",
        "c0" + "00" * 47,
        "é" * 96,
        "٣" * 96,
    ],
)
def test_malformed_signature_is_refused(signature: str) -> None:
    with pytest.raises(RoundForged):
        randomness_of(QUICKNET, 1000, signature)


@given(st.integers(0, 1 << 36), st.sampled_from([CHAIN, QUICKNET]))
def test_first_round_after_a_time_is_computed(at: int, chain) -> None:
    number = first_round_at(chain, at)
    assert time_of(chain, number) >= at
    assert number == 1 or time_of(chain, number - 1) < at
