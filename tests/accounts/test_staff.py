"""Staff: giving and ending roles, sign-in, and the sessions that end with a role."""

import asyncio
from urllib.parse import parse_qs
from uuid import UUID

import pytest

from meterai.accounts import (
    AccountService,
    CodeService,
    PasskeyService,
    StaffRole,
    end_staff_role,
    first_supervisor,
    give_staff_role,
    has_supervisor,
    staff_by_address,
)
from meterai.accounts.model import (
    CodeWrong,
    LastSupervisor,
    PasskeyNeeded,
    PasskeyRequired,
    StaffRoleUnchanged,
    SupervisorsExist,
)
from meterai.accounts.staff import staff
from meterai.kit.refusal import NotFound
from tests.support.audits import audit
from tests.support.desk import Desk, staff_session
from tests.support.shop import TESTER, Shop


def end(shop: Shop, desk: Desk, role: StaffRole) -> None:
    async def act() -> None:
        async with shop.container.database.transaction() as tx:
            await end_staff_role(tx, desk.account, role, actor=TESTER)

    shop.do(act())


def give(shop: Shop, account: UUID, role: StaffRole) -> None:
    async def act() -> None:
        async with shop.container.database.transaction() as tx:
            await give_staff_role(tx, account, role, actor=TESTER)

    shop.do(act())


def first(shop: Shop, email: str) -> None:
    async def act() -> None:
        async with shop.container.database.transaction() as tx:
            await first_supervisor(tx, email, actor=TESTER)

    shop.do(act())


def test_staff_session_has_rights_and_the_trail_holds(shop: Shop) -> None:
    desk = staff_session(shop, StaffRole.SUPPORT, email="rini@operator.example")

    async def look() -> None:
        async with shop.container.database.reading() as tx:
            member = await staff_by_address(tx, "Rini@operator.example")
            assert member is not None
            assert (member.account, member.roles) == (desk.account, frozenset({StaffRole.SUPPORT}))
            assert await staff_by_address(tx, "nobody@operator.example") is None
            assert not await has_supervisor(tx)
            assert [one.email for one in await staff(tx)] == [desk.email]

    shop.do(look())
    assert shop.do(audit(shop.container.database)).holds


def test_mail_signs_in_staff_only_after_the_last_role_ends(
    shop: Shop,
) -> None:
    desk = staff_session(shop, StaffRole.SUPPORT, StaffRole.FINANCE)
    codes = shop.container.of(CodeService)

    def by_code() -> object:
        challenge = shop.do(codes.ask_for_code(desk.email, "192.0.2.1", "id"))
        wrong = str((int(codes.code(challenge)) + 1) % 1_000_000).zfill(6)
        with pytest.raises(CodeWrong):
            shop.do(codes.sign_in(challenge, wrong, "id"))
        return shop.do(codes.sign_in(challenge, codes.code(challenge), "id"))

    def by_link() -> object:
        challenge = shop.do(codes.ask_for_code(desk.email, "192.0.2.1", "id"))
        secret = parse_qs(codes.link(challenge))["secret"][0]
        return shop.do(codes.sign_in_by_link(challenge, secret, "id"))

    for way in (by_code, by_link):
        with pytest.raises(PasskeyRequired):
            way()
    end(shop, desk, StaffRole.FINANCE)
    with pytest.raises(PasskeyRequired):
        by_code()
    end(shop, desk, StaffRole.SUPPORT)
    for way in (by_code, by_link):
        assert way()
    assert shop.do(audit(shop.container.database)).holds


def test_first_two_supervisors_are_made_without_approval_and_the_last_cannot_end(
    shop: Shop,
) -> None:
    ani, budi, citra = [staff_session(shop, email=f"{who}@operator.example") for who in "abc"]
    with pytest.raises(NotFound):
        first(shop, "nobody@operator.example")
    first(shop, ani.email)
    with pytest.raises(StaffRoleUnchanged):
        first(shop, ani.email)
    with pytest.raises(LastSupervisor):
        end(shop, ani, StaffRole.SUPERVISOR)
    first(shop, budi.email)
    with pytest.raises(SupervisorsExist):
        first(shop, citra.email)
    end(shop, ani, StaffRole.SUPERVISOR)
    with pytest.raises(LastSupervisor):
        end(shop, budi, StaffRole.SUPERVISOR)
    with pytest.raises(StaffRoleUnchanged):
        end(shop, citra, StaffRole.SUPPORT)
    assert shop.do(audit(shop.container.database)).holds


def test_two_supervisors_ended_at_once_leave_one(shop: Shop) -> None:
    desks = [staff_session(shop, StaffRole.SUPERVISOR) for _ in range(2)]

    async def act(desk: Desk) -> None:
        async with shop.container.database.transaction() as tx:
            await end_staff_role(tx, desk.account, StaffRole.SUPERVISOR, actor=TESTER)

    async def both() -> list[object]:
        return await asyncio.gather(*map(act, desks), return_exceptions=True)

    assert sorted(type(one).__name__ for one in shop.do(both())) == ["LastSupervisor", "NoneType"]


def test_role_needs_a_passkey_and_the_first_one_ends_all_sessions(shop: Shop) -> None:
    accounts = shop.container.of(AccountService)
    with pytest.raises(PasskeyNeeded):
        give(shop, shop.account, StaffRole.SUPPORT)
    desk = staff_session(shop)
    assert len(shop.do(accounts.sessions(desk.account))) == 1
    give(shop, desk.account, StaffRole.SUPPORT)
    assert shop.do(accounts.sessions(desk.account)) == []
    shop.do(open_again(shop, desk))
    give(shop, desk.account, StaffRole.FINANCE)
    assert len(shop.do(accounts.sessions(desk.account))) == 1


async def open_again(shop: Shop, desk: Desk) -> None:
    passkeys = shop.container.of(PasskeyService)
    asked = passkeys.ask_to_sign_in()
    await passkeys.sign_in(desk.device.sign(asked.options), asked.cookie)
