"""Pages of staff, and the page of API keys, in a browser before the whole application."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from meterai.accounts import StaffRole
from tests.support.desk import Desk, authenticator_of, staff_session
from tests.support.walk_in import WalkIn, fields, walk_in

HOST = "http://testserver.local"  # a passkey belongs to a name


@pytest.fixture
def visitor(database_url: str, tmp_path: Path) -> Iterator[WalkIn]:
    with walk_in(database_url, tmp_path, public_url=HOST) as made:
        yield made


def become(visitor: WalkIn, desk: Desk) -> None:
    """Give the browser the session of this person alone."""
    visitor.client.cookies.clear()
    visitor.client.cookies.set("session", desk.cookie.partition("=")[2])


def with_database(visitor: WalkIn, statement: str, desk: Desk) -> None:
    """Change rows of this person's account."""
    with psycopg.connect(visitor.container.settings.process.database_url) as connection:
        connection.execute(f"{statement} WHERE account_id = %s".encode(), [desk.account])


def test_right_code_of_staff_is_refused_on_the_page(visitor: WalkIn) -> None:
    desk = staff_session(visitor, StaffRole.SUPPORT)
    asked = visitor.goes("/sign-in", {"email": desk.email, "next": "/account"})
    form = fields(visitor.get(asked), "/sign-in/code", "code")
    wrong = str((int(visitor.code()) + 1) % 1_000_000).zfill(6)
    told = visitor.sends("/sign-in/code", form | {"code": wrong}).text
    assert "Wrong code" in told, "nothing is told of whose address it is"
    refused = visitor.sends("/sign-in/code", form | {"code": visitor.code()})
    assert refused.status_code == 403
    assert "opens only with a passkey" in refused.text
    assert not visitor.cookie("session")


def test_fresh_proof_of_staff_is_by_passkey_alone(visitor: WalkIn) -> None:
    become(visitor, staff_session(visitor, StaffRole.SUPPORT))
    page = visitor.get("/sign-in/again")
    assert 'action="/sign-in"' not in page
    assert 'action="/sign-in/passkey"' in page
    become(visitor, staff_session(visitor))
    assert 'action="/sign-in"' in visitor.get("/sign-in/again")


def test_staff_add_a_passkey_and_keep_the_last_one(visitor: WalkIn) -> None:
    desk = staff_session(visitor, StaffRole.SUPPORT)
    become(visitor, desk)
    token = {"form_token": desk.form_token}
    [only] = re.findall(r"/account/passkeys/(psk_\w+)/end", visitor.get("/account"))
    kept = visitor.sends(f"/account/passkeys/{only}/end", token)
    assert kept.status_code == 409
    assert "Staff can sign in only with a passkey" in kept.text
    device = authenticator_of(visitor.container.settings)
    asked = visitor.sends("/account/passkeys/options", token).text
    made = {"name": "Laptop", "credential": device.make(asked)}
    assert visitor.goes("/account/passkeys", token | made) == "/account#passkeys"
    assert visitor.goes(f"/account/passkeys/{only}/end", token) == "/account#passkeys"


def test_passkey_of_staff_is_added_only_in_a_passkey_session(
    visitor: WalkIn,
) -> None:
    desk = staff_session(visitor, StaffRole.SUPPORT)
    become(visitor, desk)
    # Like a session that was opened by mail while the role was given.
    with_database(visitor, "UPDATE sessions SET opened_with = 'mail'", desk)
    token = {"form_token": desk.form_token}
    device = authenticator_of(visitor.container.settings)
    asked = visitor.sends("/account/passkeys/options", token).text
    made = {"name": "Laptop", "credential": device.make(asked)}
    refused = visitor.sends("/account/passkeys", token | made)
    assert refused.status_code == 403
    assert "opens only with a passkey" in refused.text


# -- API keys ----------------------------------------------------------------------------------
