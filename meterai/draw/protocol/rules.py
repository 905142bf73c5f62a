"""The rules of version 1: what an announcement may say, and what decides.

Time goes one way: the list closes, its root is public, and only then the round comes into being
that nobody can know before.  The round follows from the times by a rule, so there is nothing to choose.
"""

import re

from meterai.draw.protocol import chain as drand
from meterai.draw.protocol.chain import QUICKNET, BeaconChain
from meterai.draw.protocol.record import Announcement

RULES = 1
# Between the root in public and the round: what is published reaches others before the round exists,
# and clocks that differ a little do not matter.
MARGIN_SECONDS = 60
PUBLISHED_WITHIN_SECONDS_MIN = 60  # from the end of the list to its root in public
PUBLISHED_WITHIN_SECONDS_MAX = 3_600  # of a draw that is announced anew
_TIME_MAX = 1 << 40
_LINE = re.compile(r"[a-z0-9][a-z0-9.-]{0,79}")
_HASH = re.compile(r"(?:[0-9a-f]{64})?")
REASON_LENGTH_MAX = 500


class BrokenTerm:
    """Names of what an announcement breaks."""

    RULES = "rules"
    LINE = "line"
    TIMES = "times"
    CHAIN = "chain"
    ROUND = "round"
    REPLACES = "replaces"


def announcement_of(
    line: str,
    closes_at: int,
    published_by: int,
    *,
    chain: BeaconChain = QUICKNET,
    replaces: str = "",
    reason: str = "",
) -> Announcement:
    """The announcement for these times, with the round that follows from them."""
    return Announcement(
        rules=RULES,
        line=line,
        closes_at=closes_at,
        published_by=published_by,
        reveals_until=published_by,
        chain=chain,
        round=round_for(chain, published_by),
        replaces=replaces,
        reason=reason,
    )


def announced_anew(old: Announcement, replaced: str, reason: str, at: int) -> Announcement:
    """In place of what could not be carried out (`replaced`, its hash), from a minute after `at`.

    Twice as long to publish, up to a bound: what was too slow once would be so again.
    """
    closes_at = at + MARGIN_SECONDS
    seconds = 2 * (old.published_by - old.closes_at)
    published_by = closes_at + min(seconds, PUBLISHED_WITHIN_SECONDS_MAX)
    return announcement_of(
        old.line,
        closes_at,
        published_by,
        chain=old.chain,
        replaces=replaced,
        reason=reason,
    )


def round_for(chain: BeaconChain, published_by: int) -> int:
    """The round that decides, given when the root is public at the latest."""
    return drand.first_round_at(chain, published_by + MARGIN_SECONDS)


def round_time(announcement: Announcement) -> int:
    """When the round exists, seconds since 1970."""
    return drand.time_of(announcement.chain, announcement.round)


def broken_terms(announcement: Announcement) -> list[str]:
    """What of an announcement is not as the rules ask; empty where all is."""
    terms = {
        BrokenTerm.RULES: announcement.rules == RULES,
        BrokenTerm.LINE: _LINE.fullmatch(announcement.line) is not None,
        BrokenTerm.TIMES: _times_hold(announcement),
        BrokenTerm.CHAIN: drand.is_usable(announcement.chain),
        BrokenTerm.REPLACES: _HASH.fullmatch(announcement.replaces) is not None
        and bool(announcement.replaces) == bool(announcement.reason)
        and len(announcement.reason) <= REASON_LENGTH_MAX,
    }
    broken = [name for name, holds in terms.items() if not holds]
    if not broken and announcement.round != round_for(
        announcement.chain, announcement.published_by
    ):
        broken.append(BrokenTerm.ROUND)
    return broken


def _times_hold(announcement: Announcement) -> bool:
    least = announcement.closes_at + PUBLISHED_WITHIN_SECONDS_MIN
    return (
        announcement.closes_at > 0
        and least <= announcement.published_by == announcement.reveals_until < _TIME_MAX
    )
