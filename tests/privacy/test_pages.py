"""Pages of personal data, before the whole application: a person, staff, and strangers."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from httpx import Response

from meterai.accounts import AccountService
from meterai.apps.rooms import ROOMS
from meterai.plumbing.messages import LANGUAGES, translate
from meterai.plumbing.work.retention import Leaves
from tests.privacy.person import Person, table, unzipped
from tests.privacy.test_breaches import TEXTS, known
from tests.support.desk import Desk, staff_session
from tests.support.pulling import member
from tests.support.shop import Shop, open_shop
from tests.support.walk_in import WalkIn, fields, walk_in

ANI = "ani@example.id"
MINE = "/privacy/mine"


class Ani(WalkIn):
    """Ani with a browser."""

    def __init__(self, walker: WalkIn, shop: Shop) -> None:
        super().__init__(walker.client)
        self.signs_in(ANI)
        [row] = shop.rows("SELECT account_id FROM accounts WHERE email = %s", ANI)
        shop.account = row["account_id"]
        self.person = Person(shop)

    def asks(self, what: str) -> str:
        form = fields(self.get(MINE), f"{MINE}/{what}")
        return self.goes(f"{MINE}/{what}", form)


@pytest.fixture
def ani(database_url: str, tmp_path: Path) -> Iterator[Ani]:
    with open_shop(database_url, tmp_path) as shop, walk_in(database_url, tmp_path) as walker:
        yield Ani(walker, shop)


def test_person_downloads_a_copy(ani: Ani) -> None:
    assert MINE in ani.get("/account")
    shown = ani.get(MINE)
    assert ANI in shown
    sent = ani.sends(f"{MINE}/copy", fields(shown, f"{MINE}/copy"))
    assert sent.status_code == 200
    assert sent.headers["content-type"] == "application/zip"
    assert "attachment" in sent.headers["content-disposition"]
    [account] = table(unzipped(sent.content), "accounts", "accounts")
    assert account["email"] == ANI


def test_person_requests_erasure_sees_what_is_kept_and_withdraws(ani: Ani) -> None:
    shown = ani.get(MINE)
    assert "UU KUP 28(11)" not in shown, "there is no order yet"
    ani.person.shop.place(1)
    shown = ani.get(MINE)
    assert "UU KUP 28(11)" in shown
    assert "1 order is still open." in shown
    assert ani.asks("erasure") == f"{MINE}#erasure"
    assert "Cancel the erasure" in ani.get(MINE)
    assert ani.asks("erasure/withdraw") == f"{MINE}#erasure"
    assert ani.person.state() == "withdrawn"


def test_stale_session_gets_no_copy_and_no_erasure(ani: Ani) -> None:
    shown = ani.get(MINE)
    ani.person.shop.arrange("UPDATE sessions SET created_at = created_at - interval '1 hour'")
    ani.container.of(AccountService)._remembered.clear()
    for what in ("copy", "erasure", "copy.zip"):
        sent = ani.sends(
            f"{MINE}/{what}", {"form_token": fields(shown, f"{MINE}/copy")["form_token"]}
        )
        assert sent.status_code in (303, 401, 403), (what, sent.status_code)
    assert not ani.person.shop.rows("SELECT 1 FROM privacy_requests")
    assert "/sign-in/again" in ani.get(MINE)


def test_stranger_sees_the_register_of_processing_alone(ani: Ani) -> None:
    with ani.as_another():
        assert ani.client.get(MINE).status_code in (303, 401)
        shown = ani.get("/privacy/processing")
    for room in ROOMS:
        for held in room.personal.tables if room.personal else ():
            assert translate(f"personal.{held.table}", "en") in unescape(shown)
    [leaves] = [
        rule
        for room in ROOMS
        for rule in room.retention
        if isinstance(rule, Leaves) and rule.table == "case_pictures"
    ]
    assert f"Deleted after {leaves.after.days} days." in shown


def test_staff_see_breaches_with_due_time_and_letter(ani: Ani) -> None:
    shop = ani.person.shop
    staff = member(shop, "supervisor")
    staff.pull("breaches open", known_at=known(), subjects="all", **TEXTS)
    ani.person.asks()
    listed = as_staff(ani, staff_session(ani), "/console/privacy")
    assert listed.status_code == 403
    desk = staff_session(ani, "supervisor")
    listed = as_staff(ani, desk, "/console/privacy")
    assert listed.status_code == 200
    assert TEXTS["exposed_en"] in listed.text
    assert "WIB" in listed.text
    assert "Erasure of data" in listed.text
    [number] = set(re.findall(r"/console/privacy/(brc_\w+)", listed.text))
    one = as_staff(ani, desk, f"/console/privacy/{number}")
    assert TEXTS["handling_en"] in one.text
    assert f"breaches.tell?breach={number}" in one.text
    for language in LANGUAGES:
        letter = as_staff(ani, desk, f"/console/privacy/{number}/letter/{language}")
        assert letter.content.startswith(b"%PDF-")
    assert as_staff(ani, desk, "/console/privacy/brc_x").status_code == 404


def as_staff(ani: Ani, desk: Desk, path: str) -> Response:
    with ani.as_another():
        return ani.client.get(path, headers=desk.headers)
