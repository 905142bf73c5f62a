"""Settings of the comparison of records of providers and banks with the books."""

import re
from typing import NamedTuple

import msgspec

from meterai.plumbing.config import ConfigurationWrong, Hour, Whole

_FEE = re.compile(r"([a-z0-9]+)\.([a-z]+)=([0-9]{1,7})(/1000)?")


class ReconciliationSettings(msgspec.Struct, frozen=True):
    """Settings of reconciliation: the folder from which files of records are read, the hour by which a provider's record of a
    day must have arrived, and the agreed fees of providers.
    """

    # A folder with a subfolder for each rail by its name, `account` for statements of the operator's account, and `float`
    # for statements of the account of transfers.
    reconciliation_files: str = ""  # empty: DIR/records
    record_due_hour: Hour = 9  # in WIB, of the next day; a record missing then becomes an item
    # The fee of each rail and method, in rupiah or thousandths, as `bank.qris=7/1000 bank.va=4000`, and the maximum
    # for one transfer: `float.transfer=2500`.  Any other fee is a break.
    provider_fees: str = ""
    provider_vat_percent: Whole = 11  # of fees: twelve percent of eleven twelfths (PMK 131/2024)
    fee_tolerance_rupiah: Whole = 1  # of each fee and tax: providers round up, down or half up
    # Words in statements that name a provider or our other account, as `bank=XENDIT float=8800000002`; `+` is a space.
    statement_names: str = ""


class Agreed(NamedTuple):
    """The agreed fee of a method, in rupiah or in thousandths of the payment; one of the two is 0."""

    method: str
    rupiah: int
    permille: int


def agreed_of(provider_fees: str) -> dict[str, list[Agreed]]:
    """Parse the setting `provider_fees` into agreed fees by rail.  Refuses `ConfigurationWrong`."""
    found: dict[str, list[Agreed]] = {}
    for one in provider_fees.split():
        told = _FEE.fullmatch(one)
        if told is None or any(fee.method == told[2] for fee in found.get(told[1], ())):
            raise ConfigurationWrong(
                "provider_fees", "settings", f"the value does not have the form {one!r}"
            )
        sums = (0, int(told[3])) if told[4] else (int(told[3]), 0)
        found.setdefault(told[1], []).append(Agreed(told[2], *sums))
    return found


def names_of(statement_names: str) -> dict[str, str]:
    """Parse the setting `statement_names`: which word of a statement names which provider or account.  Refuses
    `ConfigurationWrong`.
    """
    found = {}
    for one in statement_names.split():
        name, sign, word = one.partition("=")
        if not (name and sign and word):
            raise ConfigurationWrong(
                "statement_names", "settings", f"the value does not have the form {one!r}"
            )
        found[word.replace("+", " ").lower()] = name
    return found
