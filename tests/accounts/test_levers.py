"""Levers of accounts: forecasts and effects."""

from typing import Any

import msgspec
import pytest

from meterai.accounts import AccountService, StaffRole, staff_by_address
from meterai.accounts.levers import END_KEY, END_SESSIONS, END_STAFF_ROLE, GIVE_STAFF_ROLE
from meterai.accounts.model import LastSupervisor, PasskeyNeeded, StaffRoleUnchanged
from meterai.commands import Forecast, Lever, Pull
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.clock import SystemClock
from meterai.kit.refusal import NotFound
from meterai.plumbing.messages import translate
from tests.support.audits import audit
from tests.support.desk import staff_session
from tests.support.shop import Shop


def pull_of(shop: Shop) -> Pull:
    actor = Actor(ActorKind.STAFF, "acc_1")
    return Pull(actor, SystemClock().now(), "", shop.container.settings)


def forecast(shop: Shop, lever: Lever, **arguments: str) -> Forecast:
    async def look() -> Forecast:
        async with shop.container.database.reading() as tx:
            told = msgspec.convert(arguments, lever.arguments)
            return await lever.forecast(tx, told, pull_of(shop))

    return shop.do(look())


def carry_out(shop: Shop, lever: Lever, **arguments: str) -> None:
    async def act() -> None:
        async with shop.container.database.transaction() as tx:
            told = msgspec.convert(arguments, lever.arguments)
            await lever.carry_out(tx, told, pull_of(shop))

    shop.do(act())


def said(found: Forecast) -> list[str]:
    return [translate(f"effect.{one.word}", "en", **one.facts) for one in found.effects]


def roles(shop: Shop, email: str) -> Any:
    async def look() -> Any:
        async with shop.container.database.reading() as tx:
            found = await staff_by_address(tx, email)
            return found.roles if found else frozenset()

    return shop.do(look())


def test_staff_role_levers_carry_out_their_forecast(shop: Shop) -> None:
    desk = staff_session(shop, email="rini@operator.example")
    support = {"account": desk.email, "role": StaffRole.SUPPORT.value}
    first = forecast(shop, GIVE_STAFF_ROLE, **support)
    assert said(first) == [
        "rini@operator.example gets the staff role support.",
        "All sessions of rini@operator.example end, because the way to sign in changes.",
    ]
    assert (first.rows, first.rupiah) == (1, 0)
    carry_out(shop, GIVE_STAFF_ROLE, **support)
    assert roles(shop, desk.email) == {StaffRole.SUPPORT}
    with pytest.raises(StaffRoleUnchanged):
        forecast(shop, GIVE_STAFF_ROLE, **support)
    second = {"account": desk.shown, "role": StaffRole.FINANCE.value}
    assert len(forecast(shop, GIVE_STAFF_ROLE, **second).effects) == 1
    carry_out(shop, GIVE_STAFF_ROLE, **second)
    assert len(forecast(shop, END_STAFF_ROLE, **second).effects) == 1
    carry_out(shop, END_STAFF_ROLE, **second)
    assert len(forecast(shop, END_STAFF_ROLE, **support).effects) == 2
    carry_out(shop, END_STAFF_ROLE, **support)
    assert roles(shop, desk.email) == frozenset()
    assert shop.do(audit(shop.container.database)).holds


def test_forecast_of_staff_levers_refuses_what_the_lever_would_refuse(shop: Shop) -> None:
    ani = staff_session(shop, StaffRole.SUPERVISOR)
    for wrong, refusal in (
        ({"account": "nobody@operator.example", "role": "support"}, NotFound),
        ({"account": "acc_00000000000000000000000000", "role": "support"}, NotFound),
        ({"account": ani.email, "role": "supervisor"}, StaffRoleUnchanged),
    ):
        with pytest.raises(refusal):
            forecast(shop, GIVE_STAFF_ROLE, **wrong)
    [row] = shop.rows("SELECT email FROM accounts WHERE account_id = %s", shop.account)
    with pytest.raises(PasskeyNeeded):
        forecast(shop, GIVE_STAFF_ROLE, account=row["email"], role="support")
    with pytest.raises(LastSupervisor):
        forecast(shop, END_STAFF_ROLE, account=ani.email, role="supervisor")


def test_levers_end_sessions_and_a_key_of_an_account(shop: Shop) -> None:
    desk = staff_session(shop, email="budi@example.id")
    accounts = shop.container.of(AccountService)
    text = shop.do(
        accounts.create_api_key(desk.account, "kasir", actor=Actor(ActorKind.OPERATOR, "x"))
    )
    assert said(forecast(shop, END_SESSIONS, account=desk.email)) == [
        "1 session of budi@example.id ends."
    ]
    carry_out(shop, END_SESSIONS, account=desk.shown)
    assert forecast(shop, END_SESSIONS, account=desk.email).rows == 0
    [key] = shop.do(accounts.api_keys(desk.account))
    told = {"account": desk.email, "key": key.id}
    assert said(forecast(shop, END_KEY, **told)) == [
        f"The API key {key.id} (kasir) of budi@example.id ends."
    ]
    carry_out(shop, END_KEY, **told)
    assert forecast(shop, END_KEY, **told).rows == 0
    [key] = shop.do(accounts.api_keys(desk.account))
    assert key.ended_at is not None
    assert text not in str(key)
    with pytest.raises(NotFound):
        forecast(shop, END_KEY, account=desk.email, key="key_00000000000000000000000000")
    assert shop.do(audit(shop.container.database)).holds
