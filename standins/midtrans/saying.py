"""Messages of Midtrans about a transaction: members of an answer, and signed notifications.

    signature_key = lower-case hex of SHA512(order_id + status_code + gross_amount + server key)

The signature does not cover transaction_status.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha512

from standins import clock
from standins.faults import Faults
from standins.midtrans.model import Kind, Movement, Status, Transaction

Facts = dict[str, object]
OTHER_MERCHANT = "G999999999"
# status_code by status; an expired transaction has 407 in answers and 202 in notifications.
CODES = {Status.PENDING: "201", Status.DENY: "202", Status.EXPIRE: "407"}
# Other members of a transaction with this status.
OTHERWISE = {
    Status.PENDING: Status.SETTLEMENT,
    Status.SETTLEMENT: Status.DENY,
    Status.DENY: Status.SETTLEMENT,
    Status.EXPIRE: Status.SETTLEMENT,
    Status.CANCEL: Status.SETTLEMENT,
}


@dataclass(frozen=True, slots=True)
class Merchant:
    """The only merchant: its id, and the server key, which authenticates its calls and signs notifications."""

    merchant_id: str
    server_key: str


def written_time(moment_ms: int) -> str:
    """Return a time in GMT+7 as `2026-11-24 15:04:05`; Midtrans omits the zone."""
    return f"{clock.wib(moment_ms):%Y-%m-%d %H:%M:%S}"


def written_money(rupiah: int) -> str:
    """Return an amount as `10000.00`."""
    return f"{rupiah}.00"


def signature(facts: Facts, server_key: str) -> str:
    """Return the signature_key of a notification."""
    signed_text = "".join(
        str(facts.get(name)) for name in ("order_id", "status_code", "gross_amount")
    )
    return sha512((signed_text + server_key).encode()).hexdigest()


def facts_of(charge: Transaction, status: Status, merchant_id: str) -> Facts:
    """Return the members of an answer about a transaction."""
    settled_at = charge.settled_at
    facts: Facts = {
        "status_code": CODES.get(status, "200"),
        "status_message": "Success, transaction is found",
        "transaction_id": charge.transaction_id,
        "order_id": charge.order_id,
        "merchant_id": merchant_id,
        "gross_amount": written_money(charge.amount),
        "currency": "IDR",
        "payment_type": charge.payment_type,
        "transaction_time": written_time(charge.created_at),
        "transaction_status": status,
        "fraud_status": "accept",
        "expiry_time": written_time(charge.expires_at),
    }
    if charge.payment_type == "qris":
        facts["acquirer"] = charge.channel
        if charge.issuer:
            kind = "on-us" if charge.is_on_us else "off-us"
            facts |= {"issuer": charge.issuer, "transaction_type": kind}
    elif charge.channel == "permata":
        facts["permata_va_number"] = charge.shown
    else:
        facts["va_numbers"] = [{"bank": charge.channel, "va_number": charge.shown}]
    if settled_at is not None:
        facts["settlement_time"] = written_time(settled_at)
    refunds = [
        refund_line(number, one)
        for number, one in enumerate(charge.movements)
        if one.kind is Kind.REFUND
    ]
    if refunds:
        facts |= {"refunds": refunds, "refund_amount": written_money(charge.total(Kind.REFUND))}
    if charge.taken_back:
        facts["chargeback_amount"] = written_money(charge.taken_back)
    return facts


def refund_line(number: int, one: Movement) -> Facts:
    """Return the members of one refund of a transaction."""
    return {
        "refund_chargeback_id": number,
        "refund_chargeback_uuid": one.uuid,
        "refund_amount": written_money(one.amount),
        "created_at": written_time(one.moved_at),
        "reason": one.reason,
        "refund_key": one.key,
        "refund_method": "online",
        "bank_confirmed_at": written_time(one.moved_at),
    }


def news_of(charge: Transaction, status: Status, merchant: Merchant, faults: Faults) -> Facts:
    """Return a signed notification of this status, changed by the armed switches."""
    facts = facts_of(charge, status, merchant.merchant_id)
    facts["status_message"] = "midtrans payment notification"
    if status is Status.EXPIRE:
        facts["status_code"] = "202"
    return signed(mixed_up(faults, facts), merchant.server_key)


def signed(facts: Facts, server_key: str) -> Facts:
    """Return these facts with their signature_key."""
    return facts | {"signature_key": signature(facts, server_key)}


def to_json(facts: object) -> bytes:
    """Return a value as JSON, in the form in which it is sent."""
    return json.dumps(facts).encode()


def mixed_up(faults: Faults, facts: Facts) -> Facts:
    """Return facts changed by the armed switches; only messages are changed, not acts."""
    for name, change in _CHANGES.items():
        if faults.take(name):
            facts = facts | change(facts)
    return facts


def _other(facts: Facts, name: str) -> Facts:
    told = str(facts.get(name, ""))
    return {name: told[:-1] + ("A" if told[-1:] == "B" else "B")}


_CHANGES: Mapping[str, Callable[[Facts], Facts]] = {
    "other_order": lambda facts: _other(facts, "order_id") | _other(facts, "transaction_id"),
    "other_merchant": lambda _: {"merchant_id": OTHER_MERCHANT},
    "other_amount": lambda _: {"gross_amount": "777.00"},
    "other_currency": lambda _: {"currency": "USD"},
}
