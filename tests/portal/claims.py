"""Claims in texts of the portal, each with the condition that must hold if a page shows it."""

from collections.abc import Callable, Mapping, Sequence

from tests.support.claims import charged_once, files_kept, no_stamp_lost, not_paid, nothing_done

Seen = Mapping[str, int]
CLAIMS = {
    "page.order.lapsed": (not_paid,),
    "page.order.opening": (not_paid,),
    "page.order.opening_late": (not_paid,),
    "page.order.withdrawn": (not_paid,),
    "page.review.not_charged": (nothing_done, files_kept),
    "page.review.perhaps_done": (charged_once,),
    "page.review.sign_in_means": (files_kept,),
    "page.stamping.failed": (no_stamp_lost,),
}
# Sentences of an order's page about its money, each with what the bank must have recorded.
OF_MONEY: Mapping[str, Callable[[Seen], bool]] = {
    "page.order.lapsed": lambda seen: not seen["captured"],
    "page.order.opening": lambda seen: not seen["captured"],
    "page.order.opening_late": lambda seen: not seen["captured"],
    "page.order.withdrawn": lambda seen: not seen["captured"],
    "page.order.arrived": lambda seen: seen["largest"] >= seen["total"],
    "page.order.not_paid_yet": lambda seen: (
        seen["captured"] > 0 and seen["largest"] < seen["total"]
    ),
    "page.order.lapsed.paid": lambda seen: seen["largest"] < seen["total"],
    "page.order.came.goes": lambda seen: not seen["charged_back"] and not seen["refunded"],
    "page.order.came.back": lambda seen: seen["captured"] == seen["refunded"],
    "page.order.came.taken": lambda seen: seen["captured"] == seen["charged_back"],
    "page.order.came.places": lambda seen: seen["captured"] > 0,
    "page.order.executed.stamped_in_part": lambda seen: not seen["charged_back"],
    "page.order.executed.stamped_in_part.taken_back": lambda seen: seen["charged_back"] > 0,
    "page.order.returning": lambda seen: seen["captured"] > seen["refunded"],
    "page.order.returning.refund_refused": lambda seen: seen["captured"] > seen["refunded"],
    "page.order.returning.account_wanted": lambda seen: seen["captured"] > seen["refunded"],
    "page.order.returning.account_held": lambda seen: seen["captured"] > seen["refunded"],
    "page.order.returning.account_refused": lambda seen: seen["captured"] > seen["refunded"],
    "page.order.returning.below": lambda seen: seen["captured"] > seen["refunded"],
    "page.order.returned.below": lambda seen: seen["captured"] > 0,
    "page.order.returning.transfer": lambda seen: seen["captured"] > seen["refunded"],
    "page.order.returned": lambda seen: seen["refunded"] > 0,
    "page.order.returned.transfer": lambda seen: seen["captured"] > seen["refunded"],
    "page.order.returned.by_the_bank": lambda seen: seen["captured"] == seen["charged_back"],
    "page.order.returned.by_the_provider": lambda seen: seen["captured"] == seen["refunded"],
    "page.order.denied": lambda seen: seen["charged_back"] > 0,
    "page.order.denied.stamped": lambda seen: seen["charged_back"] > 0,
    "page.order.denied.in_part": lambda seen: 0 < seen["charged_back"] < seen["captured"],
    "page.order.stamps.taken": lambda seen: seen["charged_back"] + seen["refunded"] > 0,
}


def untrue_of(said: Sequence[str], seen: Seen) -> list[str]:
    """Those of the sentences that contradict the bank's record."""
    return [key for key in said if key in OF_MONEY and not OF_MONEY[key](seen)]
