"""Fees of the bank, and the value added tax on them.

POST /standin/fees changes fees for later payments; the names are those of the members of `Fees`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from sqlite3 import Connection
from typing import Any

from standins.refusal import NotUnderstood

SCHEMA = """
CREATE TABLE IF NOT EXISTS fees (
    only  INTEGER PRIMARY KEY CHECK (only = 1),
    facts TEXT NOT NULL
);
"""
NUMBER_MAX = 1_000_000  # rupiah, or hundredths of a percent; a larger one is a typing error


@dataclass(frozen=True, slots=True)
class Fees:
    """Fees in rupiah unless noted. By default all are zero, as QRIS fees are for payments to the state."""

    qris_basis_points: int = 0  # hundredths of a percent of a payment by QR (MDR)
    virtual_account: int = 0  # for each payment
    transfer: int = 0  # for each transfer, paid from the account that is debited
    vat_percent: int = 11  # of a fee for a payment
    is_returned: bool = False  # with a payment that goes back whole

    def of_payment(self, amount: int, *, is_virtual_account: bool) -> tuple[int, int]:
        """Return fee and tax of a payment in rupiah, each rounded half up."""
        share = (amount * self.qris_basis_points + 5_000) // 10_000
        fee = self.virtual_account if is_virtual_account else share
        return fee, (fee * self.vat_percent + 50) // 100


class Tariff:
    """The current fees: those of the start, or of the latest change."""

    def __init__(self, connection: Connection, given: Fees) -> None:
        self._connection = connection
        row = connection.execute("SELECT facts FROM fees").fetchone()
        self.fees = given if row is None else Fees(**json.loads(row[0]))

    def change(self, wanted: Mapping[str, object]) -> None:
        """Change the fees that are named. Refuses `NotUnderstood`."""
        known = asdict(self.fees)
        for name, value in wanted.items():
            is_fit = isinstance(value, int) and 0 <= value <= NUMBER_MAX
            if not is_fit or type(value) is not type(known.get(name)):
                raise NotUnderstood(f"{name}: fees are {', '.join(known)}")
        changes: dict[str, Any] = dict(wanted)
        self.fees = replace(self.fees, **changes)
        self._connection.execute(
            "INSERT INTO fees (only, facts) VALUES (1, ?)"
            " ON CONFLICT (only) DO UPDATE SET facts = excluded.facts",
            (json.dumps(asdict(self.fees)),),
        )
