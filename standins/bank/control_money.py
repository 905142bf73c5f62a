"""The control API for money: accounts of the merchant and of customers, transfers, and the accounting."""

from dataclasses import asdict

from aiohttp import web

from standins import clock
from standins.bank.accounting import Accounting
from standins.bank.accounts import FLOAT_ACCOUNT, OWN_ACCOUNT, Accounts
from standins.bank.control import amount_of, text_of
from standins.bank.fees import Tariff
from standins.bank.model import BANK_CODE
from standins.bank.transfers import Transfer, Transfers
from standins.refusal import NotUnderstood
from standins.web import json_object


class MoneyControl:
    """The routes below `/standin`."""

    def __init__(
        self, accounts: Accounts, transfers: Transfers, accounting: Accounting, tariff: Tariff
    ) -> None:
        self._accounts = accounts
        self._transfers = transfers
        self._accounting = accounting
        self._tariff = tariff

    def add_routes(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_routes(
            [
                web.post("/standin/transfer-returned", self._transfer_returned),
                web.post("/standin/customer", self._customer),
                web.post("/standin/money", self._money),
                web.post("/standin/fees", self._fees),
                web.get("/standin/accounts", self._show_accounts),
                web.get("/standin/transfers", self._all_transfers),
            ]
        )

    async def _transfer_returned(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        number = self._transfers.come_back(text_of(body, "number")).number
        return web.json_response(_shown_transfer(self._transfers.find(number)))

    async def _customer(self, request: web.Request) -> web.Response:
        """Add or change a customer's account: bank, number, name, state."""
        body = await json_object(request)
        names = ("bank", "number", "name", "state")
        self._accounts.set(*(text_of({"state": "active"} | body, name) for name in names))
        return web.json_response([asdict(account) for account in self._accounts.all()])

    async def _money(self, request: web.Request) -> web.Response:
        """Put money into an account of the merchant, or take it out (amount below zero), such as a top-up of the float or a
        payout of duty.
        """
        told = await json_object(request)
        body = {"account": FLOAT_ACCOUNT, "kind": "other", "reference": "", "remark": ""} | told
        number, amount = text_of(body, "account"), amount_of(body) or 0
        if number not in (FLOAT_ACCOUNT, OWN_ACCOUNT):
            raise NotUnderstood(f"account is {OWN_ACCOUNT} or {FLOAT_ACCOUNT}")
        words = (text_of(body, name) for name in ("kind", "reference", "remark"))
        self._accounts.move(BANK_CODE, number, clock.now_ms(), amount, *words)
        return web.json_response({"balance": self._accounts.balance(number)})

    async def _all_transfers(self, _: web.Request) -> web.Response:
        return web.json_response([_shown_transfer(one) for one in self._transfers.all()])

    async def _fees(self, request: web.Request) -> web.Response:
        self._tariff.change(await json_object(request))
        return web.json_response(asdict(self._tariff.fees))

    async def _show_accounts(self, _: web.Request) -> web.Response:
        return web.json_response(self._accounting.shown())


def _shown_transfer(transfer: Transfer | None) -> dict[str, object]:
    assert transfer is not None
    return asdict(transfer) | {"made_at": clock.snap_time(transfer.made_at)}
