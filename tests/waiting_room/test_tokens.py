"""Tickets and turns: written ones are read, and all other texts are refused."""

import struct
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from meterai.waiting_room.model import TicketInvalid
from meterai.waiting_room.tokens import TEXT_LENGTH, LineTokens, Ticket, Turn

KEY = bytes(range(32))
OURS, ANOTHER = LineTokens(KEY), LineTokens(bytes(32))
LINE = UUID("00000000-0000-7000-8000-000000000b09")
TICKET = Ticket(LINE, 7, b"h" * 16, 1_790_000_000_000, 60, 600)
TURN = Turn(LINE, 7, b"h" * 16, 1_790_000_000_000, 1_790_000_900_000)
TEXT = OURS.ticket(TICKET)

_long = some.integers(0, 2**64 - 1)
_short = some.integers(0, 2**32 - 1)
_holders = some.binary(min_size=16, max_size=16)


def is_refused(text: str | bytes) -> bool:
    """True if both readers refuse the text by name."""
    for read in (OURS.read_ticket, OURS.read_turn):
        with pytest.raises(TicketInvalid) as refused:
            read(text)
        assert refused.value.code == "ticket_invalid"
    return True


@given(some.uuids(), _long, _holders, _long, _short, _short)
def test_ticket_is_read_as_written(
    line: UUID, number: int, holder: bytes, at: int, low: int, high: int
) -> None:
    ticket = Ticket(line, number, holder, at, low, high)
    text = OURS.ticket(ticket)
    assert OURS.read_ticket(text) == OURS.read_ticket(text.encode()) == ticket
    assert len(text) == TEXT_LENGTH
    assert text.replace("-", "").replace("_", "").isalnum()  # a cookie takes it unquoted


def test_bound_and_early_turns_have_own_kinds() -> None:
    turns = [
        TURN._replace(is_early=is_early, is_bound=is_bound)
        for is_early in (False, True)
        for is_bound in (False, True)
    ]
    assert [OURS.read_turn(OURS.turn(turn)) for turn in turns] == turns
    assert len({OURS.turn(turn) for turn in turns}) == 4


def test_token_with_a_flipped_bit_is_refused() -> None:
    content = bytearray(urlsafe_b64decode(TEXT + "=" * (-len(TEXT) % 4)))
    for bit in range(8 * len(content)):
        content[bit // 8] ^= 1 << bit % 8
        assert is_refused(urlsafe_b64encode(content).rstrip(b"="))
        content[bit // 8] ^= 1 << bit % 8


@pytest.mark.parametrize(
    "text",
    [
        TEXT + "=",
        TEXT + "==",
        TEXT + "A",
        " " + TEXT[1:],
        TEXT[:-1] + "\n",
        TEXT[:-2] + "==",
        b64encode(urlsafe_b64decode(TEXT + "=" * (-len(TEXT) % 4))).decode() + "x",
        TEXT.swapcase(),
        "\N{FULLWIDTH LATIN CAPITAL LETTER A}" * TEXT_LENGTH,
        "\ud800" * TEXT_LENGTH,
        b"\xff" * TEXT_LENGTH,
        b"\x00" * TEXT_LENGTH,
        "=" * TEXT_LENGTH,
        "-" * TEXT_LENGTH,
        "",
    ],
    ids=repr,
)
def test_non_canonical_token_is_refused(text: str | bytes) -> None:
    assert is_refused(text)


def test_ticket_and_turn_are_not_interchangeable() -> None:
    with pytest.raises(TicketInvalid, match="kind"):
        OURS.read_turn(TEXT)
    with pytest.raises(TicketInvalid, match="kind"):
        OURS.read_ticket(OURS.turn(TURN))


def test_token_of_another_key_is_refused() -> None:
    assert is_refused(ANOTHER.ticket(TICKET))
    assert is_refused(ANOTHER.turn(TURN))


@pytest.mark.parametrize("wrong", [{"number": 2**64}, {"high": 2**32}])
def test_value_out_of_range_is_never_truncated(wrong: dict[str, Any]) -> None:
    """A number or range above the limit is a fault of ours, not another number."""
    try:
        text = OURS.ticket(TICKET._replace(**wrong))
    except (struct.error, OverflowError):
        return
    assert OURS.read_ticket(text) == TICKET._replace(**wrong)
