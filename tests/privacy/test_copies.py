"""Copies: all stored data of a person, no secret, and no data of another person."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from meterai.apps.rooms import ROOMS
from meterai.kit.ids import show
from meterai.kit.refusal import NotFound
from meterai.plumbing.db.personal import PersonalTable
from meterai.plumbing.messages import catalogue
from meterai.privacy import copies
from meterai.privacy import service as module
from meterai.privacy.model import COPIES_PER_DAY_MAX, TooManyCopies
from tests.privacy.person import PERSON, Person, table, unzipped
from tests.support.commands import run_here
from tests.support.history import make
from tests.support.rows import insert, possible
from tests.support.shop import Shop

TABLES = {
    one.table: (room.name, one) for room in ROOMS if room.personal for one in room.personal.tables
}

WHOSE = PersonalTable(table="").whose  # rows of an account, found by its id
OF_ACCOUNT = {name for name, (_, one) in TABLES.items() if one.columns and one.whose == WHOSE}


@pytest.fixture
def everything(shop: Shop) -> Person:
    """A person with a row in every table, in an organization and a line with another person.

    For a table in which the history has no row of this account, it gets the row of another account, or a made
    one.
    """
    history = make(shop)
    now, account = shop.container.clock.now(), f"'{shop.account}'"
    with psycopg.connect(shop.container.database.url, autocommit=True) as connection:
        for name in sorted(OF_ACCOUNT):
            if shop.rows(f"SELECT 1 FROM {name} WHERE account_id = %s LIMIT 1", shop.account):
                continue
            one = f"ctid = (SELECT ctid FROM {name} LIMIT 1)"
            connection.execute("SET session_replication_role = replica")
            given = f"UPDATE {name} SET account_id = {account} WHERE {one}"
            if not connection.execute(given.encode()).rowcount:
                row = possible(connection, name, {"account_id": account}, now, "true")
                insert(connection, name, row, now)
    person = Person(shop)
    person.other = history["other"]  # type: ignore[attr-defined]
    return person


def test_copy_of_a_person_with_all_data_has_every_table(everything: Person) -> None:
    files = everything.copy()
    told = {
        one["table"]: one
        for name, content in files.items()
        if name.startswith("data/")
        for one in json.loads(content)["tables"]
    }
    assert told.keys() >= OF_ACCOUNT
    assert {"sign_in_challenges", "memberships", "member_uses", "invitations"} <= told.keys()
    assert {"drafts", "draft_files", "cases", "case_messages", "case_pictures"} <= told.keys()
    assert {"mails", "waiting_room_turns"} <= told.keys()
    assert all(one["complete"] and one["what"]["id"] and one["what"]["en"] for one in told.values())
    [account] = table(files, "accounts", "accounts")
    assert account["email"] == everything.email
    assert account["account_id"] == show("acc", everything.shop.account)
    [count] = everything.shop.rows(
        "SELECT count(*) AS n FROM orders WHERE account_id = %s", everything.shop.account
    )
    assert len(table(files, "orders", "orders")) == count["n"]
    members = table(files, "accounts", "memberships")
    assert {one["organization"] for one in members if one["ended_at"] is None} >= {"PT Contoh"}


def test_copy_has_orders_as_csv_receipts_and_a_bilingual_readme(
    everything: Person,
) -> None:
    files = everything.copy()
    rows = list(csv.DictReader(io.StringIO(files["orders.csv"].decode())))
    assert {row["order_id"] for row in rows} == {
        one["order_id"] for one in table(files, "orders", "orders")
    }
    readme = files["README.txt"].decode()
    assert catalogue()["copy.readme.title"]["id"] in readme
    assert catalogue()["copy.readme.title"]["en"] in readme
    assert everything.email in readme
    receipts = [name for name in files if name.startswith("receipts/")]
    assert any(name.endswith("-id.pdf") for name in receipts)
    assert any(name.endswith("-en.pdf") for name in receipts)
    assert all(files[name].startswith(b"%PDF-") for name in receipts)
    assert [name for name in files if name.endswith(".webp")]


def test_copy_has_no_data_of_another_person_and_no_secret(everything: Person) -> None:
    shop, other = everything.shop, everything.other  # type: ignore[attr-defined]
    [row] = shop.rows("SELECT email FROM accounts WHERE account_id = %s", other)
    text = "\n".join(
        content.decode()
        for name, content in everything.copy().items()
        if name.endswith((".json", ".txt", ".csv"))
    )
    assert everything.email in text
    for foreign in (row["email"], str(other), show("acc", other), "tamu@example.id"):
        assert foreign not in text
    staff = shop.rows("SELECT staff_id AS id FROM case_messages WHERE staff_id IS NOT NULL")
    assert staff
    assert not [one for one in staff if str(one["id"]) in text or show("acc", one["id"]) in text]
    hidden = [
        ("sessions", "secret_hash"),
        ("api_keys", "secret_hash"),
        ("passkeys", "credential_id"),
        ("passkeys", "public_key"),
        ("waiting_room_places", "holder"),
        ("documents", "name_salt"),
    ]
    for name, column in hidden:
        found = shop.rows(f"SELECT {column} AS secret FROM {name}")
        assert found, name
        for one in found:
            secret = one["secret"]
            if secret is not None:
                shown = secret.hex() if isinstance(secret, bytes | memoryview) else str(secret)
                assert shown not in text, (name, column)


def test_large_copy_is_made_by_a_task_and_deleted_after_a_day(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, service = person.shop, person.service
    for _ in range(3):
        person.signs_in()
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 2)
    assert shop.do(service.ask_copy(shop.account, actor=PERSON)) is None
    assert person.state("copy") == "asked"
    assert shop.do(service.ask_copy(shop.account, actor=PERSON)) is None, "one at a time"
    with pytest.raises(NotFound):
        shop.do(service.fetch_copy(shop.account))
    assert shop.do(service.make_copies()) == 1
    assert person.state("copy") == "made"
    files = unzipped(shop.do(service.fetch_copy(shop.account)))
    assert len(table(files, "accounts", "sessions")) == 3
    stored = list(Path(shop.container.objects.place).rglob("copy-*"))
    assert len(stored) == 1
    assert person.email.encode() not in stored[0].read_bytes()
    assert [one["template"] for one in person.mails()] == ["copy_made"]
    shop.assert_books_hold()
    person.pass_days(1.01)
    assert shop.do(service.let_copies_go()) == 1
    assert person.state("copy") == "gone"
    with pytest.raises(NotFound):
        shop.do(service.fetch_copy(shop.account))
    names = shop.rows("SELECT name FROM condemned_objects")
    assert [one["name"] for one in names] == [stored[0].name]
    shop.assert_books_hold()


def test_copies_are_limited_per_day(person: Person) -> None:
    for _ in range(COPIES_PER_DAY_MAX):
        assert person.copy()
    with pytest.raises(TooManyCopies):
        person.copy()
    person.pass_days(1.01)
    assert person.copy()
    person.shop.assert_books_hold()


def test_copy_interrupted_by_a_crash_is_made_by_the_task(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(copy: copies.Copy) -> bytes:
        raise RuntimeError(copy.at)

    with monkeypatch.context() as patch:
        patch.setattr(module, "zipped", killed)
        with pytest.raises(RuntimeError):
            person.copy()
    assert person.state("copy") == "asked"
    person.pass_days(timedelta(hours=2) / timedelta(days=1))
    assert person.shop.do(person.service.make_copies()) == 1
    assert person.state("copy") == "made"


def test_operator_writes_the_copy_of_a_person_to_a_file(shop: Shop, tmp_path: Path) -> None:
    person, out = Person(shop), tmp_path / "copy.zip"
    url = shop.container.settings.process.database_url
    words = ("privacy", "export", person.email, "--out", str(out))
    done = run_here(tmp_path, *words, DATABASE_URL=url)
    assert done.returncode == 0, done.stderr
    assert person.email in unzipped(out.read_bytes())["README.txt"].decode()
    assert out.stat().st_mode & 0o077 == 0
    [told] = person.shop.rows(
        "SELECT account_id, actor FROM audit_events WHERE action = 'data_exported'"
    )
    assert told["account_id"] == person.shop.account
    assert told["actor"].startswith("operator:")
    person.shop.assert_books_hold()
    again = run_here(tmp_path, *words, DATABASE_URL=url)
    assert again.returncode != 0
