"""Layouts of tables in files: the role of each column, by the names that providers and banks give to it.

There are three: Xendit's balance report, Midtrans' settlement of a day, and the statement of a bank account, whose
columns each bank names differently.  A new layout is one more value in `LAYOUTS`.
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias
from uuid import UUID

from meterai.payments import (
    REFUND_PREFIX,
    TRANSFER_PREFIX,
    MovementKind,
    parse_number,
    reference_of,
)
from meterai.reconciliation.model import TREASURY

_K = MovementKind
HEAD_LINES_MAX = 40  # searched for the header row; a statement begins with names and addresses


class RowTexts(NamedTuple):
    """Texts of the cells of a row, by the role of their column."""

    kind: str
    reference: str
    payment: str
    refund: str
    text: str


class JudgedRow(NamedTuple):
    """Kind of a row (None if unknown), the identifying numbers in the row, and the account or provider that the row names."""

    kind: MovementKind | None
    reference: str | None = None
    payment: str | None = None
    refund_number: str | None = None
    provider_refund_number: str | None = None
    counterpart: str | None = None


Names: TypeAlias = Mapping[str, str]  # words in lower case, with the provider or account of each


class Columns(NamedTuple):
    """Result of matching a header row with a layout: the position of each role's column, the required roles that have no
    column, and the roles that have two.
    """

    places: Mapping[str, int]
    lacks: Sequence[str]
    twice: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLayout:
    """One kind of table.

    roles      names of columns, in lower case, by role
    needs      roles that the layout requires
    judge      returns kind and identifying numbers of a row, from its texts, its direction, and known names of providers and
               accounts
    is_of_day  True if a file covers one day
    """

    name: str
    roles: Mapping[str, Sequence[str]]
    needs: Sequence[str]
    judge: Callable[[RowTexts, bool, Names], JudgedRow]
    is_of_day: bool = True
    _names: dict[str, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._names.update({name: role for role, names in self.roles.items() for name in names})

    def columns(self, head: Sequence[object]) -> Columns:
        """Find the column of each role in a header row."""
        found: dict[str, int] = {}
        twice: list[str] = []
        for place, cell in enumerate(head):
            name = " ".join(str(cell).strip().lower().replace("_", " ").split())
            if role := self._names.get(name):
                twice += [role] if role in found else []
                found.setdefault(role, place)
        lacks = [one for one in self.needs if one not in found]
        has_sum = "amount" in found or {"debit", "credit"} <= found.keys()
        return Columns(found, lacks if has_sum else [*lacks, "amount"], twice)


def _given(text: str) -> str | None:
    return text or None


def _refund_of_ours(text: str) -> str | None:
    return text if parse_number(REFUND_PREFIX, text) else None


# -- Xendit ------------------------------------------------------------------------------------

_BALANCE_KINDS = {
    ("payment", "transaction", True): _K.PAYMENT,
    ("payment", "transaction_reversal", False): _K.CHARGEBACK,
    ("chargeback", "transaction", False): _K.CHARGEBACK,
    ("chargeback", "transaction_reversal", True): _K.CHARGEBACK_WON,
    ("refund", "transaction", False): _K.REFUND,
    ("refund", "transaction_reversal", True): _K.REFUND_REVERSED,
    ("disbursement", "transaction", False): _K.TRANSFER,
    ("disbursement", "transaction_reversal", True): _K.TRANSFER_RETURNED,
    ("withdrawal", "transaction", False): _K.SETTLEMENT,
}


def _judge_balance(line: RowTexts, is_in: bool, _names: Names) -> JudgedRow:  # noqa: FBT001 - as a layout asks
    what, _, part = line.kind.partition("|")
    if part in ("fee", "vat") and not is_in:
        return JudgedRow(_K.FEE if part == "fee" else _K.TAX, payment=_given(line.payment))
    kind = _BALANCE_KINDS.get((what, part, is_in), _K.OTHER if what and part else None)
    if kind in (_K.REFUND, _K.REFUND_REVERSED, _K.TRANSFER, _K.TRANSFER_RETURNED):
        ours = _refund_of_ours(line.reference)
        theirs = None if ours else _given(line.reference)
        return JudgedRow(kind, theirs, None, ours, _given(line.payment))
    return JudgedRow(kind, _given(line.reference), _given(line.payment))


BALANCE = TableLayout(
    name="balance",
    roles={
        "line": ("transaction id",),
        "kind": ("transaction type",),
        "part": ("line type",),
        "payment": ("product id",),
        "reference": ("reference",),
        "currency": ("currency",),
        "amount": ("amount",),
        "balance": ("balance",),
        "moved_at": (
            "created date",
            "created",
            "timestamp",
            "transaction date",
            "date",
            "date (utc+7)",
        ),
    },
    needs=("kind", "part", "payment", "reference", "moved_at", "currency"),
    judge=_judge_balance,
)

# -- Midtrans ----------------------------------------------------------------------------------

MIDTRANS_PREFIX = "midtrans:"
_MIDTRANS_KINDS = {
    ("settlement", True): _K.PAYMENT,
    ("refund", False): _K.REFUND,
    ("chargeback", False): _K.CHARGEBACK,
    ("deny", False): _K.CHARGEBACK,
    ("chargeback_won", True): _K.CHARGEBACK_WON,
}


def _reference_of_order_id(text: str) -> str | None:
    """Return our reference for an `order_id`, which is the account and the attempt in base64; else the text itself."""
    try:
        ids = base64.urlsafe_b64decode(text + "=")
        return reference_of(UUID(bytes=ids[:16]), UUID(bytes=ids[16:]))
    except ValueError:
        return _given(text)


def _judge_midtrans(line: RowTexts, is_in: bool, _names: Names) -> JudgedRow:  # noqa: FBT001 - as a layout asks
    kind = _MIDTRANS_KINDS.get((line.kind, is_in))
    payment = MIDTRANS_PREFIX + line.payment if line.payment else None
    ours = _refund_of_ours(line.text)
    return JudgedRow(
        kind, _reference_of_order_id(line.reference), payment, ours, _given(line.refund)
    )


MIDTRANS = TableLayout(
    name="midtrans",
    roles={
        "reference": ("order id",),
        "payment": ("transaction id",),
        "moved_at": ("settlement time",),
        "kind": ("line type",),
        "text": ("refund key",),
        "refund": ("refund id",),
        "amount": ("amount",),
        "fee": ("fee",),
        "tax": ("tax",),
        "currency": ("currency",),
        "merchant": ("merchant id",),
    },
    needs=("reference", "payment", "kind", "moved_at", "currency", "merchant"),
    judge=_judge_midtrans,
)

# -- the statement of a bank account -----------------------------------------------------------

_NUMBER = re.compile(rf"(?:{REFUND_PREFIX}|{TRANSFER_PREFIX})[0-9A-Z]{{52}}")
# A payment to the treasury (MPN): its billing code, and the number of the state's receipt if the bank writes it.
_TREASURY = re.compile(r"\b(?:mpn|billing|ntpn|djp|pajak|kas negara)\b", re.IGNORECASE)
_BILLING = re.compile(r"(?<![0-9])[0-9]{15}(?![0-9])")
_RECEIPT = re.compile(r"\bntpn\W{0,3}([0-9a-z]{16})\b", re.IGNORECASE)
_WORDS = (
    (_K.TAX, re.compile(r"\b(?:pajak|ppn|vat|tax)\b", re.IGNORECASE), False),
    (_K.FEE, re.compile(r"\b(?:biaya|fee|adm|charge|chg)\b", re.IGNORECASE), False),
    (_K.SETTLEMENT, re.compile(r"settle|pencairan|payout|disburse|withdraw", re.IGNORECASE), True),
)


def judge_statement(line: RowTexts, is_in: bool, names: Names) -> JudgedRow:  # noqa: FBT001 - as a layout asks
    """Return kind and identifying numbers of a line of a bank statement, which are recognised by the words in the line."""
    said = " ".join((line.reference, line.payment, line.text))
    # A long number may continue on the next line of MT940.
    if ours := _NUMBER.search("".join(said.upper().split())):
        kind = _K.TRANSFER_RETURNED if is_in else _K.TRANSFER
        return JudgedRow(kind, refund_number=ours[0], provider_refund_number=_given(line.payment))
    kind = next(
        (one for one, words, comes in _WORDS if comes == is_in and words.search(said)), _K.OTHER
    )
    if not is_in and _TREASURY.search(said) and (code := _BILLING.search(said)):
        receipt = _RECEIPT.search(said)
        return JudgedRow(_K.OTHER, code[0], receipt and receipt[1].upper(), counterpart=TREASURY)
    named = {of for word, of in names.items() if word in said.lower()}
    counterpart = named.pop() if len(named) == 1 else None
    return JudgedRow(kind, _given(line.reference), _given(line.payment), counterpart=counterpart)


STATEMENT = TableLayout(
    name="statement",
    roles={
        "moved_at": (
            "date",
            "tanggal",
            "transaction date",
            "tanggal transaksi",
            "posting date",
            "value date",
            "tgl",
        ),
        "text": ("description", "keterangan", "remark", "remarks", "uraian", "deskripsi"),
        "reference": (
            "reference",
            "reference no",
            "no referensi",
            "ref",
            "referensi",
            "customer reference",
        ),
        "payment": ("bank reference", "journal", "transaction id", "no jurnal"),
        "debit": ("debit", "debet", "mutasi debet", "mutasi debit", "withdrawal"),
        "credit": ("credit", "kredit", "mutasi kredit", "deposit"),
        "amount": ("amount", "jumlah", "mutasi", "nominal"),
        "side": ("d/c", "db/cr", "type", "dk", "d/k", "debit/credit"),
        "balance": ("balance", "saldo", "saldo akhir", "running balance"),
        "currency": ("currency", "mata uang"),
    },
    needs=("moved_at", "text"),
    judge=judge_statement,
    is_of_day=False,
)
LAYOUTS = (BALANCE, MIDTRANS, STATEMENT)
