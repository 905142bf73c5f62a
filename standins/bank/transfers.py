"""The bank's SNAP BI services about accounts: balance 11, statement 14, name 15 and 16, transfer 17
and 18, transfer status 36.

A transfer is paid from the merchant's float account, or from its own account. A repeated number is refused with 409/01,
with other contents 404/18. A transfer under way is answered with 202/00 and settles later. A returned transfer is credited
to the account that paid it.
"""

from collections.abc import Callable
from dataclasses import astuple, dataclass
from enum import StrEnum
from sqlite3 import Connection

from standins import clock
from standins.bank import fields
from standins.bank.accounts import (
    BANKS,
    FLOAT_ACCOUNT,
    OWN_ACCOUNT,
    Account,
    AccountLine,
    Accounts,
    AccountState,
    bank_of,
)
from standins.bank.answers import Case, Refused
from standins.bank.fees import Tariff
from standins.bank.fields import Body, money
from standins.bank.later import Later
from standins.bank.model import BANK_CODE
from standins.clock import DAY_MS
from standins.faults import Faults
from standins.refusal import NotFound, Refusal
from standins.state import transaction

INTERBANK_MAX = 250_000_000  # rupiah; limit of BI-FAST
ACCOUNT_CHARACTERS_MAX = 34  # SNAP BI, beneficiaryAccountNo
STATEMENT_LINES_MAX = 100  # of one page
SCHEMA = """
CREATE TABLE IF NOT EXISTS transfer (
    seq          INTEGER PRIMARY KEY,
    number       TEXT NOT NULL UNIQUE,           -- the partner's idempotency key
    reference_no TEXT NOT NULL UNIQUE,
    service      TEXT NOT NULL,
    source       TEXT NOT NULL,                  -- the merchant's account that pays it
    bank         TEXT NOT NULL,
    account      TEXT NOT NULL,
    name         TEXT NOT NULL,
    amount       INTEGER NOT NULL CHECK (amount > 0),
    fee          INTEGER NOT NULL,
    state        TEXT NOT NULL,
    made_at      INTEGER NOT NULL
);
"""
_TRANSFER = (
    "number, reference_no, service, source, bank, account, name, amount, fee, state, made_at"
)

# Refusals after which the transfer is nevertheless made, by fault switch.
_MADE_LATER = {
    "transfers_refused_and_made": Case.NOT_ALLOWED,
    "transfers_to_nobody_and_made": Case.INACTIVE,
}

Facts = dict[str, object]


class TransferState(StrEnum):
    """Values of latestTransactionStatus of a transfer."""

    SUCCESS = "00"
    PENDING = "03"
    RETURNED = "04"
    FAILED = "06"


TRANSFER_TEXT = {
    TransferState.SUCCESS: "Success",
    TransferState.PENDING: "Pending",
    TransferState.RETURNED: "Returned",
    TransferState.FAILED: "Failed",
}


class NothingToReturn(Refusal):
    """The transfer was not made, or was returned already."""

    code = "nothing_to_return"


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money sent from an account of the merchant. `number` is the merchant's own number of it."""

    number: str
    reference_no: str
    service: str
    source: str
    bank: str
    account: str
    name: str
    amount: int
    fee: int
    state: TransferState
    made_at: int


class Transfers:
    """The services about accounts, and the later course of transfers. `settle` pays due settlements into the merchant's own
    account.
    """

    def __init__(
        self,
        connection: Connection,
        accounts: Accounts,
        faults: Faults,
        tariff: Tariff,
        settle: Callable[[], object],
        later: Later,
    ) -> None:
        self._settle_days = settle
        self._connection = connection
        self._accounts = accounts
        self._faults = faults
        self._tariff = tariff
        self._later = later
        later.can("transfer", self._make_later)
        later.can("transfer-back", self.come_back)
        later.can("transfer-settled", self._settle)

    def by_code(self) -> dict[str, Callable[[Body], Facts]]:
        """Return the services by code."""
        return {
            "11": self.balance,
            "14": self.statement,
            "15": lambda body: self._name(BANK_CODE, body),
            "16": lambda body: self._name(_bank(body), body),
            "17": lambda body: self._transfer("17", BANK_CODE, body),
            "18": lambda body: self._transfer("18", _bank(body), body),
            "36": self.status,
        }

    def balance(self, body: Body) -> Facts:
        """Service 11: return the balance of the float account, or of the named account."""
        self._fail_if("balance_500", Case.GENERAL_ERROR)
        number = self._own_number(body)
        amount = money(self._accounts.balance(number))
        return {
            "accountNo": number,
            "name": self._of(BANK_CODE, number).name,
            "accountInfos": [
                {
                    "balanceType": "Cash",
                    "amount": amount,
                    "availableBalance": amount,
                    "ledgerBalance": amount,
                    "status": "0001",
                }
            ],
        }

    def statement(self, body: Body) -> Facts:
        """Service 14: return lines of an account of the merchant from fromDateTime to before toDateTime. Pages are counted
        from 0 (`additionalInfo.pageNumber`); `hasMore` is Y if another page follows.
        """
        number = self._own_number(body)
        begins = fields.optional_time(body, "fromDateTime")
        ends = fields.optional_time(body, "toDateTime")
        if begins is None or ends is None:
            raise Refused(Case.MISSING_FIELD, "fromDateTime, toDateTime")
        page = fields.count(fields.additional(body), "pageNumber", 0)
        lines = self._accounts.lines(number, begins, ends)
        shown = lines[page * STATEMENT_LINES_MAX : (page + 1) * STATEMENT_LINES_MAX]
        before = self._accounts.balance(number, before=begins)
        before += sum(line.amount for line in lines[: page * STATEMENT_LINES_MAX])
        found: list[Facts] = []
        for line in shown:
            found.append(_statement_line(line, before))
            before += line.amount
        return {
            "accountNo": number,
            "hasMore": "Y" if len(lines) > (page + 1) * STATEMENT_LINES_MAX else "N",
            "detailData": found,
        }

    def status(self, body: Body) -> Facts:
        """Service 36: return the status of a transfer."""
        self._fail_if("transfer_status_500", Case.GENERAL_ERROR)
        found = self.find(fields.mandatory_text(body, "originalPartnerReferenceNo"))
        if found is None or fields.mandatory_text(body, "serviceCode") != found.service:
            raise Refused(Case.NOT_FOUND)
        return {
            "originalReferenceNo": found.reference_no,
            "originalPartnerReferenceNo": found.number,
            "serviceCode": found.service,
            "transactionDate": clock.snap_time(found.made_at),
            "amount": money(found.amount),
            "beneficiaryBankCode": found.bank,
            "beneficiaryAccountNo": found.account,
            "sourceAccountNo": found.source,
            "latestTransactionStatus": found.state,
            "transactionStatusDesc": TRANSFER_TEXT[found.state],
        }

    def find(self, number: str) -> Transfer | None:
        """Return the transfer with this number of the merchant, or None."""
        row = self._connection.execute(
            f"SELECT {_TRANSFER} FROM transfer WHERE number = ?",  # noqa: S608 - a constant
            (number,),
        ).fetchone()
        return None if row is None else _transfer_of(row)

    def all(self) -> list[Transfer]:
        """Return all transfers, newest first."""
        rows = self._connection.execute(
            f"SELECT {_TRANSFER} FROM transfer ORDER BY seq DESC"  # noqa: S608 - a constant
        ).fetchall()
        return [_transfer_of(row) for row in rows]

    def come_back(self, number: str) -> Transfer:
        """Let the receiving bank return a transfer. Refuses `NothingToReturn`."""
        found = self.find(number)
        if found is None:
            raise NotFound("no transfer has this number")
        if found.state not in (TransferState.SUCCESS, TransferState.PENDING):
            raise NothingToReturn("the transfer was not made, or was already returned")
        was_made = found.state is TransferState.SUCCESS
        now = clock.now_ms()
        with transaction(self._connection):
            self._set(number, TransferState.RETURNED if was_made else TransferState.FAILED)
            kind, remark = "transfer_returned", f"returned {found.number}"
            self._accounts.move(
                BANK_CODE, found.source, now, found.amount, kind, found.number, remark
            )
            if was_made:
                self._accounts.move(
                    found.bank, found.account, now, -found.amount, kind, found.number, remark
                )
        return found

    def make(
        self, service: str, source: str, to: Account, name: str, number: str, amount: int
    ) -> Transfer:
        """Debit the source and send the money. Refused with 403/14 if the source has too little."""
        self._settle_days()
        if self._accounts.balance(source) < amount + self._tariff.fees.transfer:
            raise Refused(Case.INSUFFICIENT)
        now = clock.now_ms()
        is_pending = self._faults.take("transfers_pending")
        comes_back = self._faults.take("transfers_returned")
        with transaction(self._connection):
            seq = self._connection.execute(
                "SELECT COALESCE(MAX(seq), 0) + 1 FROM transfer"
            ).fetchone()[0]
            made = Transfer(
                number,
                f"T{clock.wib(now):%Y%m%d}{seq:010d}",
                service,
                source,
                to.bank,
                to.number,
                name,
                amount,
                self._tariff.fees.transfer,
                TransferState.PENDING,
                now,
            )
            self._connection.execute(
                f"INSERT INTO transfer ({_TRANSFER}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - a constant
                astuple(made),
            )
            remark = f"transfer {number} to {to.bank} {to.number}"
            self._accounts.move(BANK_CODE, source, now, -amount, "transfer", number, remark)
            if made.fee:
                # As at real banks, the line of a fee does not contain the number of the transfer.
                remark = f"BIAYA TRANSFER {made.reference_no}"
                self._accounts.move(
                    BANK_CODE, source, now, -made.fee, "fee", made.reference_no, remark
                )
            if is_pending:
                after = self._faults.seconds("transfer_settles_after_seconds")
                self._later.plan("transfer-settled", after, number=number)
            else:
                self._credit(made, now)
            if comes_back:
                back = self._faults.seconds("transfer_returned_after_seconds") or DAY_MS / 1000
                self._later.plan("transfer-back", back, number=number)
        return made

    def _make_later(
        self,
        service: str,
        source: str,
        bank: str,
        account: str,
        name: str,
        number: str,
        amount: int,
    ) -> None:
        if self.find(number) is None:
            self.make(service, source, self._of(bank, account), name, number, amount)

    def _settle(self, number: str) -> None:
        found = self.find(number)
        if found is not None and found.state is TransferState.PENDING:
            with transaction(self._connection):
                self._credit(found, clock.now_ms())

    def _credit(self, one: Transfer, now: int) -> None:
        self._set(one.number, TransferState.SUCCESS)
        self._accounts.move(
            one.bank, one.account, now, one.amount, "transfer", one.number, f"from {one.source}"
        )

    def _set(self, number: str, state: TransferState) -> None:
        self._connection.execute("UPDATE transfer SET state = ? WHERE number = ?", (state, number))

    def _name(self, bank: str, body: Body) -> Facts:
        """Services 15 and 16: return the name of the holder of an account."""
        self._fail_if("account_inquiry_500", Case.GENERAL_ERROR)
        found = self._of(bank, _account_number(body))
        return {
            "referenceNo": f"I{clock.now_ms()}",
            "partnerReferenceNo": fields.text(body, "partnerReferenceNo"),
            "beneficiaryBankCode": found.bank,
            "beneficiaryBankName": BANKS[found.bank],
            "beneficiaryAccountNo": found.number,
            "beneficiaryAccountName": found.name,
            "beneficiaryAccountStatus": "Rekening aktif",
        }

    def _transfer(self, service: str, bank: str, body: Body) -> Facts:
        """Services 17 and 18: send money. As at most banks, the name is recorded but not compared with the holder's."""
        self._fail_if("transfer_500", Case.GENERAL_ERROR)
        number = fields.mandatory_text(body, "partnerReferenceNo")
        amount = fields.amount(body, "amount")
        source = fields.mandatory_text(body, "sourceAccountNo", ACCOUNT_CHARACTERS_MAX)
        name = fields.text(body, "beneficiaryAccountName", 100)
        account = _account_number(body)
        known = self.find(number)
        if known is not None:
            same = (known.bank, known.account, known.amount) == (bank, account, amount)
            raise Refused(Case.DUPLICATE if same else Case.INCONSISTENT)
        if source not in (FLOAT_ACCOUNT, OWN_ACCOUNT):
            raise Refused(Case.INVALID_ACCOUNT, "sourceAccountNo")
        to = self._of(bank, account)
        if service == "18" and amount > INTERBANK_MAX:
            raise Refused(Case.EXCEEDS_AMOUNT)
        self._fail_if("refuse_transfers", Case.NOT_ALLOWED)
        self._fail_if("transfers_to_nobody", Case.INACTIVE)
        self._fail_if("float_empty", Case.INSUFFICIENT)
        for fault, case in _MADE_LATER.items():
            if self._faults.take(fault):
                after = self._faults.seconds("made_after_seconds")
                facts = {"service": service, "source": source, "bank": bank, "account": account}
                named = {"number": number, "name": name, "amount": amount}
                self._later.plan("transfer", after, **named, **facts)
                raise Refused(case)
        made = self.make(service, source, to, name, number, amount)
        self._fail_if("transfer_504_after_success", Case.TIMEOUT)
        found = self.find(number)
        if found is not None and found.state is TransferState.PENDING:
            raise Refused(Case.IN_PROGRESS)
        return {
            "referenceNo": made.reference_no,
            "partnerReferenceNo": number,
            "amount": money(amount),
            "beneficiaryAccountNo": account,
            "beneficiaryBankCode": bank,
            "sourceAccountNo": source,
            "transactionDate": clock.snap_time(made.made_at),
            "traceNo": made.reference_no[-6:],
        }

    def _of(self, bank: str, number: str) -> Account:
        found = self._accounts.find(bank, number)
        if found is None:
            raise Refused(Case.INVALID_ACCOUNT)
        if found.state is AccountState.CLOSED:
            raise Refused(Case.INACTIVE)
        if found.state is AccountState.DORMANT:
            raise Refused(Case.DORMANT)
        return found

    def _own_number(self, body: Body) -> str:
        self._settle_days()
        number = fields.text(body, "accountNo", ACCOUNT_CHARACTERS_MAX) or FLOAT_ACCOUNT
        if number not in (FLOAT_ACCOUNT, OWN_ACCOUNT):
            raise Refused(Case.INVALID_ACCOUNT)
        return number

    def _fail_if(self, fault: str, case: Case) -> None:
        if self._faults.take(fault):
            raise Refused(case)


def _transfer_of(row: tuple[object, ...]) -> Transfer:
    facts = dict(zip(_TRANSFER.split(", "), row, strict=True))
    return Transfer(**facts | {"state": TransferState(str(facts["state"]))})  # type: ignore[arg-type]


def _account_number(body: Body) -> str:
    return fields.mandatory_text(body, "beneficiaryAccountNo", ACCOUNT_CHARACTERS_MAX)


def _bank(body: Body) -> str:
    bank = bank_of(fields.mandatory_text(body, "beneficiaryBankCode", 11))
    if not bank:
        raise Refused(Case.BANK_NOT_SUPPORTED)
    return bank


def _statement_line(line: AccountLine, before: int) -> Facts:
    return {
        "transactionDate": clock.snap_time(line.moved_at),
        "transactionId": f"L{line.seq:012d}",
        "amount": money(abs(line.amount)),
        "type": "CREDIT" if line.amount > 0 else "DEBIT",
        "remark": line.remark,
        "transactionDetailStatus": "SUCCESS",
        "detailBalance": {
            "startAmount": [{"amount": money(before)}],
            "endAmount": [{"amount": money(before + line.amount)}],
        },
        "additionalInfo": {"partnerReferenceNo": line.reference, "kind": line.kind},
    }
