"""Ask the provider at once, because a buyer says to have paid."""

from uuid import UUID

from meterai.payments import store
from meterai.payments.model import PaymentAttempt
from meterai.payments.service import PaymentService
from meterai.plumbing.db.database import Database
from meterai.plumbing.work.periodic import each

PAUSE_SECONDS = 4.0  # between two questions of one buyer; a bank books within some seconds


class BuyerQuestions:
    """Asks about the attempts of one subject, within bounds.

    No other question than those of the periodic task, only sooner: the circuit to the provider
    holds for it, and a repeat within `PAUSE_SECONDS` asks nothing, whichever process gets it.
    """

    def __init__(self, database: Database, payments: PaymentService, lease_seconds: float) -> None:
        self._database = database
        self._payments = payments
        self._lease_seconds = lease_seconds

    async def ask(self, account: UUID, subject: UUID) -> bool:
        """Ask about what may be paid of a subject, and book what the provider answers; whether it said of
        all of it how it stands.

        A crash after the lease leaves attempts that the periodic task asks about.
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
