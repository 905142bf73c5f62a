"""Virtual accounts with a fixed amount over SNAP BI: services create (27), status (26), delete (31).

An account number consists of the id of our service and digits of a hash of our reference, so that a repeated call has the same
number.  If another bill at the bank already has that number, the bank refuses, and a new attempt with another reference is
made.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from meterai.kit.money import Rupiah
from meterai.kit.numbers import counted
from meterai.payments.adapters.snap import reading
from meterai.payments.adapters.snap.bank import SERVICE_ID_CHARACTERS, SnapBank
from meterai.payments.adapters.snap.client import SnapClient
from meterai.payments.adapters.snap.qris import MADE_BEFORE
from meterai.payments.adapters.snap.reading import case_of
from meterai.payments.adapters.snap.wire import snap_time
from meterai.payments.model import (
    AccountNumber,
    AttemptStatus,
    Instructions,
    MadeBefore,
    OpenedAttempt,
    OutcomeUnknown,
    PaymentIdentity,
    ProviderRefused,
    ProviderStatus,
)

CREATE, STATUS, DELETE = "27", "26", "31"
CLOSED_AMOUNT = "C"  # virtualAccountTrxType


def number_of(bank: SnapBank, reference: str) -> str:
    """The number of the virtual account for our reference, without leading spaces."""
    digits = bank.spoken.customer_digits
    customer = int.from_bytes(sha256(reference.encode()).digest()) % 10**digits
    return f"{bank.va_service_id}{customer:0{digits}}"


def account_members(bank: SnapBank, number: str) -> dict[str, str]:
    """The three members of a message that identify an account: the id of our service, padded with spaces; the customer number;
    and the account number, which consists of both.
    """
    service = bank.va_service_id.rjust(SERVICE_ID_CHARACTERS)
    customer = number.removeprefix(bank.va_service_id)
    return {
        "partnerServiceId": service,
        "customerNo": customer,
        "virtualAccountNo": service + customer,
    }


def complaints(
    instructions: Instructions, amount: int, number: str, *, bank: SnapBank
) -> Iterator[str]:
    """Yield each fault because of which a buyer must not pay by these instructions; nothing if they are right.

    `number` is the expected account number. The amount is not checked: an account accepts only the amount that it was made
    for.
    """
    del amount
    if not isinstance(instructions, AccountNumber):
        yield "not an account number"
        return
    if instructions.number != number:
        yield f"of another number than {number}"
    ours = len(bank.va_service_id) + bank.spoken.customer_digits
    is_ours = bank.va_service_id and instructions.number.startswith(bank.va_service_id)
    is_number = counted(instructions.number, ours) is not None
    if not is_ours or len(instructions.number) != ours or not is_number:
        yield "of no account of ours"
    if instructions.bank != bank.label:
        yield f"of another bank than {bank.label}"


class VirtualAccounts:
    """Virtual accounts at one bank, each for one attempt."""

    def __init__(self, client: SnapClient) -> None:
        self._client = client
        self._bank = client.access.bank

    async def open(
        self, reference: str, amount: Rupiah, expires_at: datetime
    ) -> OpenedAttempt | MadeBefore:
        """Make a virtual account; returns `MadeBefore` if the bank answers that it made this account before (409/01,
        404/18).
        """
        number = number_of(self._bank, reference)
        try:
            answer = await self._client.call(
                CREATE,
                PaymentIdentity(reference=reference, provider_reference=number, amount=str(amount)),
                {
                    **account_members(self._bank, number),
                    "virtualAccountName": self._bank.va_name,
                    "trxId": reference,
                    "totalAmount": amount.snap(),
                    "virtualAccountTrxType": CLOSED_AMOUNT,
                    "expiredDate": snap_time(expires_at),
                    "additionalInfo": {},
                },
            )
        except ProviderRefused as refusal:
            if case_of(refusal, CREATE) in MADE_BEFORE:
                return MadeBefore()
            raise
        told = str(answer.get("virtualAccountNo", "")).strip()
        if told != number or answer.get("virtualAccountTrxType", CLOSED_AMOUNT) != CLOSED_AMOUNT:
            raise OutcomeUnknown("the account differs from the requested one")
        return OpenedAttempt(AccountNumber(self._bank.label, number), number)

    async def ask(self, about: PaymentIdentity) -> AttemptStatus:
        """Query the status of a virtual account; `UNKNOWN` if the bank has no such account."""
        try:
            answer = await self._client.call(
                STATUS,
                about,
                {**self._names(about), "additionalInfo": {"trxId": about.reference}},
            )
        except ProviderRefused as refusal:
            if case_of(refusal, STATUS) in ("40401", "40412"):
                return AttemptStatus(ProviderStatus.UNKNOWN, ())
            raise
        return reading.account_status(answer)

    async def cancel(self, about: PaymentIdentity, _reason: str) -> bool:
        """Delete a virtual account; False if the account was paid or has ended.  Safe to repeat."""
        try:
            await self._client.call(
                DELETE,
                replace(about, amount=None),
                {**self._names(about), "trxId": about.reference, "additionalInfo": {}},
            )
        except ProviderRefused as refusal:
            if case_of(refusal, DELETE) in ("40414", "40419") or refusal.response_code[:3] == "405":
                return False
            raise
        return True

    def _names(self, about: PaymentIdentity) -> dict[str, str]:
        number = about.provider_reference or number_of(self._bank, str(about.reference))
        return account_members(self._bank, number)
