"""One rehearsal from beginning to end: preparation, load, faults, observation, checks."""

import asyncio
import os
import random  # noqa: TID251 - seeded below
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from time import monotonic

import psutil

from meterai.commands import Exit
from meterai.kit.refusal import CommandRefusal
from meterai_rehearsal.clients.wire import ConnectionLost
from meterai_rehearsal.rehearsal import machine, promises
from meterai_rehearsal.rehearsal.faults import Faults
from meterai_rehearsal.rehearsal.generator import maker_of
from meterai_rehearsal.rehearsal.given import Rehearsal, check
from meterai_rehearsal.rehearsal.installation import COMMAND_SECONDS_MAX, Spent, spent_by
from meterai_rehearsal.rehearsal.journeys import CHECKING, JOURNEYS
from meterai_rehearsal.rehearsal.limit import trivial_server, wrk_rate
from meterai_rehearsal.rehearsal.outcome import Happened, Limits, run_of
from meterai_rehearsal.rehearsal.plan import ANY_DEVICE, JourneyName
from meterai_rehearsal.rehearsal.processes import GeneratorDied, Generators, Order
from meterai_rehearsal.rehearsal.tally import Counted, Tally, sum_of
from meterai_rehearsal.rehearsal.visitor import StepFailed, Visitor, World
from meterai_rehearsal.results import DataSize, Promise, Run

BEGINS_AFTER_SECONDS = 0.5  # so that every process knows the begin before that time
SETTLE_SECONDS = 2.0  # the last payments are executed before the bank's record is compared
LOOK_AGAIN_SECONDS = 10.0
_ENDING = (signal.SIGINT, signal.SIGTERM)
FAULTS_SECONDS_MAX = 90.0  # after the last visitor, for parts that still return


class InstallationUnfit(CommandRefusal):
    """The installation could not serve a single visitor, so a load would be meaningless."""

    code = "installation_unfit"
    status = 409

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url}: {reason}")
        self.url = url
        self.reason = reason


# -- before the load ------------------------------------------------------------------------


async def _run_each_alone(rehearsal: Rehearsal, mark: str) -> tuple[bytes, ...]:
    """Run one visitor of each kind alone. Return the documents they stamped. Refuses `InstallationUnfit`."""
    plan, tally = rehearsal.plan, Tally()
    maker = maker_of(plan.bounds.document_bytes)
    site, bank, mail = rehearsal.site, rehearsal.bank, rehearsal.mail
    world = World(site, plan.bounds, tally, monotonic(), maker, bank, mail, mark=mark)
    names = {one.name for one in plan.journeys}
    first = (names - CHECKING) | ({JourneyName.BUY} if names & CHECKING else set())
    # Visitors who check need documents stamped by buyers; the others may come together.
    for together in (first, names & CHECKING):
        await asyncio.gather(*(_run_alone(world, name, plan.seed) for name in sorted(together)))
    return tuple(world.stamped)


async def _run_alone(world: World, name: JourneyName, seed: int) -> None:
    drawing = random.Random(f"{seed}/alone/{name.value}")  # noqa: S311 - nothing secret
    tally = world.tally.journey(name.value)
    visitor = Visitor(world, tally, ANY_DEVICE, drawing, world.now())
    try:
        await JOURNEYS[name](visitor)
    except (StepFailed, ConnectionLost) as failed:
        raise InstallationUnfit(world.site.url, f"{name.value}: {failed}") from None
    finally:
        visitor.leave()


def _orders(rehearsal: Rehearsal, stamped: tuple[bytes, ...], mark: str) -> list[Order]:
    """Return the task of each generator process."""
    shares = rehearsal.processes
    site, bank, mail = rehearsal.site, rehearsal.bank, rehearsal.mail
    return [
        Order(rehearsal.text, share, shares, site, bank, mail, stamped, mark)
        for share in range(shares)
    ]


async def _prepare(rehearsal: Rehearsal) -> None:
    """Run the commands of the plan on the run's own installation. Refuses `InstallationUnfit`."""
    own = rehearsal.own
    for words in rehearsal.plan.own.commands if own else ():
        assert own is not None
        done = await asyncio.to_thread(own.command, *words)
        if done.status != Exit.DONE:
            raise InstallationUnfit(rehearsal.site.url, f"{' '.join(words)}: {done.text.strip()}")


async def _limits(generators: Generators) -> Limits:
    """Measure the speed of the generator alone, now. Raises `GeneratorDied`."""
    try:
        with trivial_server() as trivial:
            rates = await asyncio.to_thread(generators.rates, trivial)
            return Limits(sum(rates), await asyncio.to_thread(wrk_rate, trivial))
    except (EOFError, OSError):
        raise GeneratorDied("the speed of the generator could not be measured") from None


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
            # The part was down already, or is unreachable, so the fault counts as never healed.
            happened.broken.append((fault, begun, None))


async def _command(rehearsal: Rehearsal, happened: Happened, now: Callable[[], float]) -> None:
    """Run the commands of the plan at their times, each after the end of the one before."""
    own = rehearsal.own
    for one in rehearsal.plan.commands if own else ():
        assert own is not None
        await asyncio.sleep(max(one.at - now(), 0.0))
        begun = now()
        done = await asyncio.to_thread(own.command, *one.words)
        happened.commanded.append((one, begun, done))


async def _audit_repeatedly(
    rehearsal: Rehearsal,
    happened: Happened,
    now: Callable[[], float],
    is_over: asyncio.Event,
) -> None:
    """Audit repeatedly until the load is over, and wait for an audit under way."""
    every, audit = rehearsal.plan.promises.audit_every_seconds, rehearsal.audit
    if audit is None or not every:
        return
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(every):
                await is_over.wait()
                return
        begun = now()
        done = await asyncio.to_thread(audit, ("--incremental", "--json"))
        happened.asked.append(promises.audited(done, begun))


def _spent(rehearsal: Rehearsal, generators: Generators) -> Callable[[], Mapping[str, Spent]]:
    own, pids = rehearsal.own, [*generators.pids, os.getpid()]
    return lambda: {**(own.spent() if own else {}), "generator": spent_by(pids)}


@asynccontextmanager
async def _observe(
    rehearsal: Rehearsal, happened: Happened, generators: Generators, now: Callable[[], float]
) -> AsyncIterator[None]:
    """Observe, make faults, run commands and audit during the `with` block."""
    spent = _spent(rehearsal, generators)
    watching = asyncio.ensure_future(
        happened.observed.watch(now, rehearsal.addresses.metrics, spent)
    )
    is_over = asyncio.Event()
    asking = asyncio.ensure_future(_audit_repeatedly(rehearsal, happened, now, is_over))
    breaking = asyncio.ensure_future(_break(rehearsal, happened, now))
    commanding = asyncio.ensure_future(_command(rehearsal, happened, now))
    try:
        yield
        if not happened.is_broken_off:  # later faults are not made
            with suppress(TimeoutError):
                async with asyncio.timeout(FAULTS_SECONDS_MAX):
                    await breaking
            with suppress(TimeoutError):
                async with asyncio.timeout(COMMAND_SECONDS_MAX):
                    await commanding
        is_over.set()
        await asking
    finally:
        parts = (watching, asking, breaking, commanding)
        for one in parts:
            one.cancel()
        told = await asyncio.gather(*parts, return_exceptions=True)
    for fault in told:
        if isinstance(fault, Exception):
            raise fault


@asynccontextmanager
async def _interruptible(happened: Happened, generators: Generators) -> AsyncIterator[None]:
    """Let Ctrl-C or SIGTERM end the load and keep the measurements so far; a second one ends the process."""
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGTERM)

    def give_back() -> None:
        for number in _ENDING:
            loop.remove_signal_handler(number)
        signal.signal(signal.SIGTERM, before)

    def stop() -> None:
        happened.is_broken_off = True
        generators.stop()
        give_back()

    for number in _ENDING:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        give_back()


# -- after the load -------------------------------------------------------------------------


async def _check_promises(
    rehearsal: Rehearsal, happened: Happened, counted: Counted, now: Callable[[], float]
) -> list[Promise]:
    """Check every promise after the load."""
    plan, observed = rehearsal.plan, happened.observed
    breaks = plan.breaks_the_database
    found = [
        promises.no_error_pages(counted, now(), breaks_the_database=breaks),
        promises.paid_before_unpaid(observed, counted, now()),
    ]
    if counted.places:
        found.append(promises.order_of_the_line(counted, now()))
    if (strangers := promises.share_of_strangers(plan, counted, now())) is not None:
        found.append(strangers)
    if plan.commands:
        found.append(promises.commands_done(plan, happened.commanded, now()))
    audit = rehearsal.audit
    if audit is None:
        return [*found, promises.not_audited(now())]
    await asyncio.sleep(SETTLE_SECONDS)
    done = await asyncio.to_thread(audit, ("--json", *_with_bank(rehearsal)))
    if done.status == Exit.NO and rehearsal.addresses.bank:
        # A payment of this moment may be known to the bank, but not yet to the installation.
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        done = await asyncio.to_thread(audit, ("--json", *_with_bank(rehearsal)))
    found.append(promises.audited(done, now()))
    if rehearsal.addresses.bank:
        found.append(promises.nothing_lost(done, counted, now()))
    return found


def _with_bank(rehearsal: Rehearsal) -> tuple[str, ...]:
    """Return the additional arguments of an audit, if there is a bank to compare with."""
    return ("--bank", "--bank-days", "2") if rehearsal.addresses.bank else ()


async def rehearse(rehearsal: Rehearsal) -> Run:
    """Carry out a plan.

    Refuses `StandinsUnknown`, `FaultImpossible`, `InstallationUnfit`. A generator that cannot be measured, or all of
    whose processes stayed silent, makes the run void.
    """
    check(rehearsal)
    load, own, happened = os.getloadavg()[0], rehearsal.own, Happened()
    before = own.bytes() if own else 0
    began_at, begins = rehearsal.clock.now(), monotonic()
    mark = f"{int(began_at.timestamp()):x}"
    limits: Limits | None = None
    told: list[Counted] = []

    def now() -> float:
        return monotonic() - begins

    rehearsal.shown.phase("alone")
    orders = _orders(rehearsal, await _run_each_alone(rehearsal, mark), mark)
    await _prepare(rehearsal)
    with suppress(GeneratorDied), Generators(orders) as generators:
        rehearsal.shown.phase("limit")
        limits = await _limits(generators)
        rehearsal.shown.phase("load")
        began_at, begins = rehearsal.clock.now(), monotonic() + BEGINS_AFTER_SECONDS
        generators.begin(begins)
        async with (
            _interruptible(happened, generators),
            _observe(rehearsal, happened, generators, now),
        ):
            told = await generators.listen(rehearsal.shown.update)
    counted = sum_of(told or [Tally().told()])
    happened.is_complete = len(told) == len(orders)
    if limits is not None:  # otherwise no visitor was begun, and there is nothing to check
        rehearsal.shown.phase("audit")
        happened.asked += await _check_promises(rehearsal, happened, counted, now)
    size = DataSize(before, own.bytes()) if own else None
    described = machine.description(load, size)
    return run_of(rehearsal, happened, counted, limits, described, began_at)
