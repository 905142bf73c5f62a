"""Customers who pay into a virtual account: the bank may send the merchant an inquiry (24) before it takes money. If the
profile allows it, an account that was created at this bank is paid without an inquiry. Any other number is managed by the
merchant, and only the answer to an inquiry contains the sum to pay.
"""

import secrets

from standins import clock
from standins.bank.answers import to_json
from standins.bank.customer import BillClosed, Customers, UnknownQr, new_external_id
from standins.bank.fields import rupiah
from standins.bank.merchant_client import MerchantClient, Reply
from standins.bank.model import Bill, Payment, VirtualAccount
from standins.bank.profile import Profile
from standins.bank.store import Store
from standins.bank.virtual_accounts import VirtualAccounts, inquiry_facts
from standins.clock import DAY_MS
from standins.refusal import Refusal

SERVICE_ID_CHARACTERS = 8  # SNAP BI, partnerServiceId


class MerchantRefused(Refusal):
    """The merchant's answer to an inquiry does not let the customer pay."""

    code = "merchant_refused"


class MerchantSilent(Refusal):
    """The merchant gave no readable answer to an inquiry."""

    code = "merchant_silent"
    status = 502


class Payers:
    """Payments into virtual accounts."""

    def __init__(
        self,
        store: Store,
        accounts: VirtualAccounts,
        customers: Customers,
        merchant: MerchantClient,
        profile: Profile,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._customers = customers
        self._merchant = merchant
        self._profile = profile

    async def pay(
        self, number: str, amount: int | None = None, *, asks: bool = True
    ) -> tuple[Bill, Payment]:
        """Pay the requested amount, or another amount in rupiah. Refuses `UnknownQr`, `MerchantRefused`, `MerchantSilent`,
        and what `Customers.pay` refuses.
        """
        bill, request_id = self._store.bill_of_account(number), ""
        asks = asks and self._profile.inquires and bool(self._merchant.endpoints.inquiry)
        if bill is not None and bill.closing is not None:
            raise BillClosed(f"the virtual account was {bill.closing}")
        if asks:
            request_id = secrets.token_hex(16)
            due, bill = await self._ask(number, bill, request_id)
            bill = self._customers.bill(
                bill.reference_no
            )  # read again, since the merchant may have closed it during the inquiry
            amount = due if amount is None else amount
        if bill is None:
            raise UnknownQr("no virtual account has this number")
        return bill, self._customers.pay(bill, amount, request_id)

    async def _ask(self, number: str, bill: Bill | None, request_id: str) -> tuple[int, Bill]:
        """Return the rupiah that are due according to the merchant, and the bill, which is made for an account of the
        merchant's own.
        """
        account = bill.account if bill else None
        service_id = number[:SERVICE_ID_CHARACTERS]
        account = account or VirtualAccount(
            "", service_id, number[SERVICE_ID_CHARACTERS:], number, ""
        )
        now = clock.now_ms()
        reply = await self._merchant.call(
            self._merchant.endpoints.inquiry,
            to_json(inquiry_facts(account, request_id, now)),
            new_external_id(now),
        )
        found = _data(reply)
        due = rupiah(found.get("totalAmount"))
        if not reply.is_success("24") and 400 <= reply.status < 500:
            raise MerchantRefused(f"{reply.code} {reply.facts.get('responseMessage', '')}")
        if not reply.is_success("24") or not due:
            raise MerchantSilent(f"the inquiry {request_id} had no answer, or none with an amount")
        if found.get("inquiryStatus") not in (None, "00"):
            raise MerchantRefused(str(found.get("inquiryReason")))
        if bill is None:
            trx_id = str(found.get("trxId") or request_id)
            name = str(found.get("virtualAccountName", ""))
            made = (account.service_id, account.customer_no, number, name)
            bill = self._store.bill_of_partner(trx_id) or self._accounts.write(
                trx_id, due, now + DAY_MS, made
            )
        return due, bill


def _data(reply: Reply) -> dict[str, object]:
    for name in ("virtualAccountData", "virtualAccountdata"):
        found = reply.facts.get(name)
        if isinstance(found, dict):
            return found
    return {}
