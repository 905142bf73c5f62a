"""Resellers over the API: permissions, refusals, and that a reseller sees nothing else."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from meterai.accounts import AccountService, KeyTerms, OrganizationService, Permission
from meterai.commands import Pull
from meterai.distribution import levers
from meterai.kit.ids import new_id, show
from meterai.plumbing.db.database import Tx
from tests.support.shop import TESTER
from tests.support.within import Given, Within, settings_of, within

UNIT = 10_000


class Api:
    """One account with a key, and its requests."""

    def __init__(self, web: Within, account: UUID, key: str) -> None:
        self.web, self.id = web, show("acc", account)
        self.account = account
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    async def post(self, path: str, body: Mapping[str, Any] | None = None, key: str = "") -> Given:
        more = {"Idempotency-Key": key} if key else {}
        sent = json.dumps(body).encode() if body is not None else b""
        return await self.web.post(path, sent, self.headers | more)

    async def get(self, path: str) -> Any:
        given = await self.web.get(path, self.headers)
        return (
            json.loads(given.body)
            if given.status == 200
            else (given.status, json_of(given)["code"])
        )


def json_of(given: Given) -> Any:
    return json.loads(given.body)


async def an_api(web: Within, scopes: frozenset[Permission] | None = None) -> Api:
    accounts = web.container.of(AccountService)
    account = await accounts.create(f"{new_id().hex}@example.org", actor=TESTER)
    key = await accounts.create_api_key(account, "test", actor=TESTER, terms=KeyTerms(scopes))
    return Api(web, account, key)


async def a_distributor(web: Within) -> Api:
    """An organization that has paid 100,000 rupiah, without a bank."""
    owner, account = await an_api(web), new_id()
    container = web.container
    await container.of(OrganizationService).make(account, owner.account, "PT Toko", "", "")
    asked = levers.DistributorTerms(show("acc", account), "Toko", 1_000, "Jawa Barat")
    pull = Pull(TESTER, datetime.now(UTC), "a test", container.settings)

    async def approve(tx: Tx) -> None:
        await levers.APPROVE.carry_out(tx, asked, pull)
        await tx.run(
            "UPDATE distributors SET state = 'open', opened_at = now() WHERE account_id = %s",
            account,
        )

    await container.database.run(approve)
    key = await container.of(AccountService).create_api_key(account, "test", actor=TESTER)
    return Api(web, account, key)


def test_api_moves_reseller_from_offer_to_end(database_url: str, tmp_path: Path) -> None:
    async def act() -> None:
        async with within(settings_of(database_url, tmp_path)) as web:
            seller, kiosk, stranger = await a_distributor(web), await an_api(web), await an_api(web)
            terms = {"name": "Kios", "day_rupiah": 2 * UNIT, "fee": 500}
            invited = await seller.post("/v1/resellers", {"account": kiosk.id, **terms})
            assert (invited.status, json_of(invited)["state"]) == (201, "invited")
            assert (await kiosk.get("/v1/reselling"))["distributors"] == [json_of(invited)]
            for path in ("accept", "end"):
                foreign = await stranger.post(f"/v1/reselling/{seller.id}/{path}")
                assert foreign.status == 404
            accepted = await kiosk.post(f"/v1/reselling/{seller.id}/accept")
            assert (accepted.status, json_of(accepted)["left_today"]) == (200, 2 * UNIT)

            sale = {"email": "ani@example.org", "quantity": 2}
            made = await kiosk.post("/v1/sales", sale, key="k")
            assert (made.status, json_of(made)["reseller"]) == (201, kiosk.id)
            again = await kiosk.post("/v1/sales", sale, key="k")
            assert json_of(again)["id"] == json_of(made)["id"]
            spent = await kiosk.post("/v1/sales", sale, key="k2")
            assert (spent.status, json_of(spent)["code"]) == (429, "reseller_day_spent")
            policy = spent.header("ratelimit-policy")
            assert policy.startswith(f'"reseller_rupiah_of_day";q={2 * UNIT}')
            own = await seller.post("/v1/sales", sale | {"email": "b@example.org"}, key="k")
            assert json_of(own)["reseller"] is None

            listed = (await seller.get(f"/v1/sales?reseller={kiosk.id}"))["sales"]
            assert [one["id"] for one in listed] == [json_of(made)["id"]]
            assert len((await seller.get("/v1/sales"))["sales"]) == 2
            assert len((await kiosk.get("/v1/sales"))["sales"]) == 1
            assert await kiosk.get(f"/v1/sales/{json_of(own)['id']}") == (404, "not_found")
            assert await kiosk.get("/v1/deposit") == (404, "no_distributor")
            assert await kiosk.get("/v1/resellers") == (404, "no_distributor")
            assert await stranger.get("/v1/reselling/statement?month=2026-12") == (404, "not_found")
            assert (await kiosk.get("/v1/reselling/statement?month=2026-12"))["sold"] == 0

            high = await seller.post(f"/v1/resellers/{kiosk.id}/change", terms | {"fee": 9_001})
            assert (high.status, json_of(high)["code"]) == (422, "fees_too_high")
            for path, state in (("pause", "paused"), ("resume", "open"), ("end", "ended")):
                moved = await seller.post(f"/v1/resellers/{kiosk.id}/{path}")
                assert (moved.status, json_of(moved)["state"]) == (200, state)
                again = await seller.post(f"/v1/resellers/{kiosk.id}/{path}")
                assert json_of(again)["state"] == state
            late = await kiosk.post("/v1/sales", sale | {"quantity": 1}, key="k3")
            assert (late.status, json_of(late)["code"]) == (409, "reseller_not_open")

    asyncio.run(act())


def test_key_without_the_scope_manages_no_reseller(database_url: str, tmp_path: Path) -> None:
    async def act() -> None:
        async with within(settings_of(database_url, tmp_path)) as web:
            seller, clerk = (
                await a_distributor(web),
                await an_api(web, frozenset({Permission.SALE_MAKE})),
            )
            terms = {"account": clerk.id, "name": "Kios", "day_rupiah": UNIT}
            assert (await seller.post("/v1/resellers", terms)).status == 201
            for refused in (
                await clerk.post("/v1/resellers", terms),
                await clerk.post(f"/v1/reselling/{seller.id}/accept"),
            ):
                assert (refused.status, json_of(refused)["code"]) == (403, "not_permitted")

    asyncio.run(act())
