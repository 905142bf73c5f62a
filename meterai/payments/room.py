"""Registration of the room `payments`."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial

from meterai.commands import TIME, Command, Demand, DemandScope, Directory, Facts, KeyFile, Schema
from meterai.kit.clock import SystemClock
from meterai.payments.adapters.midtrans import MIDTRANS
from meterai.payments.adapters.snap import SNAP_QRIS
from meterai.payments.audited import AUDITED
from meterai.payments.bank_calls import BankCalls
from meterai.payments.buyer_queries import BuyerQuestions
from meterai.payments.figures import FIGURES, PROMISES
from meterai.payments.installed import Rails, check_kinds, configured, connect_rails
from meterai.payments.invariants import INVARIANTS, POSTINGS, rail_invariants
from meterai.payments.jobs import HANDLERS
from meterai.payments.knows import KNOWS
from meterai.payments.levers import LEVERS
from meterai.payments.metrics import METRICS
from meterai.payments.model import ATTEMPT, AttemptState, UnmatchedReason
from meterai.payments.news_check import NewsComparison
from meterai.payments.personal import PERSONAL
from meterai.payments.qr_check import check_numbers, check_qrs, check_rails
from meterai.payments.rails import Connecting, RailKind, RailKinds
from meterai.payments.refunds.model import REFUND, RefundCause, Way, refund_lease_seconds
from meterai.payments.refunds.service import RefundSender
from meterai.payments.refunds.store import (
    LOOK_UP_DUE,
    LOOKING,
    SENDING,
    SUSPENDING,
    TRY_DUE,
    WATCH_DUE,
    WATCHING,
)
from meterai.payments.retention import RETENTION
from meterai.payments.routes import endpoints_of
from meterai.payments.service import PaymentService
from meterai.payments.settings import PaymentSettings
from meterai.payments.store import (
    CANCEL_DUE,
    LATE,
    MEAN_WAIT,
    OPENING_DUE,
    QUESTION_DUE,
)
from meterai.payments.transfers.model import TRANSFER
from meterai.payments.transfers.service import TransferSender, transfer_lease_seconds
from meterai.payments.transfers.store import (
    FOLLOWING,
    LOOK_DUE,
    PLAN_DUE,
    PLANNING,
    SEND_DUE,
    TRANSFERRING,
    WEIGHING,
)
from meterai.plumbing.config import Configuration, Settings
from meterai.plumbing.db.checks import AuditedPart, Check
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.invariants import InvariantFinding
from meterai.plumbing.http.described import FieldDescription
from meterai.plumbing.keyring import Keyring, keyring_of
from meterai.plumbing.observe.stations import Backlog
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.plumbing.work.leases import Lease
from meterai.room import Container, Room

# All rails of providers; an installation has those that its setting `payment_rails` names.
RAILS: RailKinds = (SNAP_QRIS, MIDTRANS)
UNDEMANDED: Mapping[str, str] = {
    "bank_lease_seconds": (
        "compared at the start of a process with the time-outs that it must exceed (leases.py)"
    ),
    "poll_after_seconds": TIME,
    "bank_compared_at_hour": TIME,
    "transfer_pools_seconds": TIME,
    "transfer_small_rupiah": "a transfer that waits for others still leaves before its due time",
    "float_cover_days_min": "only the threshold of an alarm",
    "payment_order": "an unknown rail or method stops the start",
}


def _command(words: str, function: str) -> Command:
    place = f"meterai.payments.commands:{function}"
    return Command(words, place, Directory.DATABASE, DemandScope.DATABASE, Schema.CURRENT)


COMMANDS = (
    _command("rails list", "list_rails"),
    _command("rails out", "take_out"),
    _command("rails in", "put_back"),
)


def _leases(container: Container) -> Iterable[Lease]:
    settings = container.settings.of(PaymentSettings)
    # One call to open, query or cancel an attempt.
    call = container.of(Rails).call_seconds_max
    yield Lease("payment attempts", settings.bank_lease_seconds, call)
    # Two calls for a refund: a query, then the refund.
    yield Lease("refunds", refund_lease_seconds(container.of(Rails).timeout_seconds), 2 * call)
    yield Lease("transfers", transfer_lease_seconds(call), 5 * call)


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    payments, refunds = container.of(PaymentService), container.of(RefundSender)
    transfers = container.of(TransferSender)
    return [
        PeriodicTask("open_payments", payments.open_waiting, 0.1, OPENING_DUE),
        PeriodicTask("ask_about_payments", payments.poll_waiting, 0.5, QUESTION_DUE),
        PeriodicTask("cancel_payments", payments.cancel_closed, 0.5, CANCEL_DUE),
        PeriodicTask(
            "suspend_silence",
            payments.suspend_silence,
            60.0,
            without_rows="one transaction compares unanswered queries with their items",
        ),
        PeriodicTask(SENDING, refunds.send_due, 0.2, TRY_DUE),
        PeriodicTask(SUSPENDING, refunds.suspend_overdue, 10.0),
        PeriodicTask(LOOKING, refunds.look_up_given_back, 0.5, LOOK_UP_DUE),
        PeriodicTask(WATCHING, refunds.watch, 0.5, WATCH_DUE),
        PeriodicTask(PLANNING, transfers.plan, 1.0, PLAN_DUE),
        PeriodicTask(TRANSFERRING, transfers.send_due, 0.2, SEND_DUE),
        PeriodicTask(FOLLOWING, transfers.follow, 0.5, LOOK_DUE),
        PeriodicTask(
            WEIGHING,
            transfers.weigh,
            60.0,
            without_rows=(
                "banks are few and belong to no account; one that does not answer is "
                "queried again in a minute"
            ),
        ),
    ]


def _demand(kind: RailKind, demand: Demand) -> Demand:
    """The same production requirement on the settings, restricted to installations that have this rail."""

    def check(of: Configuration) -> Iterable[Facts]:
        has_it = kind.name in of.settings.of(PaymentSettings).payment_rails.split()
        return demand.check(of) if has_it else ()

    return replace(demand, check=check)


def _files_are_whole(kinds: RailKinds) -> Demand:
    """The production requirement on rails that files of the installation describe: it checks the requirements (`demands`) of
    each of these rails.
    """
    known = {kind.name for kind in kinds}

    def check(of: Configuration) -> Iterable[Facts]:
        for kind in configured(of.settings, kinds):
            for demand in kind.demands if kind.name not in known else ():
                yield from demand.check(of)

    return Demand("bank_of_file", ("payment_rails",), check)


def _method_names(kinds: RailKinds) -> list[str]:
    return list(dict.fromkeys(method.name for kind in kinds for method in kind.methods))


def _checks(kinds: RailKinds) -> Sequence[Check]:
    async def news(part: AuditedPart) -> InvariantFinding:
        rails = Rails(part.settings, kinds)
        return await NewsComparison(part.database, rails, part.since, part.begins).check()

    async def instructions(part: AuditedPart) -> InvariantFinding:
        return await check_qrs(part.database, Rails(part.settings, kinds), part.since)

    async def rails_there(part: AuditedPart) -> InvariantFinding:
        return await check_rails(part.database, Rails(part.settings, kinds))

    async def numbers(part: AuditedPart) -> InvariantFinding:
        return await check_numbers(part.database, Rails(part.settings, kinds), part.since)

    return (news, instructions, rails_there, numbers)


def _fields(kinds: RailKinds) -> Mapping[tuple[str, str], FieldDescription]:
    return {
        ("PaymentView", "method"): FieldDescription(_method_names(kinds)),
        ("PaymentView", "state"): FieldDescription(list(AttemptState)),
        ("AccountNumber", "kind"): FieldDescription(["account_number"]),
        ("Redirect", "kind"): FieldDescription(["redirect"]),
        ("Deposit", "kind"): FieldDescription(["deposit"]),
        ("Credit", "kind"): FieldDescription(["credit"]),
        ("Credit", "waits_for"): FieldDescription(["limit", "deposit"]),
    }


async def _build(container: Container, kinds: RailKinds) -> None:
    container.stations.backlogs.append(Backlog("bank", LATE, MEAN_WAIT))
    settings, clock = container.settings, container.clock
    stack = AsyncExitStack()
    container.close_with(stack.aclose)
    to = Connecting(settings, container.keyring, clock, container.database)
    rails = await connect_rails(stack, to, kinds)
    container.add(rails)
    own = settings.of(PaymentSettings)
    payments = PaymentService(container.database, rails, own, clock)
    container.add(payments)
    container.add(RefundSender(container.database, payments, clock))
    container.add(TransferSender(container.database, payments, own, clock))
    container.add(BuyerQuestions(container.database, payments, own.bank_lease_seconds))
    container.add(BankCalls(container.database, payments, clock))


@asynccontextmanager
async def _opened(
    database: Database, settings: Settings, kinds: RailKinds
) -> AsyncIterator[PaymentService]:
    """Context with a `PaymentService` for a command; its connections are closed at the end."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        to = Connecting(settings, keyring_of(settings), clock, database)
        rails = await connect_rails(stack, to, kinds)
        yield PaymentService(database, rails, settings.of(PaymentSettings), clock)


def payments_with(kinds: RailKinds) -> Room:
    """The room `payments` with rails of these kinds.  Raises `ValueError` if two of them share a name, a path or a prefix of
    payment numbers.
    """
    check_kinds(kinds)

    kinds_say = [kind.undemanded for kind in kinds]

    def needs(settings: Settings, keyring: Keyring) -> None:
        for kind in configured(settings, kinds):
            kind.needs(settings, keyring)

    def keys(settings: Settings) -> Iterable[KeyFile]:
        return (one for kind in configured(settings, kinds) for one in kind.keys(settings))

    return Room(
        name="payments",
        words={
            "refund_way_is_known": [Way],
            "refund_cause_is_known": [RefundCause],
            "suspense_reason_is_known": [UnmatchedReason],
        },
        tables=frozenset(
            {
                "payment_attempts",
                "captures",
                "chargebacks",
                "refunds",
                "payees",
                "transfers",
                "compensations",
            }
        ),
        global_tables={
            "float_balances": "a float account belongs to the whole installation",
            "notification_inbox": "messages of a provider, before their account is known",
            "rails_out": "a rail belongs to the whole installation",
        },
        lifecycles=(ATTEMPT, REFUND, TRANSFER),
        settings=PaymentSettings,
        sections=[kind.settings for kind in kinds],
        needs=needs,
        keys=keys,
        build=partial(_build, kinds=kinds),
        opens={PaymentService: partial(_opened, kinds=kinds)},
        services={
            "payments": PaymentService,
            "buyer_questions": BuyerQuestions,
            "bank_calls": BankCalls,
        },
        routes=[route for kind in kinds for route in endpoints_of(kind)],
        rails=[kind for kind in kinds if not kind.is_own],
        fields=_fields(kinds),
        leases=_leases,
        handlers=HANDLERS,
        tasks=_tasks,
        knows=KNOWS,
        commands=COMMANDS,
        command_groups={"rails": "Rails, by which providers take money."},
        levers=LEVERS,
        demands=[
            *(_demand(kind, one) for kind in kinds for one in kind.demands),
            _files_are_whole(kinds),
        ],
        undemanded={name: why for of in (UNDEMANDED, *kinds_say) for name, why in of.items()},
        metrics=METRICS,
        invariants=(*INVARIANTS, *rail_invariants(kinds)),
        checks=_checks(kinds),
        audited=AUDITED,
        postings=POSTINGS,
        retention=RETENTION,
        personal=PERSONAL,
        figures=FIGURES,
        promises=PROMISES,
    )


ROOM = payments_with(RAILS)
