"""An installation with payments of an earlier version continues: nothing is lost, and the bank is not flooded."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from meterai.plumbing.db.sql_files import migrations

NEW = "0012_payments.sql"
ONE_HOME = ("payments/0010_one_home.sql", "payments/0011_one_home_checked.sql")
RAILS = ("payments/0001_rails.sql", "payments/0002_rails_checked.sql")
# Written by a process of a version without rails.
MADE = (
    "INSERT INTO payment_attempts (account_id, attempt_id, subject, reference, amount, state,"
    " qr_content, provider_reference, expires_at, leased_until, ask_at)"
    " VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), %s, 10000, 'waiting',"
    " %s, 'B1', now(), now(), now())"
)


@pytest.fixture
def before(server: str) -> Iterator[psycopg.Connection[Any]]:
    """A database in its state before migration 0012."""
    yield from _database(server, [text for file, text in migrations() if file < NEW])


@pytest.fixture
def before_rails(server: str) -> Iterator[psycopg.Connection[Any]]:
    """A database in its state before there were rails."""
    later = {*RAILS, *ONE_HOME}
    yield from _database(server, [text for file, text in migrations() if file not in later])


@pytest.fixture
def before_one_home(server: str) -> Iterator[psycopg.Connection[Any]]:
    """A database in its state while a QR was stored in two columns."""
    yield from _database(server, [text for file, text in migrations() if file not in ONE_HOME])


def _database(server: str, texts: list[str]) -> Iterator[psycopg.Connection[Any]]:
    name = "upgrade_of_payments"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    with psycopg.connect(server.replace("/postgres?", f"/{name}?")) as opened:
        for text in texts:
            opened.execute(text.encode())
        yield opened
        opened.rollback()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_old_attempts_are_queried_and_old_qrs_are_not_cancelled(
    before: psycopg.Connection[Any],
) -> None:
    before.execute(
        "INSERT INTO payment_attempts (account_id, attempt_id, subject, reference, amount, state,"
        " qr_content, opened_at, expires_at, leased_until, ask_at)"
        " SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), label, 10000, state, qr,"
        "  now() - days * interval '1 day', now() - days * interval '1 day', now(), ask"
        " FROM (VALUES ('paid', 'paid', 'qr', 10, 'infinity'::timestamptz),"
        "  ('ancient', 'paid', 'qr', 400, 'infinity'), ('unseen', 'lost', NULL, 10, 'infinity'),"
        "  ('waiting', 'waiting', 'qr', 0, now()), ('opening', 'opening', NULL, 0, now()))"
        " AS made (label, state, qr, days, ask)"
    )
    before.execute(dict(migrations())[NEW].encode())
    found = {
        row[0]: row[1:]
        for row in before.execute(
            "SELECT reference, ask_at = 'infinity', ask_rank, cancel_at = 'infinity',"
            " ask_at <= now() + interval '1 day' FROM payment_attempts"
        )
    }
    assert found == {
        "paid": (False, 1, True, True),
        "ancient": (True, 1, True, False),
        "unseen": (True, 1, True, False),
        "waiting": (False, 0, False, True),
        "opening": (False, 0, False, True),
    }


def test_process_of_an_earlier_version_places_orders_without_a_limit(
    before: psycopg.Connection[Any],
) -> None:
    before.execute(dict(migrations())[NEW].encode())
    for _ in range(3):
        [row] = before.execute(
            "SELECT created FROM order_place(gen_random_uuid(), gen_random_uuid(), 'key', '\\x00',"
            " 'stamps', 1, 10000, 0, 900, 900, gen_random_uuid(), 'EM', 15)"
        )
        assert row == (True,)


def test_attempt_from_before_rails_is_of_the_first_rail(
    before_rails: psycopg.Connection[Any],
) -> None:
    before_rails.execute(MADE, ("old", "qr"))
    for name in RAILS:
        before_rails.execute(dict(migrations())[name].encode())
    before_rails.execute(MADE, ("by a process of before", "qr"))
    found = before_rails.execute("SELECT provider, method, qr_content FROM payment_attempts")
    assert found.fetchall() == [("bank", "qris", "qr")] * 2
    with pytest.raises(psycopg.errors.CheckViolation, match="waiting_attempt_has_instructions"):
        before_rails.execute(MADE, ("without", None))


def test_qr_from_before_rails_is_moved_by_the_migration(
    before_one_home: psycopg.Connection[Any],
) -> None:
    before_one_home.execute(MADE, ("before rails", "qr"))
    before_one_home.execute(MADE, ("version before", "both"))
    before_one_home.execute(
        "UPDATE payment_attempts SET instructions = jsonb_build_object('kind', 'qr', 'content',"
        " qr_content), instructed_at = opened_at - interval '1 day' WHERE qr_content = 'both'"
    )
    for name in ONE_HOME:
        before_one_home.execute(dict(migrations())[name].encode())
    found = before_one_home.execute(
        "SELECT reference, instructions->>'content', instructed_at = now() FROM payment_attempts"
    )
    assert sorted(found.fetchall()) == [
        ("before rails", "qr", True),
        ("version before", "both", False),
    ]
    with pytest.raises(psycopg.errors.CheckViolation, match="waiting_attempt_has_instructions"):
        before_one_home.execute(MADE, ("without", "qr"))
