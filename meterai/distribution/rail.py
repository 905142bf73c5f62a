"""The rail `wholesale`: the deposit of a seller pays the order of a buyer.

This rail calls no provider: the deposit pays when the sale is made, or later (`sale_take_waiting`), and the event
`SaleMoved` then pays the buyer's order.
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
    """Pays orders from deposits. The sale itself is the payment of its order."""

    name = WHOLESALE
    sql = store.OWN_SQL

    async def open(
        self, method: str, reference: str, amount: Rupiah, expires_at: datetime
    ) -> OpenedAttempt | MadeBefore:
        """Return the attempt to pay the order of a sale; the buyer has nothing to do. A repeat returns the same attempt."""
        del method, amount, expires_at
        found = await self._sale(reference)
        if found is None:
            raise ProviderRefused("unknown", "no sale of this reference")
        return self.opened(Deposit(found.seller), found.account, found.sale)

    async def ask(self, about: PaymentIdentity) -> AttemptStatus:
        """Return the payment status of an attempt, from the state of its sale.

        If a sale ended because its time ran out or its distributor was closed, the status stays pending, so that no other
        attempt is made before the order expires.
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
        """End the waiting sale of an attempt. Return False if the deposit has paid the sale."""
        del reason
        found = await self._sale(about.reference)
        if found is None:
            return True
        return await self._database.once(store.end, found.account, found.sale, "order")

    async def source(self, about: PaymentIdentity) -> tuple[UUID, UUID] | None:
        """Return account of the distributor and id of the sale that an attempt pays; None if no such sale exists."""
        found = await self._sale(about.reference)
        return found and (found.account, found.sale)

    async def _sale(self, reference: str | None) -> store.AskedSale | None:
        buyer, attempt = parse_reference(reference or "")
        return await self._database.once(store.sale_of_attempt, buyer, attempt)


WHOLESALE_RAIL = own_rail_kind(
    WHOLESALE, PaymentMethod(METHOD), Deposit, lambda to: WholesaleRail(to.database)
)
