"""Transfers over SNAP BI: services account inquiry (15, 16), transfer (17, 18), status of a transfer (36), balance (11).

Services 15 and 17 are for accounts at the bank itself, 16 and 18 for accounts at other banks.
"""

from meterai.kit.clock import Clock
from meterai.kit.money import Rupiah
from meterai.payments.adapters.snap import reading
from meterai.payments.adapters.snap.client import SnapClient
from meterai.payments.adapters.snap.reading import Answer, case_of
from meterai.payments.adapters.snap.wire import snap_time
from meterai.payments.model import (
    AboutAnother,
    Difference,
    OutcomeUnknown,
    PaymentIdentity,
    ProviderRefused,
    ProviderStatus,
    RefundMade,
    RefusedForEver,
    TransferReturned,
    TransferUnderWay,
)

BALANCE, NAME_HERE, NAME_ELSEWHERE = "11", "15", "16"
HERE, ELSEWHERE, STATUS = "17", "18", "36"
# The number was used before.  For transfers, 404/18 (inconsistent request) means that the original transfer succeeded
# [SNAP BI, response codes]; it may differ from the transfer requested now.
_MADE_BEFORE = frozenset({"40901", "40418"})
# The account takes no money: dormant, inactive, at an unreachable bank, or unknown.
_TAKES_NOTHING = frozenset({"40309", "40318", "40403", "40411"})
NAME_CHARACTERS_MAX = 100  # SNAP BI: beneficiaryAccountName
REMARK_CHARACTERS_MAX = 50


class Transfers:
    """The `Payouts` of one bank: transfers from the operator's float account at this bank."""

    def __init__(self, client: SnapClient) -> None:
        self._client = client
        self._bank = client.access.bank
        self.bank = self._bank.code
        self.rupiah_max = self._bank.transfer_rupiah_max
        self.rupiah_day_max = self._bank.transfer_rupiah_day_max
        self._clock: Clock = client.clock

    def _is_here(self, bank: str) -> bool:
        return bank == self._bank.code and self._client.has(HERE)

    async def account_name(self, bank: str, account: str, reference: str) -> str:
        """Services 15 and 16: the name of an account's holder.  Refuses `ProviderRefused` if the account is our float account,
        which transfers are sent from.
        """
        if account == self._bank.source_account:
            raise ProviderRefused("", "the account that transfers are made from")
        is_here = self._is_here(bank)
        answer = await self._client.call(
            NAME_HERE if is_here else NAME_ELSEWHERE,
            PaymentIdentity(reference=reference),
            {
                "partnerReferenceNo": reference,
                **({} if is_here else {"beneficiaryBankCode": bank}),
                "beneficiaryAccountNo": account,
            },
        )
        _compare(answer, account, None)
        return reading.name_of_holder(answer, NAME_CHARACTERS_MAX)

    async def transfer(
        self, number: str, bank: str, account: str, name: str, amount: Rupiah, remark: str
    ) -> RefundMade:
        """Services 17 and 18: send money.

        If the bank answers that our `number` was used before, service 36 queries the earlier transfer, which must have the same
        account and amount.
        """
        is_here = self._is_here(bank)
        service = HERE if is_here else ELSEWHERE
        elsewhere = {
            "beneficiaryBankCode": bank,
            "beneficiaryAccountName": name[:NAME_CHARACTERS_MAX],
        }
        try:
            answer = await self._client.call(
                service,
                PaymentIdentity(reference=number, amount=str(amount)),
                {
                    "partnerReferenceNo": number,
                    "amount": amount.snap(),
                    **({} if is_here else elsewhere),
                    "beneficiaryAccountNo": account,
                    "sourceAccountNo": self._bank.source_account,
                    "transactionDate": snap_time(self._clock.now()),
                    "currency": "IDR",
                    "feeType": "OUR",
                    "remark": remark[:REMARK_CHARACTERS_MAX],
                },
            )
        except ProviderRefused as refusal:
            case = case_of(refusal, service)
            if case in _TAKES_NOTHING:
                raise RefusedForEver(refusal.response_code, refusal.message) from None
            if case not in _MADE_BEFORE:
                raise
            made = await self._made(number, service, account, amount)
            if made is None:
                raise OutcomeUnknown(
                    f"the transfer was made before, and its state is unknown: {refusal}"
                ) from None
            return made
        return reading.transfer_made(answer)

    async def transferred(self, number: str) -> RefundMade | None:
        """Service 36: query a transfer by our `number`; None if the bank has no such transfer."""
        for service in (ELSEWHERE, HERE):
            if self._client.has(service):
                made = await self._made(number, service)
                if made is not None:
                    return made
        return None

    async def balance(self) -> Rupiah:
        """Service 11: the balance of the float account."""
        answer = await self._client.call(
            BALANCE,
            PaymentIdentity(),
            {
                "partnerReferenceNo": f"B{int(self._clock.now().timestamp() * 1_000)}",
                "accountNo": self._bank.source_account,
            },
        )
        return reading.balance(answer)

    async def _made(
        self, number: str, service: str, account: str | None = None, amount: Rupiah | None = None
    ) -> RefundMade | None:
        try:
            answer = await self._client.call(
                STATUS,
                PaymentIdentity(reference=number),
                {"originalPartnerReferenceNo": number, "serviceCode": service},
            )
        except ProviderRefused as refusal:
            if case_of(refusal, STATUS) == "40401":
                return None
            raise
        _compare(answer, account, amount)
        match reading.status_of(answer):
            case ProviderStatus.PAID:
                return reading.transfer_made(answer)
            case ProviderStatus.UNKNOWN:
                return None
            case (
                ProviderStatus.FAILED | ProviderStatus.CANCELLED | ProviderStatus.REFUNDED as status
            ):
                raise TransferReturned(f"200{STATUS}00", f"the transfer is {status}")
            case ProviderStatus.PENDING:
                raise TransferUnderWay("the transfer is under way")
            case _:
                raise OutcomeUnknown("the transfer has no known status")


def _compare(answer: Answer, account: str | None, amount: Rupiah | None) -> None:
    """Refuse `AboutAnother` if an answer names another account or amount than the call."""
    told = answer.get("beneficiaryAccountNo")
    found = []
    if account is not None and told not in (None, "", account):
        found.append(Difference("account", "another", "another"))  # both may name a person
    sent = reading.amount_of(answer)
    if amount is not None and sent is not None and sent != amount:
        found.append(Difference("amount", str(amount), str(sent)))
    if found:
        raise AboutAnother(found, PaymentIdentity(), is_money=True)
