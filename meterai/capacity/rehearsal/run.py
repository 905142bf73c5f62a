"""One rehearsal from its beginning to its file: prepared, driven, broken, watched, asked, summed up."""

import asyncio
import os
import random  # noqa: TID251 - seeded below
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

import psutil

from meterai.capacity.rehearsal import faults, machine, promises
from meterai.capacity.rehearsal.connection import ConnectionLost
from meterai.capacity.rehearsal.faults import Faults
from meterai.capacity.rehearsal.generator import maker_of
from meterai.capacity.rehearsal.installation import (
    Addresses,
    OwnInstallation,
    Spent,
    spent_by,
)
from meterai.capacity.rehearsal.journeys import CHECKING, JOURNEYS, PAYING
from meterai.capacity.rehearsal.limit import trivial_server, wrk_rate
from meterai.capacity.rehearsal.observation import Observation
from meterai.capacity.rehearsal.plan import ANY_DEVICE, FaultPlan, JourneyName, Plan
from meterai.capacity.rehearsal.processes import Generators, Order
from meterai.capacity.rehearsal.progress import Shown
from meterai.capacity.rehearsal.promises import Audit
from meterai.capacity.rehearsal.recovery import recovered_at
from meterai.capacity.rehearsal.sites import Site, site_of
from meterai.capacity.rehearsal.tally import Counted, Tally, sum_of
from meterai.capacity.rehearsal.visitor import StepFailed, Visitor, World
from meterai.capacity.results import (
    SCHEMA,
    Arrivals,
    Costs,
    DataSize,
    Fault,
    Generator,
    Machine,
    Promise,
    Run,
    Series,
    Target,
    VoidReason,
)
from meterai.commands import Exit
from meterai.kit.clock import Clock
from meterai.kit.refusal import Refusal

BEGINS_AFTER_SECONDS = 0.5  # so that every process has been told before
SETTLE_SECONDS = (
    3.0  # what was paid in the last moment is executed before the bank's record is compared
)
LOOK_AGAIN_SECONDS = 10.0
LATE_SECONDS_MAX = (
    0.25  # of the hundredth that is begun latest: more would be measured as the server's
)
FAULTS_SECONDS_MAX = 90.0  # after the last visitor, for parts that still come back


class InstallationUnfit(Refusal):
    """The installation could not serve one visitor alone, so that no load says anything."""

    code = "installation_unfit"
    status = 409

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url}: {reason}")
        self.url = url
        self.reason = reason


class StandinsUnknown(Refusal):
    """A journey of the plan pays or signs in, and where bank and mail are is not known."""

    code = "standins_unknown"
    status = 422

    def __init__(self, journey: str) -> None:
        super().__init__(journey)
        self.journey = journey


@dataclass(frozen=True)
class Rehearsal:
    """What is to be done, and with whom.

    `audit` runs `meterai audit` on the installation, where its directory is known; `own` is the
    installation that this run started, if it did.
    """

    text: str  # of the plan
    plan: Plan
    addresses: Addresses
    target: Target
    processes: int
    command: Sequence[str]
    clock: Clock
    shown: Shown
    audit: Audit | None = None
    own: OwnInstallation | None = None

    @property
    def site(self) -> Site:
        """Of the installation."""
        return site_of(self.addresses.web)

    @property
    def bank(self) -> Site | None:
        """The stand-in, where it is known."""
        return site_of(self.addresses.bank) if self.addresses.bank else None

    @property
    def mail(self) -> Site | None:
        """The stand-in, where it is known."""
        return site_of(self.addresses.mail) if self.addresses.mail else None

    def sites(self) -> list[Site]:
        """Every server that the run speaks to."""
        one = self.addresses
        return [site_of(url) for url in (one.web, one.bank, one.mail, one.metrics) if url]


@dataclass(slots=True)
class Happened:
    """What was noted while the load was on."""

    observed: Observation = field(default_factory=Observation)
    broken: list[tuple[FaultPlan, float, float | None]] = field(default_factory=list)
    asked: list[Promise] = field(default_factory=list)
    is_broken_off: bool = False


# -- before the load ------------------------------------------------------------------------


def check(rehearsal: Rehearsal) -> None:
    """Look whether the plan can be carried out.  Refuses `StandinsUnknown`, `FaultImpossible`."""
    names = {one.name for one in rehearsal.plan.journeys}
    if rehearsal.bank is None or rehearsal.mail is None:
        for one in sorted(names & (PAYING | CHECKING)):
            raise StandinsUnknown(one.value)
    faults.check(rehearsal.plan.faults, rehearsal.own)


async def _alone(rehearsal: Rehearsal) -> tuple[bytes, ...]:
    """One visitor of each kind alone, and what they had stamped.  Refuses `InstallationUnfit`."""
    plan, tally = rehearsal.plan, Tally()
    maker = maker_of(plan.bounds.document_bytes)
    site, bank, mail = rehearsal.site, rehearsal.bank, rehearsal.mail
    world = World(site, plan.bounds, tally, monotonic(), maker, bank, mail)
    names = {one.name for one in plan.journeys}
    first = (names - CHECKING) | ({JourneyName.BUY} if names & CHECKING else set())
    # Those who check need what those who buy had stamped; the others may come together.
    for together in (first, names & CHECKING):
        await asyncio.gather(*(_one(world, name, plan.seed) for name in sorted(together)))
    return tuple(world.stamped)


async def _one(world: World, name: JourneyName, seed: int) -> None:
    drawing = random.Random(f"{seed}/alone/{name.value}")  # noqa: S311 - nothing secret
    tally = world.tally.journey(name.value)
    visitor = Visitor(world, tally, ANY_DEVICE, drawing, world.now())
    try:
        await JOURNEYS[name](visitor)
    except (StepFailed, ConnectionLost) as failed:
        raise InstallationUnfit(world.site.url, f"{name.value}: {failed}") from None
    finally:
        visitor.leave()


# -- during the load ------------------------------------------------------------------------


async def _break(rehearsal: Rehearsal, happened: Happened, now: Callable[[], float]) -> None:
    """Make the faults of the plan at their times."""
    if rehearsal.own is None:
        return
    made = Faults(rehearsal.own)
    for fault in rehearsal.plan.faults:
        await asyncio.sleep(max(fault.at - now(), 0.0))
        begun = now()
        try:
            happened.broken.append((fault, *await made.make(fault, now)))
        except (LookupError, psutil.NoSuchProcess, ConnectionLost, OSError):
            # What was to be broken was down already, or cannot be spoken to: never healed.
            happened.broken.append((fault, begun, None))


async def _ask(rehearsal: Rehearsal, happened: Happened, now: Callable[[], float]) -> None:
    """Audit again and again."""
    every, audit = rehearsal.plan.promises.audit_every_seconds, rehearsal.audit
    if audit is None or not every:
        return
    while True:
        await asyncio.sleep(every)
        begun = now()
        done = await asyncio.to_thread(audit, ("--incremental", "--json"))
        happened.asked.append(promises.audited(done, begun))


def _spent(rehearsal: Rehearsal, generators: Generators) -> Callable[[], Mapping[str, Spent]]:
    own, pids = rehearsal.own, [*generators.pids, os.getpid()]
    return lambda: {**(own.spent() if own else {}), "generator": spent_by(pids)}


@asynccontextmanager
async def _meanwhile(
    rehearsal: Rehearsal, happened: Happened, generators: Generators, now: Callable[[], float]
) -> AsyncIterator[None]:
    """Watch, break and ask while this lasts."""
    spent = _spent(rehearsal, generators)
    watching = asyncio.ensure_future(
        happened.observed.watch(now, rehearsal.addresses.metrics, spent)
    )
    asking = asyncio.ensure_future(_ask(rehearsal, happened, now))
    breaking = asyncio.ensure_future(_break(rehearsal, happened, now))
    try:
        yield
        with suppress(TimeoutError):
            async with asyncio.timeout(FAULTS_SECONDS_MAX):
                await breaking
    finally:
        for one in (watching, asking, breaking):
            one.cancel()
        told = await asyncio.gather(watching, asking, breaking, return_exceptions=True)
    for fault in told:
        if isinstance(fault, Exception):
            raise fault


@asynccontextmanager
async def _interruptible(happened: Happened, generators: Generators) -> AsyncIterator[None]:
    """Ctrl-C ends the load, and what was measured until then is kept; a second one ends us."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        happened.is_broken_off = True
        generators.stop()
        loop.remove_signal_handler(signal.SIGINT)

    loop.add_signal_handler(signal.SIGINT, stop)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


# -- after the load -------------------------------------------------------------------------


async def _at_the_end(
    rehearsal: Rehearsal, happened: Happened, counted: Counted, now: Callable[[], float]
) -> list[Promise]:
    """Every promise, asked once the load is over."""
    plan, observed = rehearsal.plan, happened.observed
    breaks = plan.breaks_the_database
    found = [
        promises.no_error_pages(counted, now(), breaks_the_database=breaks),
        promises.paid_before_unpaid(observed, counted, now()),
    ]
    audit = rehearsal.audit
    if audit is None:
        return [*found, promises.not_audited(now())]
    await asyncio.sleep(SETTLE_SECONDS)
    done = await asyncio.to_thread(audit, ("--json", *_with_bank(rehearsal)))
    if done.status == Exit.NO and rehearsal.addresses.bank:
        # The bank may have been told in this moment, and we not yet.
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        done = await asyncio.to_thread(audit, ("--json", *_with_bank(rehearsal)))
    found.append(promises.audited(done, now()))
    if rehearsal.addresses.bank:
        found.append(promises.nothing_lost(done, counted, now()))
    return found


def _with_bank(rehearsal: Rehearsal) -> tuple[str, ...]:
    """What an audit is asked besides, where there is a bank to compare with."""
    return ("--bank", "--bank-days", "2") if rehearsal.addresses.bank else ()


def _faults(happened: Happened, counted: Counted, lost: Mapping[str, int]) -> tuple[Fault, ...]:
    found = []
    for plan, at, healed_at in happened.broken:
        recovered = None
        if healed_at is not None:
            recovered = recovered_at(counted.seconds, at, healed_at, counted.last_at)
        # What lasts is over when its cause is gone; a part that was killed is missed from then on.
        since = healed_at if plan.kind.lasts else at
        took = None if recovered is None or since is None else max(recovered - since, 0.0)
        found.append(Fault(plan.kind.value, at, healed_at, recovered, took, lost))
    return tuple(found)


def _by_seconds(counted: Counted) -> list[Series]:
    """What the generator counted, as series."""
    found = []
    for name, figures in counted.seconds.items():
        what, _, of = name.partition("/")
        at = tuple(float(second) for second in range(len(figures)))
        if what == "took":
            ended = counted.seconds[f"ended/{of}"]
            told = [(t, f / n) for t, f, n in zip(at, figures, ended, strict=True) if n]
            times, means = tuple(t for t, _ in told), tuple(mean for _, mean in told)
            found.append(Series("step_latency", of, "s", times, means))
        elif what in ("finished", "answers", "requests", "failed"):
            found.append(Series(what, of, "1/s", at, tuple(figures)))
        elif what == "under_way":
            found.append(Series(what, of, "visitors", at, tuple(figures)))
    return found


def _void(
    counted: Counted, happened: Happened, *, limit: float, peak: float, is_complete: bool
) -> tuple[VoidReason, ...]:
    reasons = {
        VoidReason.BEYOND_LIMIT: peak > limit,
        VoidReason.DROPPED: sum(counted.seconds.get("dropped", ())) > 0,
        VoidReason.LATE: counted.lateness.p99 > LATE_SECONDS_MAX,
        VoidReason.BROKEN_OFF: happened.is_broken_off,
        VoidReason.GENERATOR_DIED: not is_complete,
    }
    return tuple(reason for reason, is_so in reasons.items() if is_so)


def _arrivals(counted: Counted) -> Arrivals:
    length = int(counted.last_at) + 1
    none = [0.0] * length

    def of(name: str) -> tuple[int, ...]:
        return tuple(int(one) for one in counted.seconds.get(name, none))

    return Arrivals(of("offered"), of("sent"), of("dropped"))


async def rehearse(rehearsal: Rehearsal) -> Run:
    """Carry out a plan.

    Refuses `StandinsUnknown`, `FaultImpossible`, `InstallationUnfit`.  Raises `GeneratorDied` where
    none of the generator processes told anything.
    """
    check(rehearsal)
    load, own, plan = os.getloadavg()[0], rehearsal.own, rehearsal.plan
    before = own.bytes() if own else 0
    stamped = await _alone(rehearsal)
    orders = [
        Order(
            rehearsal.text,
            share,
            rehearsal.processes,
            rehearsal.site,
            rehearsal.bank,
            rehearsal.mail,
            stamped,
        )
        for share in range(rehearsal.processes)
    ]
    happened = Happened()
    with Generators(orders) as generators:
        with trivial_server() as trivial:
            rates = await asyncio.to_thread(generators.rates, trivial)
            wrk = await asyncio.to_thread(wrk_rate, trivial)
        began_at, begins = rehearsal.clock.now(), monotonic() + BEGINS_AFTER_SECONDS
        generators.begin(begins)

        def now() -> float:
            return monotonic() - begins

        async with (
            _interruptible(happened, generators),
            _meanwhile(rehearsal, happened, generators, now),
        ):
            told = await generators.listen(rehearsal.shown.update)
    counted = sum_of(told)
    held = await _at_the_end(rehearsal, happened, counted, now)
    size = DataSize(before, own.bytes()) if own else None
    peak = max(counted.seconds.get("requests", [0.0]))
    generator = Generator(
        processes=rehearsal.processes,
        limit_per_second=sum(rates),
        peak_per_second=peak,
        open_max=plan.bounds.open_max,
        lateness=counted.lateness,
        wrk_per_second=wrk,
        void=_void(
            counted,
            happened,
            limit=sum(rates),
            peak=peak,
            is_complete=len(told) == len(orders),
        ),
    )
    return _run(
        rehearsal, happened, counted, began_at, generator, held, machine.description(load, size)
    )


def _run(
    rehearsal: Rehearsal,
    happened: Happened,
    counted: Counted,
    began_at: datetime,
    generator: Generator,
    held: Sequence[Promise],
    described: Machine,
) -> Run:
    lost = {"stamps": counted.stamps_wrong}
    return Run(
        schema=SCHEMA,
        name=rehearsal.plan.name,
        began_at=began_at,
        seconds=counted.last_at,
        seed=rehearsal.plan.seed,
        command=tuple(rehearsal.command),
        plan=rehearsal.text,
        machine=described,
        target=rehearsal.target,
        generator=generator,
        arrivals=_arrivals(counted),
        journeys=counted.journeys,
        statuses=counted.statuses,
        error_pages=counted.error_pages,
        first_error_pages=counted.first_error_pages,
        series=(*_by_seconds(counted), *happened.observed.series()),
        faults=_faults(happened, counted, lost),
        promises=(*happened.asked, *held),
        costs=Costs(
            cpu_seconds=happened.observed.cpu_seconds(),
            bytes_sent=counted.bytes_sent,
            bytes_received=counted.bytes_received,
            requests=counted.requests,
            orders_paid=counted.orders_paid,
            stamps=counted.stamps,
        ),
    )
