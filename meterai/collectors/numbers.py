"""Numbers of payments by which a collector's credit pays orders: our own database is their provider."""

from typing import NamedTuple
from uuid import UUID

from meterai.kit.ids import compact, from_compact
from meterai.payments import CREDIT

METHOD = "credit"
PREFIX = f"{CREDIT}:"
_LENGTH = 26  # of an identifier


class DrawKey(NamedTuple):
    """Whose draw, and which."""

    account: UUID
    draw: UUID


def payment_number(account: UUID, draw: UUID) -> str:
    """The number of the payment by which credit pays an attempt; sql/functions/credit_number.sql has the same."""
    return f"{PREFIX}{compact(account)}{compact(draw)}"


def draw_of_payment(number: str) -> DrawKey:
    """The draw of a payment.  Raises `ValueError` for any other number."""
    text = number.removeprefix(PREFIX)
    return DrawKey(from_compact(text[:_LENGTH]), from_compact(text[_LENGTH:]))
