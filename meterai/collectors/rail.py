"""The rail `credit`: an order is paid from the credit of a collector, who then owes its amount to the state.

Opening an attempt to pay makes a draw on the credit. If the monthly limit and the deposits of earlier months allow it, the
draw is taken and the order is paid in the same transaction. Otherwise the draw waits until `credit_take_waiting` takes it.
"""

from datetime import datetime
from uuid import UUID

from meterai.collectors import store
from meterai.collectors.metrics import DRAWS
from meterai.collectors.model import (
    METHOD,
    CollectorState,
    CreditBeyondLimit,
    DrawState,
    NoCollector,
)
from meterai.collectors.settings import CollectorSettings
from meterai.kit.money import Rupiah
from meterai.payments import (
    CREDIT,
    AttemptStatus,
    Credit,
    MadeBefore,
    OpenedAttempt,
    OwnRail,
    PaymentIdentity,
    PaymentMethod,
    ProviderRefused,
    ProviderStatus,
    Rail,
    own_rail_kind,
    parse_reference,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database

WAITS_SECONDS_MAX = 7 * 86_400.0  # no order waits longer


class CreditRail(OwnRail):
    """Pays orders from the credit of collectors. The draw on the credit is the payment; it has the id of the attempt to pay."""

    name = CREDIT
    sql = store.OWN_SQL

    def __init__(self, database: Database, settings: CollectorSettings) -> None:
        super().__init__(database)
        self._settings = settings

    async def admit(self, account: UUID, amount: Rupiah) -> None:
        """Check that an account may order an amount on credit. Refuses `NoCollector`, `CreditBeyondLimit`."""
        found = await self._database.once(store.collector, account)
        if found is None or found.state != CollectorState.OPEN:
            raise NoCollector("this account is no collector")
        if amount.value > found.limit_rupiah:
            raise CreditBeyondLimit(limit=found.limit_rupiah)

    async def open(
        self, method: str, reference: str, amount: Rupiah, expires_at: datetime
    ) -> OpenedAttempt | MadeBefore:
        """Take the amount of an attempt from the collector's credit: the order is paid at once, or waits. A repeated call
        returns the same draw on the credit.
        """
        del method, expires_at
        account, attempt = parse_reference(reference)
        wanted = (account, attempt, amount.value, *self._settings.stops)
        waits_for = await self._database.once(store.draw, *wanted)
        if waits_for is None:
            raise ProviderRefused("closed", "the account is no longer a collector")
        DRAWS.labels(state="waiting" if waits_for else "taken").inc()
        return self.opened(Credit(waits_for or None), account, attempt)

    async def ask(self, about: PaymentIdentity) -> AttemptStatus:
        """Return the payment status of an attempt, from the state of its draw on the credit."""
        account, attempt = await self.source(about)
        found = await self._database.once(store.draw_of, account, attempt)
        if found is None:
            return AttemptStatus(ProviderStatus.UNKNOWN, ())
        if found.state is DrawState.TAKEN:
            return self.paid(account, attempt, found.amount)
        is_ended = found.state is DrawState.ENDED
        return AttemptStatus(ProviderStatus.CANCELLED if is_ended else ProviderStatus.PENDING, ())

    async def cancel(self, about: PaymentIdentity, reason: str) -> bool:
        """End the draw of an attempt while it waits for credit. Return False if it was taken, so that the order is paid."""
        del reason
        return await self._database.once(store.end, *await self.source(about))

    async def source(self, about: PaymentIdentity) -> tuple[UUID, UUID]:
        """Return account and id of an attempt; its draw has the same ids.  The draw need not exist."""
        return parse_reference(about.reference or "")


async def _admit(rail: Rail, account: UUID, amount: Rupiah) -> None:
    assert isinstance(rail, CreditRail)
    await rail.admit(account, amount)


def _offered(settings: Settings) -> tuple[PaymentMethod, ...]:
    seconds = min(settings.of(CollectorSettings).collector_waits_seconds, WAITS_SECONDS_MAX)
    return (PaymentMethod(METHOD, lapses_seconds=seconds, is_at_face=True),)


CREDIT_RAIL = own_rail_kind(
    CREDIT,
    PaymentMethod(METHOD, is_at_face=True),
    Credit,
    lambda to: CreditRail(to.database, to.settings.of(CollectorSettings)),
    offered=_offered,
    admits=_admit,
)
