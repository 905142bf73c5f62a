"""What our texts claim of money, stamps and documents after something went wrong, and what must be so then."""

import re
from collections.abc import Callable, Mapping, Sequence
from html import unescape
from string import Formatter

from meterai.plumbing.messages import LANGUAGES, catalogue
from tests.support.browser_forms import Holding

Holds = Callable[[Holding, Holding], bool]  # before what was asked, and after


def nothing_charged(before: Holding, after: Holding) -> bool:
    """No stamp was used or held, no document got one, and no money came."""
    return (
        (before.available, before.held, before.used) == (after.available, after.held, after.used)
        and before.stampings == after.stampings
        and before.captured == after.captured
    )


def nothing_done(before: Holding, after: Holding) -> bool:
    """The same, and nothing was ordered, given back or withdrawn."""
    return nothing_charged(before, after) and before.orders == after.orders


def not_paid(before: Holding, after: Holding) -> bool:
    """No money came."""
    return before.captured == after.captured


def charged_once(before: Holding, after: Holding) -> bool:
    """What was asked for happened once at the most: two documents with a stamp each, or one order."""
    spent = (after.used + after.held) - (before.used + before.held)
    return (
        spent <= 2
        and len(after.stampings) - len(before.stampings) == spent
        and len(after.orders) - len(before.orders) <= 1
        and before.captured == after.captured
    )


def no_stamp_lost(before: Holding, after: Holding) -> bool:
    """Every stamp is still there, or on a document that has it."""
    return (
        before.stamps == after.stamps and after.used - before.used == after.stamped - before.stamped
    )


def files_kept(before: Holding, after: Holding) -> bool:
    """Every file that waited still does, with the places of its stamps, or is stamped."""
    return before.files <= after.files or len(after.stampings) > len(before.stampings)


CLAIMS: Mapping[str, tuple[Holds, ...]] = {
    "page.busy.safe": (nothing_done,),
    "refusal.member_limit_reached": (nothing_done,),
    "refusal.store_not_ours": (nothing_done,),
    "page.busy.safe_paid": (no_stamp_lost,),
    "page.busy.send_again": (charged_once,),
    "page.choose.lead": (nothing_charged,),
    "page.field.body.expected.fields": (nothing_done,),
    "page.field.body.wrong": (nothing_done,),
    "page.kept": (nothing_done,),
    "page.order.lapsed": (not_paid,),
    "page.order.opening": (not_paid,),
    "page.order.opening_late": (not_paid,),
    "page.order.withdrawn": (not_paid,),
    "page.refused.too_large": (nothing_done,),
    "page.review.not_charged": (nothing_done, files_kept),
    "page.review.perhaps_done": (charged_once,),
    "page.review.sign_in_means": (files_kept,),
    "page.stamping.failed": (no_stamp_lost,),
    "page.waiting.refused_safe": (nothing_charged,),
    "page.waiting.safe_money": (nothing_charged,),
    "refusal.art_unusable": (no_stamp_lost,),
    "refusal.body_incomplete": (nothing_charged,),
    "refusal.body_too_slow": (nothing_charged,),
    "refusal.busy": (charged_once,),
    "refusal.database_away": (charged_once,),
    "refusal.drafts_full": (files_kept,),
    "refusal.fault": (charged_once, no_stamp_lost),
    "refusal.form_expired": (nothing_done,),
    "refusal.form_too_large": (nothing_done,),
    "refusal.issuer_unusable": (no_stamp_lost,),
    "refusal.network_full": (files_kept,),
    "refusal.not_in_time": (no_stamp_lost,),
    "refusal.placement_on_stamp": (nothing_charged,),
    "refusal.placements_overlap": (nothing_charged,),
    "refusal.proof_required": (nothing_done,),
    "refusal.revocation_unavailable": (no_stamp_lost,),
    "refusal.sealing_unavailable": (no_stamp_lost,),
    "refusal.stamping_failed": (no_stamp_lost,),
    "refusal.storage_full": (charged_once,),
    "refusal.strangers_full": (files_kept,),
    "refusal.time_stamp_unavailable": (no_stamp_lost,),
    "refusal.uploads_full": (nothing_charged,),
    "refusal.wait_in_line": (nothing_charged,),
}
# What sounds like a claim and is none about what was just asked: said of the service, or of a state.
NO_CLAIMS = {
    "figures.sales.unpaid": "of a period",
    "answer.looked_at": "of an order, as its facts are (tests/cases)",
    "answer.stamping_under_way": "of a stamping, as its facts are (tests/cases)",
    "mail.turn_near.text": "a mail",
    "page.buy.next": "what comes next",
    "refusal.account_unanswered": "of money that waits, whatever was typed",
    "refusal.account_tries_of_network_spent": "of money that waits, whatever was typed",
    "refusal.account_tries_of_all_spent": "of money that waits, whatever was typed",
    "page.choose.kept": "for how long",
    "page.choose.twin": "of a file that is left out, before anything is ordered",
    "page.front.promise.burned.means": "of the service",
    "page.help.interrupted.answer": "of the service",
    "page.help.late.answer": "of the service",
    "page.help.refused_file.answer": "of the service",
    "refusal.too_many_unpaid_orders": "of other orders",
    "page.approval.found": "of a request that was overtaken",
    "page.acting.over": "of an organization that the visitor has left",
    "scope.order.withdraw": "what a key may do",
}
# What the page of an order says of its money, and what the bank must have seen of it then.
Seen = Mapping[str, int]
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
_OF_MONEY = re.compile(
    r"not paid|refunded automatically|arrived|bank (?:itself )?(?:took|gave)|money (?:is|was|back)"
)
# Said before anything was paid, or of what would follow: no state of the money.
_OF_NO_MONEY = frozenset(
    {
        "page.order.money",
        "page.order.paid.deposit",
        "page.order.paid.documents",
        "page.order.paid.stamps",
        "page.order.paid.stopped",
        "page.order.promise",
        "page.order.stamps.given_back",
        "page.order.time_over",
    }
)
REPORTS = "assess."  # of a rehearsal, which is no page
_SOUNDS_LIKE = re.compile(
    r"charged|[Nn]o stamp (?:was|is)|not lost|lost a stamp|not paid|(?:have|has) not been stamped"
    r"|was given back\.|[Nn]othing (?:is|was) (?:lost|done|stamped)|pay twice|is safe, and what"
    r"|files .*are kept|that have arrived are kept"
)
_TAG = re.compile(r"<[^>]+>")
_SPACE = re.compile(r"\s+")


def sounding_like_claims() -> set[str]:
    """The keys of all texts that sound like one."""
    return {
        key
        for key, texts in catalogue().items()
        if _SOUNDS_LIKE.search(texts["en"]) and not key.startswith(REPORTS)
    }


def _pattern(text: str) -> re.Pattern[str]:
    """The text with anything where its facts are."""
    parts = [
        re.escape(_SPACE.sub(" ", literal)) + (".{0,80}?" if name is not None else "")
        for literal, name, _, _ in Formatter().parse(text)
    ]
    return re.compile("".join(parts))


_PATTERNS = {
    key: [_pattern(catalogue()[key][language]) for language in LANGUAGES] for key in CLAIMS
}


def sentences_of_money() -> set[str]:
    """The keys of what the page of an order says of the money that came for it."""
    found = {
        key
        for key, texts in catalogue().items()
        if key.startswith("page.order.") and _OF_MONEY.search(texts["en"])
    }
    assert found >= _OF_NO_MONEY
    return found - _OF_NO_MONEY


def untrue_of(said: Sequence[str], seen: Seen) -> list[str]:
    """Of these sentences of an order those that are not so, by what its bank has seen."""
    return [key for key in said if key in OF_MONEY and not OF_MONEY[key](seen)]


def claims_in(page: str) -> list[str]:
    """The keys of the claims that a page makes, or a problem document."""
    words = _SPACE.sub(" ", unescape(_TAG.sub("", page)))
    return [key for key, ways in _PATTERNS.items() if any(one.search(words) for one in ways)]


def broken_in(page: str, before: Holding, after: Holding) -> list[str]:
    """The claims of a page that are not so."""
    return [
        f"{key}: {holds.__name__}"
        for key in claims_in(page)
        for holds in CLAIMS[key]
        if not holds(before, after)
    ]
