"""Organizations, and the roles of their members."""

import asyncio

import pytest

from meterai.accounts import PERMISSIONS, AccountService, Permission, Role
from meterai.accounts.roles import end_role, give_role, make_organization, permissions_in
from meterai.apps.settings import settings_of as make_settings
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.clock import SystemClock
from meterai.plumbing.database import Database
from tests.support.shop import TESTER


def test_a_member_may_what_its_role_there_has(database_url: str) -> None:
    async def act() -> None:
        database = Database(database_url, connections=2)
        await database.open()
        accounts = AccountService(database, b"k" * 32, make_settings(), SystemClock())
        ani, budi = [
            await accounts.create(f"{who}@example.id", actor=TESTER) for who in ("ani", "budi")
        ]
        async with database.transaction() as tx:
            await make_organization(tx, ani, "PT Contoh", actor=Actor(ActorKind.ACCOUNT))
            await make_organization(
                tx, ani, "PT Contoh", actor=Actor(ActorKind.ACCOUNT)
            )  # once is enough
            assert await permissions_in(tx, ani, ani) == PERMISSIONS[Role.OWNER]
            assert await permissions_in(tx, ani, budi) == frozenset()
            for role in Role:
                await give_role(tx, ani, budi, role, actor=Actor(ActorKind.ACCOUNT))
                assert await permissions_in(tx, ani, budi) == PERMISSIONS[role]
            assert Permission.ORDER_CREATE not in await permissions_in(tx, ani, budi)
            await end_role(tx, ani, budi, actor=Actor(ActorKind.ACCOUNT))
            await end_role(tx, ani, budi, actor=Actor(ActorKind.ACCOUNT))
            assert await permissions_in(tx, ani, budi) == frozenset()
            assert await permissions_in(tx, budi, ani) == frozenset(), "not the other way round"
        rows = await database.read(
            "SELECT action, count(*) AS times FROM audit_events WHERE account_id = %s"
            " AND action LIKE 'role%%' GROUP BY action ORDER BY action",
            ani,
        )
        told = {row["action"]: row["times"] for row in rows}
        assert told == {"role_given": 1 + len(Role), "role_ended": len(Role)}
        await database.close()

    asyncio.run(act())


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.OWNER}))
def test_no_other_role_manages_what_it_cannot_see(role: Role) -> None:
    if Permission.KEYS_MANAGE in PERMISSIONS[role]:
        assert Permission.KEYS_READ in PERMISSIONS[role]
    if Permission.ORDER_CREATE in PERMISSIONS[role]:
        assert Permission.ORDER_READ in PERMISSIONS[role]
