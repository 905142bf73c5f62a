"""The guard requires the permission that a route declares."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar, Request, get
from litestar.testing import TestClient

from meterai.accounts import PERMISSIONS, Permission, Role, require_permission
from meterai.accounts.model import (
    OF_STAFF,
    OPEN,
    STAFF_PERMISSIONS,
    STAFF_SESSION_LIVES,
    StaffRole,
)
from meterai.kit.refusal import Refusal, SignInRequired
from meterai.plumbing.http.callers import Caller
from meterai.plumbing.http.problems import on_refusal


class Known:
    """Authenticator that knows one API key, and sessions of one person named by their permissions."""

    def __init__(self) -> None:
        self.permissions = PERMISSIONS[Role.OWNER]
        self.staff: frozenset[Permission] = frozenset()
        self.is_key = True
        self.is_over = False
        self.proved_at = datetime.now(UTC)

    async def caller(self, connection: object, *, anew: bool = False) -> Caller:
        if "authorization" not in connection.headers:  # type: ignore[attr-defined]
            raise SignInRequired("no key")
        if self.is_key:
            return Caller(UUID(int=1), "api_key", "en", permissions=self.permissions)
        return Caller(
            UUID(int=1),
            "session",
            "en",
            permissions=self.permissions,
            staff_permissions=self.staff,
            person=UUID(int=2),
            proved_at=self.proved_at,
            is_acting_over=self.is_over,
        )

    def session_shown(self, _: object) -> tuple[str, str]:
        return "", ""

    def has_session(self, _: object) -> bool:
        return False


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
def client(known: Known) -> Iterator[TestClient[Litestar]]:
    def answer(request: Request[Any, Any, Any]) -> dict[str, str]:
        caller = request.scope.get("caller")
        if not isinstance(caller, Caller):
            return {}
        return {"account": str(caller.account), "actor": str(caller.actor)}

    routes = [
        get(f"/{one}", opt={"permission": one}, sync_to_thread=False)(answer) for one in Permission
    ]
    app = Litestar(
        routes, before_request=require_permission, exception_handlers={Refusal: on_refusal}
    )
    app.state.authenticator = known
    with TestClient(app) as made:
        yield made


KEY = {"Authorization": "Bearer x"}


@pytest.mark.parametrize("permission", Permission)
def test_open_routes_alone_need_no_sign_in(
    client: TestClient[Litestar], permission: Permission
) -> None:
    assert client.get(f"/{permission}").status_code == (200 if permission in OPEN else 401)
    is_had = permission in OPEN | PERMISSIONS[Role.OWNER]
    assert client.get(f"/{permission}", headers=KEY).status_code == (200 if is_had else 403)


def test_personal_routes_act_for_the_person_and_others_for_the_organization(
    client: TestClient[Litestar], known: Known
) -> None:
    known.is_key = False
    personal = client.get(f"/{Permission.PERSON}", headers=KEY)
    assert personal.json()["account"] == str(UUID(int=2))
    acting = client.get(f"/{Permission.ORDER_READ}", headers=KEY)
    assert acting.json()["account"] == str(UUID(int=1))


def test_ended_role_is_refused_and_personal_routes_still_work(
    client: TestClient[Litestar], known: Known
) -> None:
    known.is_key, known.is_over, known.permissions = False, True, frozenset()
    refused = client.get(f"/{Permission.ORDER_READ}", headers=KEY)
    assert (refused.status_code, refused.json()["code"]) == (403, "membership_ended")
    assert client.get(f"/{Permission.PERSON}", headers=KEY).status_code == 200


@pytest.mark.parametrize("role", StaffRole)
def test_staff_role_opens_its_routes_as_staff_for_twelve_hours(
    client: TestClient[Litestar], known: Known, role: StaffRole
) -> None:
    known.is_key, known.staff = False, STAFF_PERMISSIONS[role]
    for one in OF_STAFF:
        answer = client.get(f"/{one}", headers=KEY)
        assert answer.status_code == (200 if one in known.staff else 403)
        if one in known.staff:
            assert answer.json()["actor"].startswith("staff:acc_")
    known.proved_at = datetime.now(UTC) - STAFF_SESSION_LIVES - timedelta(seconds=1)
    late = client.get(f"/{Permission.CONSOLE_READ}", headers=KEY)
    assert (late.status_code, late.json()["code"]) == (403, "proof_required")


def test_roles_below_owner_have_fewer_permissions_and_auditor_changes_nothing() -> None:
    for role in set(Role) - {Role.OWNER}:
        assert PERMISSIONS[role] < PERMISSIONS[Role.OWNER]
    assert all(one.value.endswith(".read") for one in PERMISSIONS[Role.AUDITOR])
    sees = {Permission.CONSOLE_READ, Permission.CONSOLE_STATEMENTS}
    assert STAFF_PERMISSIONS[StaffRole.REGULATOR] == sees
