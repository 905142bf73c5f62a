"""Serials: unique, and no typing error makes another valid one."""

from itertools import chain

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from meterai.kit.ids import ALPHABET, encode
from meterai.kit.serial import CHECK_MODULUS, LEASE_LIMIT, LENGTH, UNLEASED, Serial, SerialMaker


def serial_of(body: int) -> Serial:
    return Serial(encode(body, 20) + encode(body % CHECK_MODULUS, 2))


SERIALS = st.integers(0, 32**20 - 1).map(serial_of)


@given(SERIALS, st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_refused(serial: Serial, place: int, letter: str) -> None:
    assume(serial.text[place] != letter)
    with pytest.raises(ValueError, match="check"):
        Serial(serial.text[:place] + letter + serial.text[place + 1 :])


@given(SERIALS, st.integers(0, LENGTH - 2))
def test_two_swapped_neighbours_are_refused(serial: Serial, place: int) -> None:
    one, other = serial.text[place], serial.text[place + 1]
    assume(one != other)
    with pytest.raises(ValueError, match="check"):
        Serial(serial.text[:place] + other + one + serial.text[place + 2 :])


def test_every_single_slip_of_one_serial_is_refused() -> None:
    text = SerialMaker(5).make().text
    slips = {
        text[:place] + letter + text[place + 1 :] for place in range(LENGTH) for letter in ALPHABET
    } | {
        text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        for place in range(LENGTH - 1)
    }
    for slip in slips - {text}:
        with pytest.raises(ValueError, match="check"):
            Serial(slip)


@given(st.text(max_size=30))
@example("")
@example("I" * LENGTH)
def test_any_other_text_is_refused_with_a_value_error(text: str) -> None:
    for read in (Serial, Serial.typed):
        try:
            found = read(text)
        except ValueError:
            continue
        assert len(found.text) == LENGTH


def test_serials_of_several_makers_are_distinct() -> None:
    makers = [SerialMaker(lease) for lease in (0, 1, 511, LEASE_LIMIT - 1, UNLEASED)]
    made = [maker.make().text for _ in range(40_000) for maker in makers]
    assert len(set(made)) == len(made) == 200_000


def test_clock_stepping_backwards_makes_distinct_serials(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_800_000_000_000_000_000
    times = chain([now], iter([now - 3_600_000_000_000] * 3_000))
    monkeypatch.setattr("meterai.kit.serial.time.time_ns", lambda: next(times))
    maker = SerialMaker(3)
    heads = [maker.make().text[:12] for _ in range(3_000)]
    assert heads == sorted(set(heads))


@given(SERIALS)
def test_printed_serial_can_be_typed(serial: Serial) -> None:
    printed = serial.grouped()
    assert Serial.typed(printed) == serial
    assert Serial.typed(printed.lower().replace(" ", "-")) == serial
    for parting in ("\u2013", "\u2212", ".", "/", "\u2009", "\u200b", "\u00a0"):
        assert Serial.typed(printed.replace(" ", parting)) == serial
    assert Serial.typed(printed.replace("0", "O").replace("1", "l")) == serial
