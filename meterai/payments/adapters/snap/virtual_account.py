"""Virtual accounts of a closed amount: create (27), status (26), delete (31).

The number is derived from our reference, so that a repeat has the same one: the id of our service, then
digits of a hash.  If another bill has that number, the bank refuses, and another reference is used.
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
    """The number of the account of an attempt, without the spaces before it."""
    digits = bank.spoken.customer_digits
    customer = int.from_bytes(sha256(reference.encode()).digest()) % 10**digits
    return f"{bank.va_service_id}{customer:0{digits}}"


def account_members(bank: SnapBank, number: str) -> dict[str, str]:
    """The three members that name an account: our service, padded with spaces, the customer, and both."""
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
    """Reasons not to pay by these instructions; an account takes only the amount that it was made for."""
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
    """Accounts at one bank, each for one attempt."""

    def __init__(self, client: SnapClient) -> None:
        self._client = client
        self._bank = client.access.bank

    async def open(
        self, reference: str, amount: Rupiah, expires_at: datetime
    ) -> OpenedAttempt | MadeBefore:
        """Make an account.  A bank that made it before answers 409/01."""
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
            raise OutcomeUnknown("the account is not the one asked for")
        return OpenedAttempt(AccountNumber(self._bank.label, number), number)

    async def ask(self, about: PaymentIdentity) -> AttemptStatus:
        """Status of a virtual account."""
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
        """Delete an account; False if it was paid, or has ended.  Safe to repeat."""
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
