"""Steps of random draws, done by whichever worker comes first; each step may be repeated.

    gathering   the draw is announced; then entries are taken until the list closes
    drawing     list and root are published; the round is fetched; order and numbers are computed
    open        new visitors get numbers behind the drawn ones

After a crash the next worker continues from the database, whose rows are written after the files that they refer to.  Before
each step the last record is published again, so that the round is requested only when the root is committed and public.  A step
replaces the record only if no other worker has replaced it since the step read it: of two workers, one succeeds.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from math import ceil
from time import monotonic

import structlog

from meterai.draw import computing, metrics, store
from meterai.draw.adapters.drand import Relays
from meterai.draw.files import DrawFiles, name_of_draw
from meterai.draw.operating import announce_anew
from meterai.draw.protocol import steps
from meterai.draw.protocol.chain import BeaconChain
from meterai.draw.protocol.record import DrawRecord, RecordPartKind, RecordSigner, read, write
from meterai.draw.protocol.rules import (
    PUBLISHED_WITHIN_SECONDS_MIN,
    announcement_of,
    round_time,
)
from meterai.draw.store import DueDraw
from meterai.draw.subjects import Subjects
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.clock import Clock
from meterai.kit.refusal import Refusal
from meterai.plumbing.db.database import Database, DatabaseAway, DatabaseBusy, Tx
from meterai.plumbing.observe import telemetry

NUMBERS_AT_ONCE = 10_000  # rows of one statement, well under a second
QUIET_SECONDS = 60.0  # between two log events about blocked draws
# The public reason of a draw that is announced again.
TOO_LATE = "The list was not closed in time: our machines could not."
WORKER = Actor(ActorKind.JOB, "advance_draws")
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DrawTerms:
    """Terms of the random draws of an installation.

    `chain` is the drand chain, `publish_seconds` the time from the closing of the list to the publication of its root.
    """

    chain: BeaconChain
    publish_seconds: int


class DrawService:
    """Carries out the random draws of an installation."""

    def __init__(
        self,
        database: Database,
        signer: RecordSigner,
        relays: Relays,
        files: DrawFiles,
        terms: DrawTerms,
        clock: Clock,
        subjects: Subjects,
    ) -> None:
        self._database = database
        self._signer = signer
        self._relays = relays
        self._files = files
        self._terms = terms
        self._clock = clock
        self._subjects = subjects
        self._quiet_until = 0.0

    async def advance_due(self) -> int:
        """Periodic task: do every due step of every draw.  Always returns 0, since no further step is due immediately."""
        for subject in await self._database.once(self._subjects.due):
            async with self._database.reading() as tx:
                draw = await store.draw_of(tx, subject)
            try:
                await self._advance(draw)
            except (DatabaseAway, DatabaseBusy):
                raise
            except Refusal as refusal:
                self._log_blocked(draw, refusal.code, repr(refusal))
            except Exception as fault:  # a blocked draw must not stop the others
                telemetry.FAULTS.labels(where="advance_draws").inc()
                self._log_blocked(draw, "fault", repr(fault))
        return 0

    def _log_blocked(self, draw: DueDraw, code: str, fault: str) -> None:
        metrics.DRAW_STEPS.labels(step="held", outcome=code).inc()
        if monotonic() >= self._quiet_until:
            self._quiet_until = monotonic() + QUIET_SECONDS
            _log.error("draw_held", line=draw.name, attempt=draw.attempt, code=code, fault=fault)

    async def _advance(self, draw: DueDraw) -> None:
        while await self._step(draw):
            async with self._database.reading() as tx:
                subject = await self._subjects.named(tx, draw.name)
                if subject is None:
                    return
                draw = await store.draw_of(tx, subject)

    async def _step(self, draw: DueDraw) -> bool:
        """Do the next step of a draw; False if no other step is due after it."""
        if draw.record is None:
            return draw.is_gathering and await self._begin(draw)
        await self._publish(draw, draw.record)
        if draw.is_gathering:
            return await self._database.run(lambda tx: self._subjects.close(tx, draw.id))
        if not draw.is_drawing:
            return False
        record = read(draw.record.encode())
        return await self._next_of(record)(draw, record)

    def _next_of(self, record: DrawRecord) -> Callable[[DueDraw, DrawRecord], Awaitable[bool]]:
        match record.parts[-1].kind:
            case RecordPartKind.ANNOUNCEMENT:
                return self._close
            case RecordPartKind.CLOSING:
                return self._draw
            case RecordPartKind.RESULT:
                return self._give_numbers

    def _now(self) -> int:
        return int(self._clock.now().timestamp())

    async def _publish(self, draw: DueDraw, record: str) -> None:
        """Publish the record of a draw, and the records of the draw's earlier attempts.

        It is called before each further step, since a crash may have come after the commit and before the file was written.
        """
        if draw.attempt > 1:
            async with self._database.reading() as tx:
                earlier = await store.records_before(tx, draw.id, draw.attempt)
            for one in earlier:
                self._files.publish(draw, one.record, f"draw-{one.attempt}.json")
        self._files.publish(draw, record)

    # -- the steps -------------------------------------------------------------------------

    async def _begin(self, draw: DueDraw) -> bool:
        if self._clock.now() < draw.closes_at:
            return await self._announce(draw)

        async def act(tx: Tx) -> bool:
            is_announced = await store.is_announced(tx, draw.id)
            return not is_announced and await self._subjects.open_undrawn(tx, draw.id)

        if await self._database.run(act):
            _done("opened_undrawn")
            _log.error("line_opened_undrawn", line=draw.name)
        return False

    async def _announce(self, draw: DueDraw) -> bool:
        closes_at = ceil(draw.closes_at.timestamp())
        published_by = closes_at + max(self._terms.publish_seconds, PUBLISHED_WITHIN_SECONDS_MIN)
        announcement = announcement_of(
            name_of_draw(draw.name, draw.id),
            closes_at,
            published_by,
            chain=self._terms.chain,
        )
        record = steps.announce(announcement, self._now(), self._signer)
        text, at = write(record).decode(), self._clock.now()
        await self._database.run(
            partial(store.announce, draw=draw.id, attempt=1, record=text, at=at)
        )
        _done("announced")
        return True

    async def _close(self, draw: DueDraw, record: DrawRecord) -> bool:
        if steps.is_void(record, self._now()):
            return await self._announce_anew(draw)
        file = await self._files.write_list(self._database, draw)
        root, count = await computing.root_and_count(file)
        closed = steps.close(record, bytes.fromhex(root), count, self._now(), self._signer)
        return await self._extend(draw, closed, "closed")

    async def _announce_anew(self, draw: DueDraw) -> bool:
        """Announce a draw again, since its list was not closed in time."""
        now = self._clock.now()

        async def act(tx: Tx) -> int:
            return await announce_anew(tx, draw, TOO_LATE, now, signer=self._signer, actor=WORKER)

        await self._database.run(act)
        _done("announced_anew")
        _log.error("draw_announced_anew", line=draw.name, attempt=draw.attempt)
        return True

    async def _draw(self, draw: DueDraw, record: DrawRecord) -> bool:
        if self._now() < round_time(record.announcement):
            return False
        signature = draw.round_signature or await self._ask_round(record)
        if not signature:
            return False
        seed = steps.seed_from(record, signature)
        order = await self._order(draw, record, seed)
        drawn = steps.finish(record, order, signature, self._now(), self._signer)
        return await self._extend(draw, drawn, "drawn")

    async def _ask_round(self, record: DrawRecord) -> str | None:
        found = await self._relays.signature_of(
            record.announcement.chain, record.announcement.round
        )
        metrics.DRAW_STEPS.labels(step="round", outcome="found" if found else "not_yet").inc()
        return found

    async def _order(self, draw: DueDraw, record: DrawRecord, seed: bytes) -> str:
        """Write the entries of the closed list to a file, in their drawn order; return the hash of the order."""
        closing, file = record.closing, self._files.list_of(draw)
        assert closing is not None, "the draw has no closing"
        if not file.is_file():
            await self._files.write_list(self._database, draw)
        target = self._files.order(draw)
        try:
            return await computing.order(file, closing.root, seed, target)
        except computing.ComputingFailed:
            # The file of the list was changed: write it again from the database.
            await self._files.write_list(self._database, draw)
            return await computing.order(file, closing.root, seed, target)

    async def _give_numbers(self, draw: DueDraw, record: DrawRecord) -> bool:
        closing, result = record.closing, record.result
        assert closing is not None, "the result has no closing"
        assert result is not None, "the draw has no result when numbers are given"
        file = self._files.order(draw)
        async with self._database.reading() as tx:
            last = await store.last_number(tx, draw.id)
        if last < closing.count and not file.is_file():
            await self._order(draw, record, bytes.fromhex(result.seed))
        if last < closing.count:
            for block in computing.blocks_of(file, last, NUMBERS_AT_ONCE):
                await self._database.once(store.put_numbers, draw.id, last + 1, block)
                last += len(block)

        async def act(tx: Tx) -> bool:
            opened = await self._subjects.open(tx, draw.id, closing.count + 1)
            if opened:
                await store.opened(tx, draw)
            return opened

        opened = await self._database.run(act)
        self._files.clear(draw)
        if opened:
            _done("opened")
            _log.info("line_drawn", line=draw.name, entries=closing.count)
        return False

    async def _extend(self, draw: DueDraw, record: DrawRecord, step: str) -> bool:
        closing = record.closing
        assert closing is not None, "the part after an announcement is a closing"
        drawn_at = self._clock.now() if record.result else None

        async def act(tx: Tx) -> bool:
            text = write(record).decode()
            return await store.extend(tx, draw, text, closing.count, drawn_at)

        if await self._database.run(act):
            _done(step)
        return True


def _done(step: str) -> None:
    metrics.DRAW_STEPS.labels(step=step, outcome="done").inc()
