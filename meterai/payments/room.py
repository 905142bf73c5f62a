"""Payments, as the applications see the room."""

from collections.abc import Iterable, Sequence

from meterai.payments.adapters.snap.profile import profile_of
from meterai.payments.adapters.snap.provider import SnapProvider
from meterai.payments.adapters.snap.wire import call_seconds_max
from meterai.payments.audited import AUDITED
from meterai.payments.demands import DEMANDS, UNDEMANDED
from meterai.payments.invariants import INVARIANTS, POSTINGS
from meterai.payments.jobs import HANDLERS
from meterai.payments.metrics import METRICS
from meterai.payments.model import ATTEMPT
from meterai.payments.retention import RETENTION
from meterai.payments.routes import routes
from meterai.payments.service import PaymentService
from meterai.payments.settings import PaymentSettings
from meterai.plumbing.config import Settings
from meterai.plumbing.jobs import PeriodicTask
from meterai.plumbing.keyring import Keyring
from meterai.plumbing.leases import Lease
from meterai.room import Container, Room


async def _build(container: Container) -> None:
    settings, clock = container.settings.of(PaymentSettings), container.clock
    provider = SnapProvider(profile_of(container.settings, container.keyring), clock)
    container.add(provider)
    container.add(PaymentService(container.database, provider, settings, clock))
    await provider.open()
    container.close_with(provider.close)


def _needs(settings: Settings, keyring: Keyring) -> None:
    profile_of(settings, keyring)


def _leases(container: Container) -> Iterable[Lease]:
    settings = container.settings.of(PaymentSettings)
    # Opened, asked about, taken back: one call each.
    call = call_seconds_max(settings.bank_timeout_seconds)
    yield Lease("payment attempts", settings.bank_lease_seconds, call)


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    payments = container.of(PaymentService)
    return [
        PeriodicTask("open_payments", payments.open_waiting, 0.1),
        PeriodicTask("ask_about_payments", payments.poll_waiting, 0.5),
        PeriodicTask("cancel_payments", payments.cancel_closed, 0.5),
    ]


ROOM = Room(
    name="payments",
    tables=frozenset({"payment_attempts", "captures", "chargebacks", "notification_inbox"}),
    lifecycles=(ATTEMPT,),
    settings=PaymentSettings,
    needs=_needs,
    build=_build,
    services={"payments": PaymentService},
    routes=routes,
    leases=_leases,
    handlers=HANDLERS,
    tasks=_tasks,
    demands=DEMANDS,
    undemanded=UNDEMANDED,
    metrics=METRICS,
    invariants=INVARIANTS,
    audited=AUDITED,
    postings=POSTINGS,
    retention=RETENTION,
)
