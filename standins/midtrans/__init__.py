"""A stand-in for Midtrans: its Core API for QRIS and virtual accounts, and the customers who pay.

The merchant sees it like Midtrans: Basic authentication by server key, status codes in bodies, refunds by
QRIS alone, notifications that may come late, twice, forged or never.  The control API below `/standin`
(`control`) and the page exist only on the stand-in; `fault_switches` lists its faults.
"""

from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from standins.bank.overrides import ResponseOverrides
from standins.midtrans.api import SERVICES, CoreApi
from standins.midtrans.control import ControlApi
from standins.midtrans.customer import Customers
from standins.midtrans.fault_switches import SeededFaults
from standins.midtrans.notifying import NewsSender
from standins.midtrans.pages import Pages
from standins.midtrans.saying import Merchant
from standins.midtrans.store import Store
from standins.periodic import PeriodicTask
from standins.web import application, serve

__all__ = ["Midtrans", "MidtransOptions"]


@dataclass(frozen=True, slots=True)
class MidtransOptions:
    """Options of the stand-in: its merchant, and the URL for notifications.  A port of 0 is any free one."""

    server_key: str = field(repr=False)
    notify_url: str
    merchant_id: str = "G000000001"  # at most 15 ASCII characters: in every QR
    port: int = 0


class Midtrans:
    """Midtrans for one merchant, with its SQLite file in `directory`."""

    def __init__(self, directory: Path, options: MidtransOptions) -> None:
        merchant = Merchant(options.merchant_id, options.server_key)
        self._store = Store(directory / "midtrans.sqlite")
        faults = SeededFaults(self._store.connection)
        overrides = ResponseOverrides(self._store.connection, SERVICES)
        customers = Customers(self._store, faults, merchant, self._wake)
        self._sender = NewsSender(self._store, options.notify_url, self._wake)
        self._periodic_tasks = (
            PeriodicTask(self._sender.send_due),
            PeriodicTask(customers.happen),
        )
        self._runner: web.AppRunner | None = None
        self._app = application()
        CoreApi(self._store, customers, faults, overrides).add_routes(self._app)
        ControlApi(self._store, customers, faults, overrides).add_routes(self._app)
        Pages(self._store, customers).add_routes(self._app)

    async def serve(self, host: str, port: int) -> str:
        """Listen, and send the notifications that a former process left. Return the base URL."""
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
        await self._sender.close()
        self._store.close()

    def _wake(self) -> None:
        for task in self._periodic_tasks:
            task.wake()
