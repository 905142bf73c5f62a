"""A stand-in for an acquiring bank: SNAP BI for QRIS, virtual accounts and transfers, and the customers
who pay.

The merchant sees it like any bank: access tokens, signatures and response codes of SNAP BI,
notifications that may come late, twice or never.  `profile` selects the kind of bank.  The control API
below `/standin` (`control`) and the pages exist only on the stand-in; `fault_switches` lists its faults,
and `overrides` its response overrides.
"""

from pathlib import Path

from aiohttp import web

from standins import clock
from standins.bank.accounting import Accounting
from standins.bank.accounts import Accounts
from standins.bank.api import SnapApi
from standins.bank.authentication import Authenticator
from standins.bank.control import ControlApi
from standins.bank.control_money import MoneyControl
from standins.bank.customer import Customers
from standins.bank.fees import Fees, Tariff
from standins.bank.files import Files
from standins.bank.history import History
from standins.bank.later import Later
from standins.bank.merchant_client import MerchantClient
from standins.bank.overrides import ResponseOverrides
from standins.bank.pages import Pages
from standins.bank.partner import MerchantEndpoints, Partner
from standins.bank.payers import Payers
from standins.bank.profile import Profile, profile_of
from standins.bank.settlement import Settlements
from standins.bank.signing import PublicKey, bank_key
from standins.bank.snap import Merchant, Services
from standins.bank.store import Store
from standins.bank.storm import BankFaults
from standins.bank.transfers import Transfers
from standins.bank.virtual_accounts import VirtualAccounts
from standins.bank.webhooks import WebhookSender
from standins.periodic import PeriodicTask
from standins.web import application, serve

__all__ = [
    "Bank",
    "Fees",
    "Merchant",
    "MerchantEndpoints",
    "Partner",
    "Profile",
    "PublicKey",
    "bank_key",
    "profile_of",
]


class Bank:
    """One bank for one merchant, with its SQLite file and its key in `directory`; `name` is shown to people."""

    def __init__(
        self,
        directory: Path,
        name: str,
        partner: Partner,
        merchant: Merchant,
        profile: Profile,
        fees: Fees,
        float_opening: int,
    ) -> None:
        self._directory = directory
        self._store = store = Store(directory / "bank.sqlite")
        connection = store.connection
        faults = BankFaults(connection)
        later, tariff = Later(connection, self._wake), Tariff(connection, fees)
        key = bank_key(directory)
        self._merchant = MerchantClient(partner, key, profile, faults)
        customers = Customers(store, faults, profile, partner.endpoints, tariff, later, self._wake)
        webhooks = WebhookSender(store, self._merchant, customers.refused, self._wake)
        accounts = Accounts(connection, merchant.name, float_opening, clock.now_ms())
        settlements = Settlements(store, accounts, tariff, faults)
        transfers = Transfers(connection, accounts, faults, tariff, settlements.book, later)
        virtual_accounts = VirtualAccounts(profile, store, faults)
        payers = Payers(store, virtual_accounts, customers, self._merchant, profile)
        self._webhooks = webhooks
        self._periodic_tasks = (
            PeriodicTask(webhooks.send_due),
            PeriodicTask(customers.charge_back_due),
            PeriodicTask(later.carry_out_due),
        )
        self._bookings = PeriodicTask(settlements.book)
        self._runner: web.AppRunner | None = None
        self._app = application()
        qr_services = Services(merchant, profile, store, faults, later)
        services = {
            **qr_services.by_code(),
            **History(store, faults).by_code(),
            **virtual_accounts.by_code(),
            **transfers.by_code(),
        }
        overrides = ResponseOverrides(connection)
        authenticator = Authenticator(partner, profile.calls, store, faults)
        SnapApi(authenticator, profile, services, faults, overrides).add_routes(self._app)
        ControlApi(
            store, customers, payers, qr_services, faults, overrides, self._roll_key
        ).add_routes(self._app)
        accounting = Accounting(store, accounts, transfers, settlements)
        MoneyControl(accounts, transfers, accounting, tariff).add_routes(self._app)
        Files(settlements, accounts, faults).add_routes(self._app)
        Pages(name, merchant, store, customers, payers, transfers, faults).add_routes(self._app)

    async def serve(self, host: str, port: int) -> str:
        """Listen, and send the notifications that a former process left. Return the base URL."""
        self._runner, url = await serve(self._app, host, port)
        for task in (*self._periodic_tasks, self._bookings):
            task.start()
        return url

    async def stop(self) -> None:
        """Stop; notifications that were not delivered stay `waiting` in the store."""
        if self._runner is not None:
            await self._runner.cleanup()
        for task in (*self._periodic_tasks, self._bookings):
            await task.stop()
        await self._webhooks.close()
        await self._merchant.close()
        self._store.close()

    def _roll_key(self) -> bytes:
        """Sign with a new key from now on. Return its public key."""
        self._merchant.key = bank_key(self._directory, is_new=True)
        return self._merchant.key.public_pem()

    def _wake(self) -> None:
        for task in self._periodic_tasks:
            task.wake()
