"""Refunds: causes, stages and notices of money that goes back, and bank accounts of buyers.

Promises this room keeps
  * Paid money that is not executed by its due time goes back in full, without a request.
  * Unused stamps that an account gives back are retired in the transaction that begins their refund.
  * Money that cannot go back to its source waits until its buyer names a bank account and the bank confirms the holder's name.
    The mailed link by which the buyer names the account can be used once, only by this buyer; its text is not stored.

Rooms below begin, send and settle a refund: orders calculate the money that an order does not use, payments own the refund.

The room calls accounts, orders, payments, stamps, notifications.
"""

from meterai.payments import Refund, RefundCause, RefundState
from meterai.refunds.banks import Bank, banks
from meterai.refunds.claiming import ClaimService
from meterai.refunds.links import CLAIM_PATH
from meterai.refunds.model import (
    CLAIM_KIND,
    CLAIM_LINK_REFUSALS,
    AccountClaim,
    AccountClaimState,
    NothingToRefund,
    refused_as,
    wanted_account,
)
from meterai.refunds.service import (
    RefundAccount,
    RefundAccountState,
    RefundService,
    RefundView,
    all_shown,
    apply,
    ask,
    check_applies,
    give_back_unserved,
    load,
    marks,
    refunds_of_order,
    refunds_of_orders,
    resolve_item,
    shown,
)

__all__ = [
    "CLAIM_KIND",
    "CLAIM_LINK_REFUSALS",
    "CLAIM_PATH",
    "AccountClaim",
    "AccountClaimState",
    "Bank",
    "ClaimService",
    "NothingToRefund",
    "Refund",
    "RefundAccount",
    "RefundAccountState",
    "RefundCause",
    "RefundService",
    "RefundState",
    "RefundView",
    "all_shown",
    "apply",
    "ask",
    "banks",
    "check_applies",
    "give_back_unserved",
    "load",
    "marks",
    "refunds_of_order",
    "refunds_of_orders",
    "refused_as",
    "resolve_item",
    "shown",
    "wanted_account",
]
