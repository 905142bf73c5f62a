"""The rules of version 1: what an announcement may say, and what decides.

Time goes one way: the list closes, its root is public, parties reveal, and only then the round
comes into being that nobody can know before.

A party that does not reveal is named, and changes nothing it could foresee:

  * Where the round is always used, the seed is made without the missing secret.  Who is missing is
    said before the round exists, when nobody can know which seed suits whom.
  * Where the round is used only if somebody is missing, it takes the place of every missing
    secret.  Whoever holds back a secret after seeing the others' gives up an order it knows for
    one it cannot know, once, and is named for it: this is why the round is always used by default.

The round follows from the times by a rule, so there is nothing to choose.
"""

import re

from meterai.waiting_room.draw import chain as drand
from meterai.waiting_room.draw import parties
from meterai.waiting_room.draw.chain import QUICKNET, Chain
from meterai.waiting_room.draw.parties import Party
from meterai.waiting_room.draw.record import Announcement, RoundUse

RULES = 1
# Between the last reveal and the round: what is published reaches others before the round exists,
# and clocks that differ a little do not matter.
MARGIN_SECONDS = 60
PUBLISHED_WITHIN_SECONDS_MIN = 60  # from the end of the list to its root in public
PUBLISHED_WITHIN_SECONDS_MAX = 3_600  # of a draw that is announced anew
_TIME_MAX = 1 << 40
_LINE = re.compile(r"[a-z0-9][a-z0-9.-]{0,79}")
_HASH = re.compile(r"(?:[0-9a-f]{64})?")
REASON_LENGTH_MAX = 500


class Terms:
    """Names of what an announcement breaks."""

    RULES = "rules"
    LINE = "line"
    TIMES = "times"
    CHAIN = "chain"
    ROUND = "round"
    ROUND_USE = "round_use"
    PARTIES = "parties"
    REPLACES = "replaces"


def announcement_of(  # noqa: PLR0913 - everything that is fixed in advance
    line: str,
    closes_at: int,
    published_by: int,
    reveals_until: int | None = None,
    *,
    chain: Chain = QUICKNET,
    round_is_used: RoundUse = RoundUse.ALWAYS,
    named: tuple[Party, ...] = (),
    replaces: str = "",
    reason: str = "",
) -> Announcement:
    """The announcement for these times, with the round that follows from them."""
    until = published_by if reveals_until is None else reveals_until
    return Announcement(
        rules=RULES,
        line=line,
        closes_at=closes_at,
        published_by=published_by,
        reveals_until=until,
        chain=chain,
        round=round_for(chain, until),
        round_is_used=round_is_used,
        parties=named,
        replaces=replaces,
        reason=reason,
    )


def announced_anew(
    old: Announcement, replaced: str, reason: str, at: int, named: tuple[Party, ...] = ()
) -> Announcement:
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
        published_by + old.reveals_until - old.published_by if named else None,
        chain=old.chain,
        round_is_used=old.round_is_used if named else RoundUse.ALWAYS,
        named=named,
        replaces=replaced,
        reason=reason,
    )


def round_for(chain: Chain, reveals_until: int) -> int:
    """The round that decides, given when the last reveal may come."""
    return drand.first_round_at(chain, reveals_until + MARGIN_SECONDS)


def round_time(announcement: Announcement) -> int:
    """When the round exists, seconds since 1970."""
    return drand.time_of(announcement.chain, announcement.round)


def broken_terms(announcement: Announcement) -> list[str]:
    """What of an announcement is not as the rules ask; empty where all is."""
    terms = {
        Terms.RULES: announcement.rules == RULES,
        Terms.LINE: _LINE.fullmatch(announcement.line) is not None,
        Terms.TIMES: _times_hold(announcement),
        Terms.CHAIN: drand.is_usable(announcement.chain),
        Terms.PARTIES: _parties_hold(announcement),
        Terms.ROUND_USE: bool(announcement.parties)
        or announcement.round_is_used is RoundUse.ALWAYS,
        Terms.REPLACES: _HASH.fullmatch(announcement.replaces) is not None
        and bool(announcement.replaces) == bool(announcement.reason)
        and len(announcement.reason) <= REASON_LENGTH_MAX,
    }
    broken = [name for name, holds in terms.items() if not holds]
    if not broken and announcement.round != round_for(
        announcement.chain, announcement.reveals_until
    ):
        broken.append(Terms.ROUND)
    return broken


def uses_round(announcement: Announcement, missing: int) -> bool:
    """Whether the round is part of the seed, given how many parties did not reveal."""
    return announcement.round_is_used is RoundUse.ALWAYS or missing > 0


def _times_hold(announcement: Announcement) -> bool:
    least = announcement.closes_at + PUBLISHED_WITHIN_SECONDS_MIN
    return (
        announcement.closes_at > 0
        and least <= announcement.published_by <= announcement.reveals_until < _TIME_MAX
        and (bool(announcement.parties) or announcement.published_by == announcement.reveals_until)
    )


def _parties_hold(announcement: Announcement) -> bool:
    named = announcement.parties
    return (
        len(named) <= parties.PARTIES_MAX
        and all(parties.is_usable(party) for party in named)
        and len({party.name for party in named}) == len(named)
        and len({party.public_key for party in named}) == len(named)
    )
