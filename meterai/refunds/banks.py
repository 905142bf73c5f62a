"""Banks by their codes, for the list of a form."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

# Last digits of an account number that mails and pages show; a reader may not be the buyer.
NUMBER_SHOWN = 4
DOTS = "\u2022\u2022\u2022\u2022 "


class Bank(NamedTuple):
    """A bank: its three-digit code, and its name."""

    code: str
    name: str


@cache  # one entry: there is no argument
def _read() -> tuple[Mapping[str, str], Sequence[Bank]]:
    told = tomllib.loads((resources.files("meterai.refunds") / "banks.toml").read_text("utf-8"))
    names, common = told["names"], told["common"]
    rest = sorted(names.keys() - set(common), key=lambda code: names[code].casefold())
    return names, tuple(Bank(code, names[code]) for code in (*common, *rest))


def banks() -> Sequence[Bank]:
    """All banks: the most common banks first, then all others by name."""
    return _read()[1]


def account_shown(bank_code: str, account_no: str) -> str:
    """A bank account as shown to people: the name of its bank, and its last digits."""
    return f"{bank_name(bank_code) or bank_code} {DOTS}{account_no[-NUMBER_SHOWN:]}"


def bank_name(code: str) -> str | None:
    """The name of the bank of this code; None for an unknown code."""
    return _read()[0].get(code)
