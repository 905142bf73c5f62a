"""Board: the open incidents as one web process knows them, for the head of every page and the public status.

The board is kept in memory and refreshed once a second by one indexed statement.  So a page costs no query, and the last
known state stays while the database is unavailable.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from contextvars import Context
from datetime import datetime, timedelta
from time import monotonic

import structlog

from meterai import notifications, orders, payments, waiting_room
from meterai.incidents import store
from meterai.incidents.model import Incident, IncidentKind
from meterai.incidents.views import FiguresView, StatusView, in_order, shown
from meterai.kit.clock import WIB, Clock
from meterai.kit.refusal import Refusal
from meterai.pages import Notice, Site
from meterai.plumbing.db.database import Database, ReadTx
from meterai.plumbing.messages import LANGUAGES, format_clock, format_datetime, translate
from meterai.plumbing.readings import Watcher

LOOK_SECONDS = 1.0  # between two refreshes; every page of every process is up to date within two
ANNOUNCED_AHEAD = timedelta(days=1)  # maintenance is shown on every page from then on
NOTICES_MAX = 3  # more would cover the page on a phone
SHOWN_DAYS = timedelta(days=90)
SHOWN_MAX = 50
# An older state is not shown as the current one.  A refresh takes a second, a restart of the database three.
KNOWN_FOR = timedelta(seconds=10)
FIGURES_SECONDS = 5.0  # between two counts in one process
WITHIN = timedelta(minutes=15)  # the times among the figures are of orders that ended within it
_log = structlog.get_logger()


class Board:
    """The incidents of an installation, as one process read them last."""

    def __init__(self, database: Database, clock: Clock, watchers: Sequence[Watcher] = ()) -> None:
        self.watched_at = (
            watchers[0].url if watchers else ""
        )  # the page of a watcher, independent of the platform
        self._database = database
        self._clock = clock
        self._site: Site | None = None
        self._task: asyncio.Task[None] | None = None
        self._notices: Mapping[str, Sequence[Notice]] = {}
        self._known: tuple[datetime, list[Incident]] | None = None
        self._known_at = self._counted_at = float("-inf")
        self._figures = FiguresView()
        self._counting = asyncio.Lock()

    def now(self) -> datetime:
        """Return the present moment."""
        return self._clock.now()

    # -- the head of every page --------------------------------------------------------------------

    def show_on(self, site: Site) -> None:
        """Keep the page heads of a site up to date until the process ends."""
        self._site = site
        self._task = asyncio.create_task(self._refresh_loop(), context=Context())

    async def close(self) -> None:
        """Stop refreshing, at the end of the process."""
        if self._task is not None and self._site is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._site.show({})

    async def _refresh_loop(self) -> None:
        while True:
            try:
                await self.look()
            except Refusal:
                pass  # away or busy: the last state stays
            except Exception as fault:  # boundary of a loop: the next refresh may succeed
                _log.error("board_not_seen", fault=repr(fault), exc_info=True)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Query the open incidents, and update the head of every page."""
        found = await self._database.once(store.open_now)
        notices = notices_of(found, self._clock.now())
        if notices != self._notices and self._site is not None:
            self._notices = notices
            self._known_at = float("-inf")
            self._site.show(notices)

    # -- the public status -------------------------------------------------------------------------

    async def known(self) -> tuple[datetime, list[Incident]]:
        """Return open incidents and those of the last 90 days, open ones first, and the time at which they were read.

        While the database is unavailable, the result of the last successful read is returned; if there was none, the refusal of
        the database is raised.
        """
        if monotonic() - self._known_at < LOOK_SECONDS and self._known is not None:
            return self._known
        now = self._clock.now()
        try:
            async with self._database.reading() as tx:
                found = {one.id: one for one in await store.open_now(tx)}
                past = await store.since(tx, now - SHOWN_DAYS, now, SHOWN_MAX)
                found |= {one.id: one for one in past}
        except Refusal:
            if self._known is None:
                raise
            return self._known
        self._known = now, in_order(found.values())[:SHOWN_MAX]
        self._known_at = monotonic()
        return self._known

    async def status(self) -> StatusView:
        """Return the public status.  Refuses like `known`."""
        at, found = await self.known()
        return StatusView(at, await self._counted(), [shown(one) for one in found])

    async def _counted(self) -> FiguresView:
        """Return the public figures of the platform; they are counted again if `FIGURES_SECONDS` have passed since the last
        count.
        """
        if monotonic() - self._counted_at < FIGURES_SECONDS or self._counting.locked():
            return self._figures
        async with self._counting:
            try:
                async with self._database.reading() as tx:
                    self._figures = await figures(tx, self._clock.now())
            except Refusal:
                self._figures = FiguresView()  # unknown
            self._counted_at = monotonic()
        return self._figures


async def figures(tx: ReadTx, now: datetime) -> FiguresView:
    """Count the public figures; each query uses an index of rows that are open or ended recently."""
    lines = [one for one in await waiting_room.lines(tx) if one.stands_in_the_way]
    ended = await orders.figures_within(tx, now - WITHIN, now)
    paid, back = await orders.in_flight(tx), await payments.refunds_open_now(tx)
    mails = await notifications.oldest_waiting(tx)
    return FiguresView(
        line_waiting=sum(one.waiting for one in lines),
        admission_per_second=round(sum(one.flow_fast for one in lines), 3) if lines else None,
        paid_to_stamped_median_seconds=round(ended.median_seconds, 1) if ended.executed else None,
        paid_to_stamped_p95_seconds=round(ended.p95_seconds, 1) if ended.executed else None,
        in_flight_orders=paid.orders,
        in_flight_rupiah=paid.rupiah,
        in_flight_oldest_seconds=_age(paid.oldest_at, now),
        refunds_open=back.refunds,
        refunds_open_rupiah=back.rupiah,
        refund_oldest_seconds=_age(back.oldest_at, now),
        mails_waiting_oldest_seconds=_age(mails, now),
    )


def _age(since: datetime | None, now: datetime) -> float | None:
    """Return the seconds since a moment at which a wait began; 0 for None, which means that nothing waits."""
    return 0.0 if since is None else max(0.0, round((now - since).total_seconds(), 1))


def notices_of(incidents: Sequence[Incident], now: datetime) -> Mapping[str, Sequence[Notice]]:
    """Return the notices at the head of every page, by language.

    They are about open incidents that have begun, and about maintenance that begins within a day.
    """
    told = [one for one in incidents if one.is_felt or _is_near(one, now)]
    told.sort(key=lambda one: (-one.worst * one.is_felt, one.started_at))
    return {
        language: [_notice(one, language) for one in told[:NOTICES_MAX]] for language in LANGUAGES
    }


def _is_near(incident: Incident, now: datetime) -> bool:
    return incident.begins_at is not None and incident.begins_at - now <= ANNOUNCED_AHEAD


def _end(begins: datetime, ends: datetime, language: str) -> str:
    """Format the end of a time span; its date is left out if the span begins on the same date."""
    is_same_day = begins.astimezone(WIB).date() == ends.astimezone(WIB).date()
    return (format_clock if is_same_day else format_datetime)(ends, language)


def _notice(incident: Incident, language: str) -> Notice:
    is_planned = incident.kind is IncidentKind.MAINTENANCE
    facts = {"title": incident.title[language]}
    if is_planned and incident.begins_at and incident.ends_at:
        facts |= {
            "begins": format_datetime(incident.begins_at, language),
            "ends": _end(incident.begins_at, incident.ends_at, language),
        }
    text = translate(f"notice.{incident.kind}", language, **facts)
    return Notice(
        "planned" if is_planned else str(incident.severity),
        f"/status/incidents/{incident.shown}",
        text,
    )
