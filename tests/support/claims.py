"""Claims of our texts about money, stamps and documents after a failure, and the condition behind each claim."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from html import unescape
from string import Formatter

from meterai.plumbing.messages import LANGUAGES, catalogue
from tests.support.browser_forms import Holding
from tests.support.by_room import together

Holds = Callable[[Holding, Holding], bool]  # called with the holdings before and after the request


def nothing_charged(before: Holding, after: Holding) -> bool:
    """No stamp was used or held, no document was stamped, and no money came."""
    return (
        (before.available, before.held, before.used) == (after.available, after.held, after.used)
        and before.stampings == after.stampings
        and before.captured == after.captured
    )


def nothing_done(before: Holding, after: Holding) -> bool:
    """As `nothing_charged`; also no order was placed, refunded or withdrawn."""
    return nothing_charged(before, after) and before.orders == after.orders


def not_paid(before: Holding, after: Holding) -> bool:
    """No money came."""
    return before.captured == after.captured


def charged_once(before: Holding, after: Holding) -> bool:
    """The request was executed once at most: two documents with a stamp each, or one order."""
    spent = (after.used + after.held) - (before.used + before.held)
    return (
        spent <= 2
        and len(after.stampings) - len(before.stampings) == spent
        and len(after.orders) - len(before.orders) <= 1
        and before.captured == after.captured
    )


def no_stamp_lost(before: Holding, after: Holding) -> bool:
    """Every stamp is still in the balance, or on a stamped document."""
    return (
        before.stamps == after.stamps and after.used - before.used == after.stamped - before.stamped
    )


def files_kept(before: Holding, after: Holding) -> bool:
    """Every waiting file still waits with the places of its stamps, or is stamped."""
    return before.files <= after.files or len(after.stampings) > len(before.stampings)


REPORTS = "assess."  # texts of reports about rehearsals, which no page shows
_TAG = re.compile(r"<[^>]+>")
_SPACE = re.compile(r"\s+")


def _pattern(text: str) -> re.Pattern[str]:
    """A pattern that matches the text with any values in its placeholders."""
    parts = [
        re.escape(_SPACE.sub(" ", literal)) + (".{0,80}?" if name is not None else "")
        for literal, name, _, _ in Formatter().parse(text)
    ]
    return re.compile("".join(parts))


@cache
def claims() -> Mapping[str, tuple[Holds, ...]]:
    """Conditions that must hold if a page shows a text, by the key of the text: `CLAIMS` of all rooms."""
    return together("claims", "CLAIMS")


@cache
def _patterns() -> Mapping[str, Sequence[re.Pattern[str]]]:
    return {
        key: [_pattern(catalogue()[key][language]) for language in LANGUAGES] for key in claims()
    }


def claims_in(page: str) -> list[str]:
    """Keys of the claims in a page or problem document."""
    words = _SPACE.sub(" ", unescape(_TAG.sub("", page)))
    return [key for key, ways in _patterns().items() if any(one.search(words) for one in ways)]


def broken_in(page: str, before: Holding, after: Holding) -> list[str]:
    """The claims of a page that are not true."""
    return [
        f"{key}: {holds.__name__}"
        for key in claims_in(page)
        for holds in claims()[key]
        if not holds(before, after)
    ]
