"""Numbers of payments by which deposits pay sales: our own database is their provider."""

from uuid import UUID

from meterai.distribution.model import SaleKey
from meterai.kit.ids import compact, from_compact
from meterai.payments import WHOLESALE

METHOD = "deposit"
PREFIX = f"{WHOLESALE}:"
_LENGTH = 26  # of an identifier


def payment_number(account: UUID, sale: UUID) -> str:
    """The number of the payment by which a deposit pays a sale."""
    return f"{PREFIX}{compact(account)}{compact(sale)}"


def sale_of_payment(number: str) -> SaleKey:
    """The sale of a payment.  Raises `ValueError` for any other number."""
    text = number.removeprefix(PREFIX)
    return SaleKey(from_compact(text[:_LENGTH]), from_compact(text[_LENGTH:]))
