"""One watcher: it runs probes, derives states, agrees with other watchers, signs, and publishes.

Its time never goes back: if the system clock is set back, the watcher's time stands still until the clock has caught up.  So no
minute is signed twice.
"""

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import msgspec
import structlog

from meterai.kit.clock import Clock
from meterai.kit.components import Component, ComponentState
from meterai.kit.outside import FromOutside
from meterai.plumbing.readings import (
    WORST_MS_MAX,
    Reading,
    Watcher,
    digest,
    majority_of,
    signed_reading,
)
from meterai.plumbing.signed import DocumentSigner, SignatureWrong, read_signed
from meterai.watch.client import Stranger, TryFailed, iso
from meterai.watch.files import Folder, rendered
from meterai.watch.model import (
    PlatformStatus,
    Published,
    ShownComponent,
    made_worse,
    read_status,
)
from meterai.watch.probes import FILL_SECONDS, Probe, ProbeEnded, ProbeResult, Probes
from meterai.watch.rule import DOUBT_SECONDS, FRESH_SECONDS, LIMITS, Judge, ProbeOutcome, agreed
from meterai.watch.settings import LocatedConfiguration
from meterai.watch.store import ComponentRow, ReadingChain, Store

NOW, CHANGE, NOTES = "meterai watch now", "meterai watch change", "meterai watch notes"
TICK_SECONDS = 1.0
PUBLISH_SECONDS = 10.0  # peers use a state for 60 seconds
PEER_SECONDS, PEER_SECONDS_MAX = 3.0, 2.5  # between two requests to a peer, and for one of them
PEER_FRESH_SECONDS = 60.0
FIGURES_EVERY_SECONDS = 10.0
MAILS_WAIT_SECONDS_MAX = 20.0  # by the platform's figure; twice in a row
CODES_AN_HOUR = 5.5  # requested for each address of the watcher; the platform allows six
ADDRESSES_FOR_DOUBT = 20  # so that quickly repeated tries use different addresses
IN_FLIGHT_MAX = 5  # concurrent tries of one probe
FAULTS_KEPT = 4
CHANGES_SHOWN = 50
_log = structlog.get_logger()


class _PeerNow(msgspec.Struct, frozen=True):
    """A component in the file `now.json` of a peer (another watcher of the installation)."""

    own: str | None


class _Peer(FromOutside, frozen=True):
    """The file `now.json` of a peer (another watcher of the installation)."""

    installation: str
    at: datetime
    components: dict[Component, _PeerNow]

    def vote(self, component: Component) -> ComponentState | None:
        """Return the state of a component as the peer measures it; None if it is not measured there.  Raises `ValueError`."""
        found = self.components.get(component)
        return None if found is None or found.own is None else ComponentState.of(found.own)


class WatcherService:
    """One watcher.  `peers` are all watchers of the installation, itself included; empty if it is the only one."""

    def __init__(
        self,
        watched: LocatedConfiguration,
        store: Store,
        signer: DocumentSigner,
        clock: Clock,
        peers: Sequence[Watcher] = (),
    ) -> None:
        self.watched, self.store, self._signer, self._clock = watched, store, signer, clock
        self._others = [one for one in peers if one.name != watched.of.name]
        self._watchers = len(self._others) + 1
        self._chain = store.fact("chain", ReadingChain) or ReadingChain()
        self._latest = max(clock.now(), self._chain.minute)
        self._started = self.now()
        self._folder = Folder(watched.folder / "public", signer.public_pem())
        new = ComponentRow(
            ComponentState.OPERATIONAL, ComponentState.OPERATIONAL, self._started, None
        )
        kept = {one: store.states().get(one, new) for one in Component}
        self._judges = {one: Judge(state.own) for one, state in kept.items()}
        self._agreed = {one: state.agreed for one, state in kept.items()}
        self._since = {one: state.since for one, state in kept.items()}
        self._measured_at = {one: state.measured_at for one, state in kept.items()}
        self._own = {one: judge.state for one, judge in self._judges.items()}
        self._tried_at: dict[Component, float] = {}
        self._is_measured: dict[Component, bool] = dict.fromkeys(Component, False)
        self._doubted: dict[Component, float] = {}
        self._woken: dict[Component, asyncio.Event] = defaultdict(asyncio.Event)
        self._faults: dict[Component, list[str]] = {one: [] for one in Component}
        self._worst: dict[
            Component, ComponentState
        ] = {}  # within this minute, by measured component
        self._heard: dict[str, _Peer] = {}
        self._mails_wait = 0  # consecutive figures above the limit
        self._status: PlatformStatus | None = None
        self._alone = False
        self._published_at, self._is_changed = 0.0, True
        self._pruned_on = ""
        with _going_on("kept_status_dropped"):
            self._status = self._showable(store.fact("status", PlatformStatus))

    def now(self) -> datetime:
        """Return the present moment, never earlier than a moment that was returned before."""
        self._latest = max(self._clock.now(), self._latest)
        return self._latest

    # -- tries -------------------------------------------------------------------------------

    def record(self, tried: ProbeResult) -> None:
        """Record one finished try of a component."""
        one = tried.component
        self._tried_at[one] = ended = monotonic()
        self._judges[one].take(tried.outcome, ended - tried.seconds, ended)
        if tried.outcome is not ProbeOutcome.GOOD:
            self._woken[one].set()
        self._count(tried)
        if tried.fault:
            self._faults[one] = [*dict.fromkeys([*self._faults[one], tried.fault])][-FAULTS_KEPT:]
            _log.info(
                "try_not_good", component=one, fault=tried.fault, seconds=round(tried.seconds, 1)
            )

    def _count(self, tried: ProbeResult) -> None:
        minute = self.now().replace(second=0, microsecond=0).isoformat()
        try:
            self.store.add_try(
                minute, tried.component, tried.outcome,
                int(min(tried.seconds * 1000, WORST_MS_MAX)), tried.fault,
            )  # fmt: skip
        except sqlite3.Error as error:  # the disk is full: the judge has the try, and continues
            _log.warning("try_not_kept", why=str(error))

    def doubt(self, component: Component) -> None:
        """Start more tries of a component immediately, because a try is late."""
        self._doubted[component] = monotonic()
        self._woken[component].set()

    def every(self, component: Component) -> float:
        """Return the seconds between two tries of a component that works."""
        return self.watched.of.seconds.get(component, LIMITS[component].every)

    def pause(self, component: Component) -> float:
        """Return the seconds until the next try of a component, which depend on its present state."""
        doubted_at = self._doubted.get(component)
        is_late = doubted_at is not None and monotonic() - doubted_at < LIMITS[component].failed
        pause = self._judges[component].pause(self.every(component), is_late=is_late)
        box = self.watched.of.mailbox
        if component is not Component.SIGN_IN or box is None:
            return pause
        is_short = pause <= DOUBT_SECONDS and box.addresses >= ADDRESSES_FOR_DOUBT
        return pause if is_short else max(pause, 3_600 / (CODES_AN_HOUR * box.addresses))

    async def _repeat(self, probes: Probes, probe: Probe, components: Sequence[Component]) -> None:
        running: set[asyncio.Task[None]] = set()
        while True:
            if len(running) < IN_FLIGHT_MAX:
                task = asyncio.create_task(_run_probe(probe))
                running.add(task)
                task.add_done_callback(running.discard)
            begun = monotonic()
            while True:
                pause = min(map(self.pause, components))
                if Component.BUYING in components and probes.is_filling:
                    pause = min(pause, FILL_SECONDS)
                # At multiples of the period, so that probes of one period coincide: a platform worker that found work polls for a
                # while, which costs more than the probe.
                left = (begun // pause + 1) * pause - monotonic()
                if left <= 0:
                    break
                await self._first_woken(components, left)

    async def _first_woken(self, components: Sequence[Component], seconds: float) -> None:
        waits = [asyncio.ensure_future(self._woken[one].wait()) for one in components]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for one, wait in zip(components, waits, strict=True):
            wait.cancel()
            self._woken[one].clear()

    # -- the platform and peers ---------------------------------------------------------------------

    async def _figures(self, probes: Probes) -> None:
        while True:
            with _going_on("status_not_heard"):
                self.take_status(read_status(await probes.figures()))
            await asyncio.sleep(FIGURES_EVERY_SECONDS)

    def take_status(self, found: PlatformStatus | None) -> None:
        """Store the platform's own status; if it gave none (None), the last one stays.

        If mails wait long according to the status, the state of sign-in gets worse; nothing in the status makes a state better.
        """
        found = found and self._showable(found)
        if found is not None:
            self._is_changed |= self._status is None or self._status.incidents != found.incidents
            self._status = found
            with suppress(sqlite3.Error):  # the disk is full
                self.store.keep("status", found)
        waits = (found and found.figures.get("mails_waiting_oldest_seconds")) or 0
        if self.watched.of.mailbox is None:  # nothing here could show the recovery
            return
        self._mails_wait = self._mails_wait + 1 if waits > MAILS_WAIT_SECONDS_MAX else 0
        if self._mails_wait:
            self._count(ProbeResult(Component.SIGN_IN, ProbeOutcome.FAILED, waits, "mails_wait"))

    def _showable(self, status: PlatformStatus | None) -> PlatformStatus | None:
        """Return the status if the files can be rendered with it, else None, since an unusable status must not be stored."""
        try:
            rendered(self.published(status))
        except Exception as error:
            _log.warning("status_dropped", kind=type(error).__name__, why=str(error)[:200])
            return None
        return status

    async def _poll_peer(self, stranger: Stranger, peer: Watcher) -> None:
        while True:
            with (
                _going_on("peer_not_heard"),
                suppress(TryFailed, TimeoutError, SignatureWrong, ValueError),
            ):
                async with asyncio.timeout(PEER_SECONDS_MAX):
                    answer = await stranger.ask("GET", f"{peer.url}/now.json")
                facts = read_signed(answer.must_be(200).body, NOW, peer.public_key)
                self.take_peer(peer.name, facts)
            await asyncio.sleep(PEER_SECONDS)

    def take_peer(self, name: str, facts: Mapping[str, Any]) -> None:
        """Store a peer's states, if they are of this installation, not from the future, and not older than those stored.

        Raises `ValueError`.
        """
        said = msgspec.convert(facts, _Peer)
        for component in Component:
            said.vote(component)
        before = self._heard.get(name)
        # If states of the future were stored, later ones of this peer would be refused until that time.
        is_ahead = (said.at - self._clock.now()).total_seconds() > PEER_FRESH_SECONDS
        if (
            said.installation == self.watched.installation
            and not is_ahead
            and (before is None or said.at >= before.at)
        ):
            self._heard[name] = said

    # -- states ------------------------------------------------------------------------------

    def vote(self, component: Component) -> ComponentState | None:
        """Return the state of a component as this watcher measured it; None if it was not measured lately."""
        if component is Component.SIGN_IN and self._mails_wait > 1:
            return ComponentState.MAJOR_OUTAGE
        tried = self._tried_at.get(component)
        fresh = max(FRESH_SECONDS, 2 * self.pause(component) + FRESH_SECONDS / 2)
        if tried is None or monotonic() - tried > fresh:
            return None
        return self._judges[component].state

    def agree(self) -> None:
        """Determine the agreed state of each component; sign and store each change of an agreed state."""
        now = self.now()
        heard = [
            one for one in self._heard.values()
            if abs((self._clock.now() - one.at).total_seconds()) <= PEER_FRESH_SECONDS
        ]  # fmt: skip
        self._alone = len(heard) + 1 < majority_of(self._watchers)
        for one in Component:
            own = self.vote(one)
            votes = [own, *(peer.vote(one) for peer in heard)]
            found = agreed(self._agreed[one], votes, self._watchers)
            self._is_changed |= self._is_measured[one] is not (found is not None)
            self._is_measured[one] = found is not None
            if found is not None:
                self._measured_at[one] = now
                self._worst[one] = max(self._worst.get(one, found), found)
            self._change(one, own, found, now)

    def _change(
        self,
        one: Component,
        own: ComponentState | None,
        found: ComponentState | None,
        now: datetime,
    ) -> None:
        was_own, was = self._own[one], self._agreed[one]
        own = was_own if own is None else own
        found = was if found is None else found
        if own is was_own and found is was:
            return
        is_agreed = found is not was
        before, after = (was, found) if is_agreed else (was_own, own)
        facts = self._signed_by() | {
            "component": one, "from": before.label, "to": after.label, "at": iso(now),
            "faults": self._faults[one] if after > before else [], "agreed": is_agreed,
        }  # fmt: skip
        self.store.add_change(one, now, facts, self._signer.sign(CHANGE, facts))
        self._own[one], self._agreed[one], self._is_changed = own, found, True
        if after is ComponentState.OPERATIONAL:
            self._faults[one] = []
        if is_agreed:
            self._since[one] = now
        self._keep(one)

    def _keep(self, one: Component) -> None:
        own = self._judges[one].state
        kept = ComponentRow(own, self._agreed[one], self._since[one], self._measured_at[one])
        self.store.keep_state(one, kept)

    def _signed_by(self) -> dict[str, Any]:
        return {"watcher": self.watched.of.name, "installation": self.watched.installation}

    # -- readings ----------------------------------------------------------------------------

    def sign_minutes(self) -> None:
        """Sign the readings of minutes that are over and not signed yet.

        This is the last minute, and after a restart also the minute in which the process was killed.
        """
        this = self.now().replace(second=0, microsecond=0)
        last = this - timedelta(minutes=1)
        due = {last} if last >= self._started.replace(second=0, microsecond=0) else set()
        tried = self.store.last_tried(this)
        due |= {tried} if tried else set()
        for minute in sorted(due):
            if minute > self._chain.minute:
                self._sign(minute)

    def _sign(self, minute: datetime) -> None:
        before = self._chain
        reading = Reading(
            self.watched.of.name,
            self.watched.installation,
            minute,
            before.sequence + 1,
            before.digest,
            self.store.measured(minute.isoformat()),
        )
        document = signed_reading(reading, self._signer)
        chain = ReadingChain(minute, reading.sequence, digest(document))
        self.store.end_minute(
            chain, document, {one: int(state) for one, state in self._worst.items()}
        )
        self._chain, self._worst, self._is_changed = chain, {}, True
        for one in Component:
            self._keep(one)

    # -- files -------------------------------------------------------------------------------

    def published(self, status: PlatformStatus | None) -> Published:
        """Return the content of all published files, with this status of the platform."""
        of, now, notes = self.watched.of, self.now(), self.store.notes()
        components = [
            ShownComponent(
                one, self._agreed[one], made_worse(one, self._agreed[one], notes, status),
                self._since[one], self._measured_at[one], self._is_measured[one],
            )
            for one in Component
        ]  # fmt: skip
        stamped = self.store.stamped_since(now - timedelta(hours=1))
        return Published(
            now, of.name, self.watched.installation, of.title, of.public_url, self._alone, components,
            self.store.changes(CHANGES_SHOWN), notes, status, stamped, self.store.days(),
        )  # fmt: skip

    def _now_document(self, published: Published) -> str:
        components = {}
        for one in published.components:
            own = self.vote(one.component)
            components[one.component] = {
                "own": None if own is None else own.label,
                "agreed": one.agreed.label if one.is_measured else None,
                "since": iso(one.since),
                "faults": self._faults[one.component],
            }
        at = iso(published.at)
        return self._signer.sign(
            NOW, self._signed_by() | {"at": at, "alone": self._alone, "components": components}
        )

    def publish(self) -> None:
        """Write all files.  Raises `OSError` on a full disk; then the old files stay."""
        published = self.published(self._status)
        notes = [
            {"id": one.id, "at": iso(one.at), "component": one.component, "state": one.state.label, "text": one.text}
            for one in published.notes
        ]  # fmt: skip
        said = self._signer.sign(
            NOTES, self._signed_by() | {"at": iso(published.at), "notes": notes}
        )
        self._folder.write(published, self._now_document(published), said)
        self._folder.write_changes(self.store.change_documents())
        for day in {self._latest.date(), (self._latest - timedelta(days=1)).date()}:
            self._folder.write_readings(day, self.store.readings(day.isoformat()))
        self._published_at, self._is_changed = monotonic(), False

    def tick(self) -> None:
        """Agree on states, sign minutes, publish files, delete old rows.

        This is called once a second, so that a step that failed, as on a full disk, is repeated.
        """
        for step in (self.agree, self.sign_minutes, self._publish_changes, self._prune):
            with _going_on(f"{step.__name__.strip('_')}_failed"):
                step()

    def _publish_changes(self) -> None:
        self._is_changed |= self.store.has_changed_elsewhere()
        if self._is_changed or monotonic() - self._published_at >= PUBLISH_SECONDS:
            self.publish()

    def _prune(self) -> None:
        today = self._latest.date().isoformat()
        if self._pruned_on != today:
            self.store.prune(self._latest)
            self._pruned_on = today

    async def run(self) -> None:
        """Watch until cancelled."""
        of = self.watched.of
        key = self.watched.secret(of.api_key_file)
        authorities = str(self.watched.path(of.authorities)) if of.authorities else ""
        async with (
            Stranger(
                self.watched.installation, self._clock, key=key, authorities=authorities
            ) as stranger,
            asyncio.TaskGroup() as tasks,
        ):
            probes = Probes(
                self.watched, stranger, self.store, self._clock, self.record, self.doubt
            )
            for probe, components in probes.schedules().items():
                tasks.create_task(self._repeat(probes, probe, components))
            tasks.create_task(self._figures(probes))
            for peer in self._others:
                tasks.create_task(self._poll_peer(stranger, peer))
            while True:
                self.tick()
                await asyncio.sleep(TICK_SECONDS)


@contextmanager
def _going_on(fault: str) -> Iterator[None]:
    """Log any exception of the block as a warning named `fault`, and suppress it, so that the watcher continues."""
    try:
        yield
    except Exception as error:
        _log.warning(fault, kind=type(error).__name__, why=str(error)[:200])


async def _run_probe(probe: Probe) -> None:
    with (
        _going_on("walk_failed"),
        suppress(ProbeEnded, TryFailed),
    ):  # TryFailed: of a request beside a try, such as a sign-out
        await probe()
