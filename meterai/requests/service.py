"""Request log: buffering, writing in batches, and reading by its owner."""

import asyncio
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from time import monotonic
from typing import NamedTuple
from uuid import UUID

import msgspec
import psycopg
import structlog

from meterai.accounts import KEY_KIND, AccountService
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id, read
from meterai.kit.paging import ListPage
from meterai.kit.priority import Priority
from meterai.kit.text import one_line
from meterai.plumbing.db.database import Database, DatabaseAway, DatabaseBusy
from meterai.plumbing.http.callers import Caller
from meterai.plumbing.http.requests import KEY_LENGTH_MAX
from meterai.plumbing.observe.redaction import without_secrets
from meterai.plumbing.permits import PURPOSE, WorkPurpose
from meterai.requests import store
from meterai.requests.metrics import LINES
from meterai.requests.model import PATH_LENGTH_MAX, RequestEntry, RequestFilter, RequestView

GATHERED_MAX = 20_000  # buffered lines per process: ten megabytes, or ten seconds of peak traffic
WRITTEN_AT_ONCE = 500  # lines per statement: takes some milliseconds; the consecutive numbers in their ids have 12 bits
WRITE_SECONDS = 1.0  # between two writes: the longest delay of a line
LAST_SECONDS = 2.0  # for writing the remaining lines when a process stops
KEYS_KNOWN_MAX = 10_000

_log = structlog.get_logger()


class Noted(NamedTuple):
    """A request with its answer, as buffered for the log."""

    caller: Caller
    at: datetime
    request: str
    method: str
    route: str | None
    path: str
    status: int | None
    code: str | None
    seconds: float
    idempotency_key: str
    bytes_in: int
    bytes_out: int


@lru_cache(KEYS_KNOWN_MAX)
def _key(shown: str) -> UUID:
    return read(KEY_KIND, shown)


def _shown(text: str, length_max: int) -> str:
    """Return a client's text on one line, cut to `length_max` characters and without secrets."""
    cut = text[:length_max]
    return without_secrets(cut if cut.isascii() and cut.isprintable() else one_line(cut))


def _entries(noted: Iterable[Noted]) -> list[RequestEntry]:
    """Return the lines of the log for these requests.

    The ids of the lines have the same millisecond and consecutive numbers, so that the lines keep their order.
    """
    first = new_id().int & ~(0xFFF << 64)
    return [_entry(one, UUID(int=first | at << 64)) for at, one in enumerate(noted)]


def _entry(one: Noted, entry_id: UUID) -> RequestEntry:
    return RequestEntry(
        account_id=one.caller.account,
        entry_id=entry_id,
        at=one.at,
        request=one.request,
        key_id=_key(one.caller.own_actor.id or ""),
        method=one.method,
        route=one.route,
        path=_shown(one.path, PATH_LENGTH_MAX),
        status=one.status,
        code=one.code,
        milliseconds=round(one.seconds * 1000),
        idempotency_key=_shown(one.idempotency_key, KEY_LENGTH_MAX) or None,
        bytes_in=one.bytes_in,
        bytes_out=one.bytes_out,
    )


class RequestLog:
    """Request log of one process: `note` buffers a line in memory, and a task writes the lines."""

    def __init__(self, database: Database, accounts: AccountService, clock: Clock) -> None:
        self._database = database
        self._accounts = accounts
        self._clock = clock
        self._gathered: deque[Noted] = deque()
        self._entries: list[RequestEntry] = []  # lines being written
        self._writing: asyncio.Task[None] | None = None
        self._is_closed = False

    def now(self) -> datetime:
        """Return the current time, for a new line of the log."""
        return self._clock.now()

    def caller_of(self, key: str) -> Caller | None:
        """Return the caller of an API key from the cache, None if it is not cached; runs no query."""
        return self._accounts.cached_caller(key)

    def note(self, noted: Noted) -> None:
        """Buffer a line of the log until it is written; if the buffer is full the line is dropped and counted."""
        if len(self._gathered) >= GATHERED_MAX or self._is_closed:
            LINES.labels(outcome="dropped").inc()
            return
        self._gathered.append(noted)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_on())

    async def _write_on(self) -> None:
        # Background work: requests get database connections before it.
        PURPOSE.set(WorkPurpose(Priority.NEW))
        while not self._is_closed:
            await asyncio.sleep(WRITE_SECONDS)
            with suppress(DatabaseAway, DatabaseBusy):  # the lines are kept and written later
                await self.write()

    async def write(self) -> None:
        """Write the buffered lines. Refuses `DatabaseAway` and `DatabaseBusy`: then the lines stay buffered."""
        while self._entries or self._gathered:
            if not self._entries:
                count = min(len(self._gathered), WRITTEN_AT_ONCE)
                self._entries = _entries([self._gathered.popleft() for _ in range(count)])
            entries, outcome = self._entries, "written"
            try:
                await self._database.once(store.write, entries)
            except psycopg.Error as fault:
                # Rejected lines are dropped, since retrying them would block all later ones.
                _log.error("request_lines_failed", fault=repr(fault))
                outcome = "failed"
            LINES.labels(outcome=outcome).inc(len(entries))
            self._entries = []

    async def close(self) -> None:
        """Write the remaining lines, for at most `LAST_SECONDS`; lines still unwritten then are dropped and counted."""
        self._is_closed = True
        if self._writing is None:
            return
        self._writing.cancel()
        await asyncio.gather(self._writing, return_exceptions=True)
        said = PURPOSE.set(WorkPurpose(Priority.NEW, until=monotonic() + LAST_SECONDS))
        try:
            with suppress(TimeoutError, DatabaseAway, DatabaseBusy):
                async with asyncio.timeout(LAST_SECONDS):
                    await self.write()
        finally:
            PURPOSE.reset(said)  # the task continues with other work
        if left := len(self._gathered) + len(self._entries):
            LINES.labels(outcome="dropped").inc(left)

    async def requests(
        self, account: UUID, wanted: RequestFilter, page: ListPage
    ) -> tuple[list[RequestView], bool]:
        """Return a page of the request log of an account, newest first, and True if there is another page."""
        found = await self._database.once(store.requests_of, account, wanted, page)
        shown, is_more = page.cut(found)
        names = (
            {one.id: one.name for one in await self._accounts.api_keys(account)} if shown else {}
        )
        return [_named(one, names.get(one.key_id, "")) for one in shown], is_more


def _named(view: RequestView, name: str) -> RequestView:
    """Return the line with the name of its API key; the name is empty if the account no longer has the key."""
    return msgspec.structs.replace(view, key_name=name)
