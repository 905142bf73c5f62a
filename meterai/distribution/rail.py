"""The rail `wholesale`: an order is paid from the deposit of its seller.

It opens nothing and is told nothing: the deposit pays when the sale is made, or later (`sale_take_waiting`), and the
buyer's side follows by that event.
"""

from datetime import datetime
from uuid import UUID

from meterai.distribution import store
from meterai.distribution.model import METHOD, SaleState
from meterai.kit.money import Rupiah
from meterai.payments import (
    WHOLESALE,
    AttemptStatus,
    Deposit,
    MadeBefore,
    OpenedAttempt,
    OwnRail,
    PaymentIdentity,
    PaymentMethod,
    ProviderRefused,
    ProviderStatus,
    own_rail_kind,
    parse_reference,
)


class WholesaleRail(OwnRail):
    """Speaks to the deposits; a sale is what pays."""

    name = WHOLESALE
    sql = store.OWN_SQL

    async def open(
        self, method: str, reference: str, amount: Rupiah, expires_at: datetime
    ) -> OpenedAttempt | MadeBefore:
        """There is nothing that a buyer does; the same sale answers the same again."""
        del method, amount, expires_at
        found = await self._sale(reference)
        if found is None:
            raise ProviderRefused("unknown", "no sale of this reference")
        return self.opened(Deposit(found.seller), found.account, found.sale)

    async def ask(self, about: PaymentIdentity) -> AttemptStatus:
        """Whether the deposit has paid.

        A sale that ended otherwise than by its order is pending: its order ends by itself, and gets no other attempt.
        """
        found = await self._sale(about.reference)
        if found is None:
            return AttemptStatus(ProviderStatus.UNKNOWN, ())
        if found.state is SaleState.TAKEN:
            return self.paid(found.account, found.sale, found.total)
        is_taken_back = found.end_cause == "order"
        return AttemptStatus(
            ProviderStatus.CANCELLED if is_taken_back else ProviderStatus.PENDING, ()
        )

    async def cancel(self, about: PaymentIdentity, reason: str) -> bool:
        """The sale waits no longer; false where the deposit has paid it."""
        del reason
        found = await self._sale(about.reference)
        if found is None:
            return True
        return await self._database.once(store.end, found.account, found.sale, "order")

    async def source(self, about: PaymentIdentity) -> tuple[UUID, UUID] | None:
        """The sale of an attempt, and whose it is."""
        found = await self._sale(about.reference)
        return found and (found.account, found.sale)

    async def _sale(self, reference: str | None) -> store.AskedSale | None:
        buyer, attempt = parse_reference(reference or "")
        return await self._database.once(store.asked_by_attempt, buyer, attempt)


WHOLESALE_RAIL = own_rail_kind(
    WHOLESALE, PaymentMethod(METHOD), Deposit, lambda to: WholesaleRail(to.database)
)
