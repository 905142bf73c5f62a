"""Status queries at the request of a buyer who claims to have paid."""

from uuid import UUID

from meterai.payments import store
from meterai.payments.model import PaymentAttempt
from meterai.payments.service import PaymentService
from meterai.plumbing.db.database import Database
from meterai.plumbing.work.periodic import each

PAUSE_SECONDS = 4.0  # between two requests of a buyer that are sent as queries; a bank books within some seconds


class BuyerQuestions:
    """Sends status queries at the request of a buyer.

    The periodic task sends the same queries when they are due; these are sent at once.  No query is sent while the circuit of
    the provider is open, or if the buyer made such a request less than `PAUSE_SECONDS` ago, even to another process.
    """

    def __init__(self, database: Database, payments: PaymentService, lease_seconds: float) -> None:
        self._database = database
        self._payments = payments
        self._lease_seconds = lease_seconds

    async def ask(self, account: UUID, subject: UUID) -> bool:
        """Query those attempts of a subject (order) that may have been paid, and book the answers.

        Returns True if at least one attempt was queried and all queries were answered.  If the process crashes meanwhile, the
        periodic task queries these attempts when their leases end.
        """
        leased = await self._database.once(
            store.lease_to_ask_of, account, subject, self._lease_seconds, PAUSE_SECONDS
        )
        answered: list[UUID] = []

        async def ask(attempt: PaymentAttempt) -> None:
            if await self._payments.ask(attempt):
                answered.append(attempt.id)

        await each(self._database, "ask_for_buyers", leased, ask, subject="id", at_once=4)
        return bool(leased) and len(answered) == len(leased)
