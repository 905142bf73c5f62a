"""The rail `wholesale`: the deposit of a seller pays an order.

It has no provider to call: the deposit pays when the sale is made, or later (`sale_take_waiting`), and the event of
that pays the buyer's order.
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
    """Pays orders from deposits. A sale is the payment."""

    name = WHOLESALE
    sql = store.OWN_SQL

    async def open(
        self, method: str, reference: str, amount: Rupiah, expires_at: datetime
    ) -> OpenedAttempt | MadeBefore:
        """Return the opened attempt of a sale; the buyer has nothing to do. A repeat gets the same answer."""
        del method, amount, expires_at
        found = await self._sale(reference)
        if found is None:
            raise ProviderRefused("unknown", "no sale of this reference")
        return self.opened(Deposit(found.seller), found.account, found.sale)

    async def ask(self, about: PaymentIdentity) -> AttemptStatus:
        """Return the state of the payment by the deposit.

        A sale that ended otherwise than by its order is pending: its order lapses, and gets no other attempt.
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
        """End a waiting sale. False if the deposit has paid it."""
        del reason
        found = await self._sale(about.reference)
        if found is None:
            return True
        return await self._database.once(store.end, found.account, found.sale, "order")

    async def source(self, about: PaymentIdentity) -> tuple[UUID, UUID] | None:
        """Return seller and id of the sale of an attempt."""
        found = await self._sale(about.reference)
        return found and (found.account, found.sale)

    async def _sale(self, reference: str | None) -> store.AskedSale | None:
        buyer, attempt = parse_reference(reference or "")
        return await self._database.once(store.sale_of_attempt, buyer, attempt)


WHOLESALE_RAIL = own_rail_kind(
    WHOLESALE, PaymentMethod(METHOD), Deposit, lambda to: WholesaleRail(to.database)
)
