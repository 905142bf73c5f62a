"""Organizations and the roles of their members."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from meterai.accounts import PERMISSIONS, Role
from meterai.accounts.members import (
    decide_on_organization,
    end_role,
    give_role,
    member_actor,
    permissions_in,
)
from meterai.accounts.model import (
    AlreadyMember,
    LastOwner,
    Organization,
    OrganizationEvent,
    OrganizationNotOpen,
    OrganizationState,
)
from meterai.accounts.organizations import OrganizationService
from meterai.apps.settings import settings_of as make_settings
from meterai.kit.ids import new_id, read
from meterai.kit.lifecycle import NotAllowedNow
from meterai.kit.refusal import NotFound
from meterai.plumbing.db.database import Tx
from tests.accounts.conftest import Counter
from tests.support.shop import TESTER

NPWP, NIB = "01.234.567.8-901.000", "1234567890123"


def service_of(counter: Counter, **settings: object) -> OrganizationService:
    made = make_settings(**settings)
    return OrganizationService(counter.database, counter.key, made, counter.clock, counter.service)


def person(counter: Counter, name: str) -> UUID:
    return counter.do(counter.service.create(f"{name}@example.id", actor=TESTER))


def organization(counter: Counter, owner: UUID, **settings: object) -> Organization:
    service = service_of(counter, **settings)
    return counter.do(service.make(new_id(), owner, "PT  Contoh", NPWP, NIB))


def act(counter: Counter, command: Callable[[Tx], Awaitable[object]]) -> object:
    return counter.do(counter.database.run(command))


def test_member_has_the_permissions_of_its_role(counter: Counter) -> None:
    ani, budi = person(counter, "ani"), person(counter, "budi")
    made = organization(counter, ani)

    async def all_roles(tx: Tx) -> None:
        account = made.account
        assert await permissions_in(tx, ani, ani) == PERMISSIONS[Role.OWNER]
        assert await permissions_in(tx, account, ani) == PERMISSIONS[Role.OWNER]
        assert await permissions_in(tx, account, budi) == frozenset()
        for role in Role:
            await give_role(tx, account, budi, role, actor=TESTER)
            assert await permissions_in(tx, account, budi) == PERMISSIONS[role]
            with pytest.raises(AlreadyMember):
                await give_role(tx, account, budi, role, actor=TESTER)
            [row] = await tx.all(
                "SELECT membership_id FROM memberships WHERE member_id = %s AND ended_at IS NULL",
                budi,
            )
            await end_role(tx, account, row["membership_id"], actor=TESTER)
        assert await permissions_in(tx, account, budi) == frozenset()
        assert await permissions_in(tx, budi, ani) == frozenset(), "not the other way round"

    act(counter, all_roles)
    told = [action for _, action in counter.trail() if action.startswith("role")]
    assert told.count("role_given") == 1 + len(Role)
    assert told.count("role_ended") == len(Role)


def test_organization_has_its_numbers_normalized_and_one_owner(counter: Counter) -> None:
    ani = person(counter, "ani")
    made = organization(counter, ani)
    assert (made.name, made.npwp, made.nib) == ("PT Contoh", "012345678901000", NIB)
    assert (list(made.warns), made.state) == ([], OrganizationState.OPEN)
    service = service_of(counter)
    again = counter.do(service.make(made.account, ani, "PT Lain", "", ""))
    assert again == made, "a repeat finds the same"
    with pytest.raises(NotFound):
        counter.do(service.make(made.account, person(counter, "budi"), "PT Contoh", NPWP, NIB))
    [member] = counter.do(service.members(made.account))
    assert (member.email, member.role) == ("ani@example.id", Role.OWNER)
    contact = counter.rows("SELECT email FROM accounts WHERE account_id = %s", made.account)
    assert contact == [{"email": None}], "nobody signs in as an organization"


def test_waiting_organization_is_acted_for_after_approval(counter: Counter) -> None:
    signed_in = counter.sign_in("ani@example.id")
    caller = counter.opens(signed_in.session)
    assert caller.person is not None
    assert caller.actor.id is not None
    made = organization(counter, caller.person, organizations_need_approval=True)
    assert made.state == OrganizationState.WAITING
    session = read("ses", caller.actor.id)
    acting = counter.service.act_for
    with pytest.raises(OrganizationNotOpen):
        counter.do(acting(caller.person, session, made.account))

    async def approve(tx: Tx) -> None:
        await decide_on_organization(tx, made.account, OrganizationEvent.APPROVED, actor=TESTER)

    act(counter, approve)
    with pytest.raises(NotAllowedNow):
        act(counter, approve)
    counter.do(acting(caller.person, session, made.account))
    acts = counter.opens(signed_in.session)
    assert (acts.account, acts.acts_for, acts.member) == (made.account, "PT Contoh", caller.person)
    assert str(acts.actor) == str(member_actor(caller.person))


def test_declined_organization_is_never_acted_for(counter: Counter) -> None:
    caller = counter.opens(counter.sign_in("ani@example.id").session)
    assert caller.person is not None
    assert caller.actor.id is not None
    made = organization(counter, caller.person, organizations_need_approval=True)

    async def decline(tx: Tx) -> None:
        await decide_on_organization(tx, made.account, OrganizationEvent.DECLINED, actor=TESTER)

    act(counter, decline)
    with pytest.raises(OrganizationNotOpen):
        counter.do(
            counter.service.act_for(caller.person, read("ses", caller.actor.id), made.account)
        )


def test_last_owner_cannot_leave(counter: Counter) -> None:
    ani = person(counter, "ani")
    made = organization(counter, ani)
    service = service_of(counter)
    [owner] = counter.do(service.members(made.account))
    number = read("mem", owner.id)
    for leave in (
        service.leave(made.account, ani),
        service.end(made.account, number, actor=TESTER),
        service.change(made.account, number, Role.CLERK, None, actor=TESTER),
    ):
        with pytest.raises(LastOwner):
            counter.do(leave)


def test_two_owners_leaving_at_once_leave_one(counter: Counter) -> None:
    ani, budi = person(counter, "ani"), person(counter, "budi")
    made = organization(counter, ani)

    async def second(tx: Tx) -> None:
        await give_role(tx, made.account, budi, Role.OWNER, actor=TESTER)

    act(counter, second)
    service = service_of(counter)

    async def both() -> list[object]:
        leaving = (service.leave(made.account, one) for one in (ani, budi))
        return list(await asyncio.gather(*leaving, return_exceptions=True))

    outcomes = counter.do(both())
    assert sorted(type(one).__name__ for one in outcomes) == ["LastOwner", "NoneType"]
    assert len(counter.do(service.members(made.account))) == 1
