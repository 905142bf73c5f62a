"""A stand-in for the acquiring bank: SNAP BI for QRIS payments, and the customers who pay.

To the merchant it is a bank like any other: access tokens, signatures and response codes as SNAP
BI has them, notifications that may come late, twice or never.  What only a stand-in has lies below
`/standin` (`control`) and on the pages; see `fault_switches` for the faults it can be told to have,
and `overrides` for the responses it can be told to give.
"""

from pathlib import Path

from aiohttp import web

from standins.bank.api import SnapApi
from standins.bank.authentication import Authenticator, Partner
from standins.bank.control import ControlApi
from standins.bank.customer import Customers
from standins.bank.fault_switches import FAULT_SWITCHES
from standins.bank.history import History
from standins.bank.overrides import ResponseOverrides
from standins.bank.pages import Pages
from standins.bank.signing import PublicKey, bank_key
from standins.bank.snap import Merchant, Services
from standins.bank.store import Store
from standins.bank.webhooks import WebhookSender
from standins.faults import Faults
from standins.periodic import PeriodicTask
from standins.web import application, serve

__all__ = ["Bank", "Merchant", "Partner", "PublicKey", "bank_key"]


class Bank:
    """One bank for one merchant, with its SQLite file and its key in `directory`."""

    def __init__(
        self, directory: Path, partner: Partner, merchant: Merchant, notify_url: str
    ) -> None:
        self._store = Store(directory / "bank.sqlite")
        faults = Faults(self._store.connection, FAULT_SWITCHES)
        self._customers = Customers(self._store, faults, self._wake)
        self._webhooks = WebhookSender(
            self._store, bank_key(directory), notify_url, partner.client_id, faults, self._wake
        )
        self._periodic_tasks = (
            PeriodicTask(self._webhooks.send_due),
            PeriodicTask(self._customers.deny_due),
        )
        self._runner: web.AppRunner | None = None
        self._app = application()
        services = Services(merchant, self._store, faults)
        overrides = ResponseOverrides(self._store.connection)
        authenticator, history = Authenticator(partner, self._store, faults), History(self._store)
        SnapApi(authenticator, services, history, faults, overrides).add_routes(self._app)
        ControlApi(self._store, self._customers, faults, overrides).add_routes(self._app)
        Pages(merchant, self._store, self._customers, faults).add_routes(self._app)

    async def serve(self, host: str, port: int) -> str:
        """Listen, and send the notifications that a former process left; returns the base URL."""
        self._runner, url = await serve(self._app, host, port)
        for task in self._periodic_tasks:
            task.start()
        return url

    async def stop(self) -> None:
        """Stop; notifications that were not delivered stay `waiting` in the store."""
        if self._runner is not None:
            await self._runner.cleanup()
        for task in self._periodic_tasks:
            await task.stop()
        await self._webhooks.close()
        self._store.close()

    def _wake(self) -> None:
        for task in self._periodic_tasks:
            task.wake()
