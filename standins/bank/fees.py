"""Fees of the bank, and the value added tax on them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fees:
    """Amounts in rupiah.  By default this bank costs nothing, as QRIS does for payments to the state."""

    qris_basis_points: int = 0  # hundredths of a percent of a payment by QR (MDR)
    virtual_account: int = 0  # for each payment
    transfer: int = 0  # for each transfer, paid from the account that is debited
    vat_percent: int = 11  # of a fee for a payment
    is_returned: bool = False  # with a payment that goes back whole

    def of_payment(self, amount: int, *, is_virtual_account: bool) -> tuple[int, int]:
        """Fee and tax of one payment, each rounded half up."""
        share = (amount * self.qris_basis_points + 5_000) // 10_000
        fee = self.virtual_account if is_virtual_account else share
        return fee, (fee * self.vat_percent + 50) // 100
