"""Refusals of searches in the console, samples of live numbers, and figures and troubles of sales channels; pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from meterai.kit.refusal import Refusal


class SearchTooLong(Refusal):
    """The search text is longer than any name of a subject."""

    code = "search_too_long"
    status = 422

    def __init__(self, length_max: int) -> None:
        super().__init__(f"more than {length_max} characters")
        self.length_max = length_max


class SearchFileUnknown(Refusal):
    """The file to search for is neither a PDF nor a photo."""

    code = "search_file_unknown"
    status = 415


class SearchFileUnreadable(Refusal):
    """The PDF to search for is unreadable, and no document of ours has its SHA-256."""

    code = "search_file_unreadable"
    status = 422


class MinuteSample(NamedTuple):
    """Figures of the minute that ended `at`: of one machine (`source`), or of the whole installation if `source` is
    empty.
    """

    at: datetime
    source: str
    figures: dict[str, float]


# -- channels ------------------------------------------------------------------------------------

WAITS_LONG = timedelta(hours=1)  # a top-up by QRIS or a virtual account takes minutes
SILENT_DAYS = 3  # days without a sale: a weekend may pass, a working day after it may not
LAPSED_SHARE = 0.1  # share of the sales of a week that may lapse
LAPSED_MIN = 5  # with fewer lapsed sales, their share means nothing


class Trouble(StrEnum):
    """Reason why a sales channel is failing; members are ordered from the worst."""

    WAITING_LONG = "waiting_long"  # a sale waits for longer than `WAITS_LONG`
    WAITING = "waiting"  # sales wait: the deposit does not cover them
    SILENT = "silent"  # no sale for `SILENT_DAYS`, but some in the month before
    LAPSING = "lapsing"  # more than `LAPSED_SHARE` of the sales of a week lapsed
    DEPOSIT_LOW = "deposit_low"  # below the agreed threshold, or below the mean use of a day
    WEBHOOKS_DISABLED = "webhooks_disabled"  # a webhook endpoint is disabled


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelStanding:
    """Figures of a sales channel.  Amounts are in rupiah; a channel that is not a distributor has only sales.

    state        state of the distributor; empty for our own pages and for programs of buyers
    mean         rupiah taken from the deposit per day, averaged over a week
    sold_on      the last day of the last 30 on which a stamp was sold
    """

    channel: str
    name: str
    account: UUID | None = None
    region: str = ""
    state: str = ""
    stamps_today: int = 0
    stamps_week: int = 0
    stamps_month: int = 0
    paid: int = 0
    executed: int = 0
    returned: int = 0
    deposit: int = 0
    mean: int = 0
    low_below: int = 0
    waiting_sales: int = 0
    waiting_rupiah: int = 0
    oldest_at: datetime | None = None
    last_sale_at: datetime | None = None
    sold_on: date | None = None
    lapsed: int = 0
    made: int = 0  # sales of a week that were paid or lapsed
    endpoints_disabled: int = 0
    troubles: tuple[Trouble, ...] = ()

    @property
    def cover_days(self) -> float | None:
        """Days that the deposit lasts at the mean use of the last week; None if nothing was sold."""
        return self.deposit / self.mean if self.mean else None


def troubles_of(one: ChannelStanding, now: datetime, today: date) -> Iterator[Trouble]:
    """Yield the reasons why a channel is failing, the worst first; none for a closed or suspended distributor."""
    if one.state != "open":
        return
    if one.oldest_at is not None:
        is_long = now - one.oldest_at > WAITS_LONG
        yield Trouble.WAITING_LONG if is_long else Trouble.WAITING
    if one.sold_on is not None and today - one.sold_on > timedelta(days=SILENT_DAYS):
        yield Trouble.SILENT
    if one.lapsed >= LAPSED_MIN and one.lapsed > LAPSED_SHARE * one.made:
        yield Trouble.LAPSING
    if one.deposit < max(one.low_below, one.mean):
        yield Trouble.DEPOSIT_LOW
    if one.endpoints_disabled:
        yield Trouble.WEBHOOKS_DISABLED


def sorted_by_trouble(channels: list[ChannelStanding]) -> list[ChannelStanding]:
    """Sort failing channels first: by worst trouble, then by waiting rupiah, then by stamps of the month."""
    severity = list(Trouble)

    def key(one: ChannelStanding) -> tuple[int, int, int, str]:
        worst = severity.index(one.troubles[0]) if one.troubles else len(severity)
        return worst, -one.waiting_rupiah, -one.stamps_month, one.name

    return sorted(channels, key=key)
