"""Rules of version 1 of the draw protocol: the terms of an announcement, and the deciding round.

First the list closes, then its root becomes public, and only then the round comes into being.  So nobody can know the value of
the round while the list can still change.  The number of the round follows from the times by a rule, so that nobody can choose
it.
"""

import re

from meterai.draw.protocol import chain as drand
from meterai.draw.protocol.chain import QUICKNET, BeaconChain
from meterai.draw.protocol.record import Announcement

RULES = 1
# Between the publication of the root and the round.  The root must reach the public before the round exists, even if
# clocks differ a little.
MARGIN_SECONDS = 60
PUBLISHED_WITHIN_SECONDS_MIN = 60  # from the closing of the list to the publication of its root
PUBLISHED_WITHIN_SECONDS_MAX = 3_600  # the same, for a draw that is announced again
_TIME_MAX = 1 << 40
_LINE = re.compile(r"[a-z0-9][a-z0-9.-]{0,79}")
_HASH = re.compile(r"(?:[0-9a-f]{64})?")
REASON_LENGTH_MAX = 500


class BrokenTerm:
    """Names of the rules that an announcement can break."""

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
    """Return an announcement with these terms (times in seconds since 1970), and with the round that follows from them."""
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
    """Return the announcement that replaces the failed announcement `old`, whose hash is `replaced`.

    The list closes a minute after `at` (seconds since 1970).  The time to publish the root is doubled, up to a limit,
    since it was too short before.
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
    """Return the number of the deciding round; `published_by` is the latest time of the root's publication."""
    return drand.first_round_at(chain, published_by + MARGIN_SECONDS)


def round_time(announcement: Announcement) -> int:
    """Return the time from which the deciding round exists, in seconds since 1970."""
    return drand.time_of(announcement.chain, announcement.round)


def broken_terms(announcement: Announcement) -> list[str]:
    """Return the names of the rules that an announcement breaks (`BrokenTerm`)."""
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
