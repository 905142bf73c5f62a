"""One guard asks for the permission that a route declares."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from litestar import Litestar, get
from litestar.testing import TestClient

from meterai.accounts import PERMISSIONS, Permission, Role, require_permission
from meterai.accounts.model import OPEN
from meterai.kit.refusal import Refusal, SignInRequired
from meterai.plumbing.http import Caller, on_refusal


class OneKey:
    """An authenticator who knows one API key."""

    async def caller(self, connection: object) -> Caller:
        if "authorization" not in connection.headers:  # type: ignore[attr-defined]
            raise SignInRequired("no key")
        return Caller(UUID(int=1), "api_key", "en")

    def session_shown(self, _: object) -> tuple[str, str]:
        return "", ""

    def has_session(self, _: object) -> bool:
        return False


@pytest.fixture
def client() -> Iterator[TestClient[Litestar]]:
    def answer() -> str:
        return "done"

    routes = [
        get(f"/{one}", opt={"permission": one}, sync_to_thread=False)(answer) for one in Permission
    ]
    app = Litestar(
        routes, before_request=require_permission, exception_handlers={Refusal: on_refusal}
    )
    app.state.authenticator = OneKey()
    with TestClient(app) as made:
        yield made


@pytest.mark.parametrize("permission", Permission)
def test_only_what_is_open_asks_nobody_who_they_are(
    client: TestClient[Litestar], permission: Permission
) -> None:
    assert client.get(f"/{permission}").status_code == (200 if permission in OPEN else 401)
    key = {"Authorization": "Bearer x"}
    assert client.get(f"/{permission}", headers=key).status_code == 200


@pytest.mark.parametrize("missing", sorted(PERMISSIONS[Role.OWNER]))
def test_who_lacks_a_permission_is_told_which(
    client: TestClient[Litestar], monkeypatch: pytest.MonkeyPatch, missing: Permission
) -> None:
    monkeypatch.setitem(PERMISSIONS, Role.OWNER, PERMISSIONS[Role.OWNER] - {missing})
    key = {"Authorization": "Bearer x"}
    refused = client.get(f"/{missing}", headers=key)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
    assert refused.json()["permission"] == missing
    others = PERMISSIONS[Role.OWNER]
    assert all(client.get(f"/{one}", headers=key).status_code == 200 for one in others)


def test_a_role_below_the_owner_has_less_and_an_auditor_changes_nothing() -> None:
    for role in set(Role) - {Role.OWNER}:
        assert PERMISSIONS[role] < PERMISSIONS[Role.OWNER]
    assert all(one.value.endswith(".read") for one in PERMISSIONS[Role.AUDITOR])
