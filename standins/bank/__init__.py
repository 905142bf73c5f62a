"""A stand-in for the acquiring bank: SNAP BI for QRIS payments, and levers to play the customer.

To the merchant it is a bank like any other: real tokens, real signatures, real response codes,
notifications that may be late, twice or lost.  What only a stand-in has lies below `/standin`
and on the pages; see `fault_switches` for the faults it can be told to have, and `overrides` for
the answers.
"""

from pathlib import Path

from aiohttp import web

from standins.bank.api import Counter
from standins.bank.authentication import Gate, Partner
from standins.bank.control import Desk
from standins.bank.customer import Customers
from standins.bank.fault_switches import FAULT_SWITCHES
from standins.bank.history import History
from standins.bank.overrides import OddAnswers
from standins.bank.pages import Pages
from standins.bank.signing import PublicKey, bank_key
from standins.bank.snap import Merchant, Services
from standins.bank.store import Books
from standins.bank.webhooks import Courier
from standins.faults import Faults
from standins.periodic import Rounds
from standins.web import application, serve

__all__ = ["Bank", "Merchant", "Partner", "PublicKey", "bank_key"]


class Bank:
    """One bank for one merchant, with its books and key in `directory`."""

    def __init__(
        self, directory: Path, partner: Partner, merchant: Merchant, notify_url: str
    ) -> None:
        self._books = Books(directory / "bank.sqlite")
        faults = Faults(self._books.connection, FAULT_SWITCHES)
        self._customers = Customers(self._books, faults, self._wake)
        self._courier = Courier(
            self._books, bank_key(directory), notify_url, partner.client_id, faults, self._wake
        )
        self._rounds = (
            Rounds(self._courier.send_what_is_due),
            Rounds(self._customers.deny_what_is_due),
        )
        self._runner: web.AppRunner | None = None
        self._app = application()
        services = Services(merchant, self._books, faults)
        odd = OddAnswers(self._books.connection)
        gate, history = Gate(partner, self._books, faults), History(self._books)
        Counter(gate, services, history, faults, odd).open(self._app)
        Desk(self._books, self._customers, faults, odd).open(self._app)
        Pages(merchant, self._books, self._customers, faults).open(self._app)

    async def serve(self, host: str, port: int) -> str:
        """Open, and go on with what waited; returns the base URL."""
        self._runner, url = await serve(self._app, host, port)
        for rounds in self._rounds:
            rounds.start()
        return url

    async def stop(self) -> None:
        """Close; what was not delivered waits in the books."""
        if self._runner is not None:
            await self._runner.cleanup()
        for rounds in self._rounds:
            await rounds.stop()
        await self._courier.close()
        self._books.close()

    def _wake(self) -> None:
        for rounds in self._rounds:
            rounds.wake()
