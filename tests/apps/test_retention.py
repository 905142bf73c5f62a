"""What leaves, leaves in time and not before; what is money stays, and the audit holds."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from meterai.apps.rooms import offers_of
from meterai.apps.worker import periodic_tasks
from meterai.kit.clock import SystemClock
from meterai.kit.ids import new_id
from meterai.plumbing.db.database import Database
from meterai.plumbing.work.retention import BATCH, Leaves, Retention
from tests.support.audits import audit
from tests.support.shop import Shop, open_shop

RULES = tuple(rule for rule in offers_of().retention if isinstance(rule, Leaves))
ACCOUNT, NOBODY = UUID(int=1), UUID(int=0)
NOW = SystemClock().now()
MOMENT = timedelta(seconds=1)
BY_NAME = {rule.name: rule for rule in RULES}
Connection = psycopg.Connection[Any]


class Clock:
    def now(self) -> datetime:
        return NOW


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def apply(url: str, rule: Leaves) -> list[int]:
    """Make the periodic task of a rule until it finds nothing; how many rows each batch had."""

    async def run() -> list[int]:
        database = Database(url, connections=1)
        await database.open()
        try:
            found = []
            while batch := await Retention(database, Clock(), RULES).apply(rule):
                found.append(batch)
            return found
        finally:
            await database.close()

    return asyncio.run(run())


# -- a row of each kind, as old as a test wants it -------------------------------------------


def code(connection: Connection, at: datetime) -> None:
    connection.execute(
        "INSERT INTO sign_in_challenges (challenge_id, email, network, created_at, expires_at)"
        " VALUES (%s, 'ani@example.id', '203.0.113.7', %s, %s)",
        [new_id(), at, at],
    )


def mail(connection: Connection, at: datetime, template: str, state: str = "sent") -> None:
    connection.execute(
        "INSERT INTO mails (account_id, mail_id, cause_key, template, language, recipient, facts,"
        " state, queued_at, sent_at, last_fault)"
        " VALUES (%s, %s, %s, %s, 'id', 'ani@example.id', %s, %s, %s, %s, 'no Ani here')",
        [
            NOBODY if template == "sign_in_code" else ACCOUNT,
            *(new_id(), str(new_id()), template, '{"name": "KTP Ani.pdf"}', state, at),
            at if state == "sent" else None,
        ],
    )


def session(connection: Connection, ended: datetime | None, expires: datetime) -> None:
    connection.execute(
        "INSERT INTO sessions (account_id, session_id, secret_hash, expires_at, ended_at)"
        " VALUES (%s, %s, '', %s, %s)",
        [ACCOUNT, new_id(), expires, ended],
    )


def membership(connection: Connection, ended: datetime | None) -> None:
    connection.execute(
        "INSERT INTO organizations (account_id, name) VALUES (%s, 'PT Contoh')"
        " ON CONFLICT DO NOTHING",
        [ACCOUNT],
    )
    connection.execute(
        "INSERT INTO memberships (account_id, membership_id, member_id, role, ended_at)"
        " VALUES (%s, %s, %s, 'clerk', %s)",
        [ACCOUNT, new_id(), new_id(), ended],
    )


def staff_role(connection: Connection, ended: datetime | None) -> None:
    connection.execute(
        "INSERT INTO staff_roles (account_id, grant_id, role, ended_at)"
        " VALUES (%s, %s, 'support', %s)",
        [ACCOUNT, new_id(), ended],
    )


def key(connection: Connection, ended: datetime | None) -> None:
    connection.execute(
        "INSERT INTO api_keys (account_id, key_id, secret_hash, name, created_at, ended_at)"
        " VALUES (%s, %s, '', 'kasir', '2020-01-01', %s)",
        [ACCOUNT, new_id(), ended],
    )


def passkey(connection: Connection, ended: datetime | None) -> None:
    connection.execute(
        "INSERT INTO passkeys (account_id, passkey_id, credential_id, public_key, name, sign_count,"
        " made_at, ended_at) VALUES (%s, %s, %s, '', 'ponsel', 0, '2020-01-01', %s)",
        [ACCOUNT, new_id(), new_id().bytes, ended],
    )


def answered_challenge(connection: Connection, at: datetime) -> None:
    connection.execute(
        "INSERT INTO passkey_challenges (account_id, challenge_id, answered_at) VALUES (%s, %s, %s)",
        [ACCOUNT, new_id(), at],
    )


def news(connection: Connection, at: datetime, outcome: str | None = "captured") -> None:
    connection.execute(
        "INSERT INTO notification_inbox (provider, external_id, sent_on, body, reading,"
        " received_at, outcome) VALUES ('snap', %s, %s, 'Ani', '{\"payer\": \"Ani\"}', %s, %s)",
        [str(new_id()), at.date(), at, outcome],
    )


def item_in_suspense(connection: Connection, resolved: datetime | None) -> None:
    connection.execute(
        "INSERT INTO suspense_items (item_id, item_key, source, reason, told, due_at, state,"
        " resolved_at, resolution, resolved_by)"
        " VALUES (%s, %s, 'notification', 'unreadable', %s, now(), %s, %s, %s, %s)",
        [
            *(new_id(), str(new_id()), b"Ani", "resolved" if resolved else "open", resolved),
            *(("dismissed", "operator") if resolved else (None, None)),
        ],
    )


def document(connection: Connection, forgotten: datetime | None) -> None:
    connection.execute(
        "INSERT INTO documents (account_id, sha256, name, bytes, pages, kept_until, forgotten_at,"
        " name_salt) VALUES (%s, sha256(%s), 'KTP Ani.pdf', 1, 1, '2020-01-01', %s,"
        " gen_random_uuid())",
        [ACCOUNT, new_id().bytes, forgotten],
    )


def dead_job(connection: Connection, at: datetime) -> None:
    connection.execute(
        "INSERT INTO dead_jobs (account_id, job_id, handler, kind, facts, created_at, died_at,"
        " tries, fault) VALUES (%s, %s, 'tell', 'told', '{}', %s, %s, 12, 'ValueError')",
        [ACCOUNT, new_id(), at, at],
    )


def turn(connection: Connection, at: datetime) -> None:
    connection.execute(
        "INSERT INTO waiting_room_turns (line_id, number, holder, taken_at, admitted_at, shown_low,"
        " shown_high, waited, used_by, ended_at)"
        " VALUES (%s, %s, %s, %s, %s, 0, 0, 1, %s, %s)",
        [new_id(), 7, new_id().bytes, at, at, new_id(), at],
    )


def place(connection: Connection, at: datetime) -> None:
    connection.execute(
        "INSERT INTO waiting_room_places (account_id, line_id, number, holder, taken_at, shown_low,"
        " shown_high, kept_at) VALUES (%s, %s, 7, %s, %s, 0, 0, %s)",
        [ACCOUNT, new_id(), new_id().bytes, at, at],
    )


def load(connection: Connection, at: datetime) -> None:
    connection.execute(
        "INSERT INTO waiting_room_loads (process, told_at, refused, arrivals) VALUES (%s, %s, 0, 0)",
        [str(new_id()), at],
    )


def order_labels(connection: Connection, at: datetime) -> None:
    order = new_id()
    connection.execute(
        "INSERT INTO orders (account_id, order_id, idempotency_key, request_hash, kind, quantity,"
        " unit_price, service_fee, total, due_seconds, lapses_at)"
        " VALUES (%s, %s, %s, '', 'stamps', 1, 10000, 0, 10000, 60, now())",
        [ACCOUNT, order, str(order)],
    )
    connection.execute(
        "INSERT INTO order_labels VALUES (%s, %s, 'Ani', '{\"to\": \"Ani\"}', %s)",
        [ACCOUNT, order, at],
    )


def sale(connection: Connection, at: datetime) -> None:
    terms = new_id()
    connection.execute(
        "INSERT INTO distributor_terms (account_id, terms_id, seller, fee, short, region, low_days, low_rupiah, topup_rupiah)"
        " VALUES (%s, %s, 'Toko', 0, 'wait', 'Jawa', 0, 0, 0)",
        [ACCOUNT, terms],
    )
    connection.execute(
        "INSERT INTO distributors (account_id, terms_id) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        [ACCOUNT, terms],
    )
    one = new_id()
    connection.execute(
        "INSERT INTO sales (account_id, sale_id, idempotency_key, request_hash, buyer_id, order_id, attempt_id, quantity,"
        " unit_price, service_fee, due_seconds, reference, state, made_at, waits_until, ended_at, end_cause)"
        " VALUES (%s, %s, %s, '', %s, %s, %s, 1, 10000, 0, 60, 'Ani', 'ended', %s, now(), now(), 'due')",
        [ACCOUNT, one, str(one), one, one, one, at],
    )


def stamping_facts(connection: Connection, at: datetime) -> None:
    connection.execute(
        "INSERT INTO stamping_facts (account_id, stamping_id, type, party_name, told_at) VALUES (%s, %s, '3', 'Ani', %s)",
        [ACCOUNT, stamping(connection), at],
    )


def unstamped(connection: Connection, at: datetime) -> None:
    terms = new_id()
    connection.execute(
        "INSERT INTO collector_terms (account_id, terms_id, collector, npwp, nitku, limit_rupiah)"
        " VALUES (%s, %s, 'PT', '012345678901234', '', 1)",
        [ACCOUNT, terms],
    )
    connection.execute(
        "INSERT INTO collectors (account_id, terms_id) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        [ACCOUNT, terms],
    )
    connection.execute(
        "INSERT INTO unstamped_documents (account_id, document_id, month, type, number, dated, value, party_name, identity_kind,"
        " identity_number, happened_at, reason, told_at)"
        " VALUES (%s, %s, '2026-01-01', '3', %s, '2026-01-01', 1, 'Ani', 'KTP', '1', now(), 'x', %s)",
        [ACCOUNT, terms, str(terms), at],
    )


def stamping(connection: Connection) -> UUID:
    stamping = new_id()
    document(connection, None)
    connection.execute(
        "INSERT INTO stampings (account_id, stamping_id, idempotency_key, request_hash,"
        " sha256_original, placements, quantity, state, due_at, leased_until)"
        " SELECT account_id, %s, %s, %s, sha256, '[{}]', 1, 'reserved', now(), now() FROM documents LIMIT 1",
        [stamping, str(stamping), stamping.bytes],
    )
    return stamping


def stamping_labels(connection: Connection, at: datetime) -> None:
    connection.execute(
        "INSERT INTO stamping_labels VALUES (%s, %s, 'Ani', '{\"to\": \"Ani\"}', %s)",
        [ACCOUNT, stamping(connection), at],
    )


def organization(connection: Connection) -> None:
    connection.execute(
        "INSERT INTO organizations (account_id, name) VALUES (%s, 'PT Contoh')"
        " ON CONFLICT DO NOTHING",
        [ACCOUNT],
    )


def invitation(connection: Connection, at: datetime) -> None:
    organization(connection)
    connection.execute(
        "INSERT INTO invitations (account_id, invitation_id, email, role, secret_hash, state, made_at,"
        " expires_at, ended_at) VALUES (%s, %s, 'ani@example.id', 'clerk', '', 'accepted', %s, %s, %s)",
        [ACCOUNT, new_id(), at, at + timedelta(days=7), at],
    )


def use_of_member(connection: Connection, at: datetime) -> None:
    connection.execute(
        "INSERT INTO member_uses (account_id, use_id, member_id, stamps, used_at)"
        " VALUES (%s, %s, %s, 1, %s)",
        [ACCOUNT, new_id(), new_id(), at],
    )


def typed_account(connection: Connection, at: datetime) -> None:
    connection.execute(
        "INSERT INTO account_claims (account_id, claim_id, claim_key, request_hash, state, bank_code, account_no, typed, asked_at)"
        " VALUES (%s, %s, %s, 'x', 'other', '014', '1234567890', 'Ani', %s)",
        [ACCOUNT, new_id(), new_id().hex, at],
    )


def record_line(connection: Connection, at: datetime) -> None:
    connection.execute(
        "INSERT INTO record_lines (provider, day, reading, position, source, kind, moved_at, amount, line)"
        " SELECT 'bank', %s, 1, count(*) + 1, '', 'payment', %s, 10500, '1' FROM record_lines",
        [at.date(), at],
    )


def approval(connection: Connection, at: datetime) -> None:
    asked = at - timedelta(hours=1)
    connection.execute(
        "INSERT INTO approvals (approval_id, command, arguments, reason, forecast, forecast_sha256, rows,"
        " rupiah, requested_by, requested_at, expires_at, state, decided_by, decided_at, note)"
        " VALUES (%s, 'staff give', jsonb_build_object('account', %s::text), 'Ani', '{\"effects\": \"Ani\"}',"
        " sha256('x'), 1, 0, %s, %s, %s, 'declined', %s, %s, 'Ani')",
        [new_id(), f"ani@{new_id()}", new_id(), asked, at, new_id(), at],
    )


def case(connection: Connection, at: datetime) -> UUID:
    made = new_id()
    connection.execute(
        "INSERT INTO cases (account_id, case_id, joins_key, matter, contact, language, due_at, opened_at)"
        " VALUES (%s, %s, %s, 'quota_lost', 'ani@example.id', 'id', %s, %s)",
        [ACCOUNT, made, str(made), at, at],
    )
    return made


def subscriber(connection: Connection, at: datetime) -> None:
    connection.execute(
        "INSERT INTO incident_subscribers (subscriber_id, email, language, asked_at) VALUES (%s, %s, 'id', %s)",
        [new_id(), f"{new_id()}@example.id", at],
    )


def case_words(connection: Connection, at: datetime) -> None:
    connection.execute(
        "INSERT INTO case_messages (account_id, case_id, message_id, author, kind, words, written_at)"
        " VALUES (%s, %s, %s, 'person', 'complaint', 'Ani', %s)",
        [ACCOUNT, case(connection, NOW), new_id(), at],
    )


def case_picture(connection: Connection, at: datetime) -> None:
    connection.execute(
        "INSERT INTO case_pictures (account_id, case_id, picture_id, webp, added_at)"
        " VALUES (%s, %s, %s, 'RIFF....WEBP', %s)",
        [ACCOUNT, case(connection, NOW), new_id(), at],
    )


def webhook(connection: Connection, at: datetime, state: str = "removed") -> UUID:
    made = new_id()
    connection.execute(
        "INSERT INTO webhook_endpoints (account_id, endpoint_id, url, description, events, state, secret, made_at,"
        " moved_at, idempotency_key, request_hash)"
        " VALUES (%s, %s, 'https://a.example/', '', '{*}', %s, %s, %s, %s, %s, '')",
        [ACCOUNT, made, state, None if state == "removed" else b"s", at, at, str(made)],
    )
    return made


def webhook_message(connection: Connection, at: datetime) -> None:
    connection.execute(
        "INSERT INTO webhook_messages (account_id, message_id, endpoint_id, type, body, state, made_at, try_at)"
        " VALUES (%s, %s, %s, 'webhook.test', '{}', 'undelivered', %s, %s)",
        [ACCOUNT, new_id(), webhook(connection, NOW, "enabled"), at, at],
    )


def webhook_attempt(connection: Connection, at: datetime) -> None:
    connection.execute(
        "INSERT INTO webhook_attempts (account_id, message_id, number, began_at, ms, answer)"
        " VALUES (%s, %s, 1, %s, 1, '')",
        [ACCOUNT, new_id(), at],
    )


def sample(connection: Connection, at: datetime) -> None:
    connection.execute(
        "INSERT INTO console_samples (at, source, figures) VALUES (%s, %s, '{}')",
        [at, str(new_id())],
    )


def batch(connection: Connection, at: datetime, reference: str | None = "Ani") -> UUID:
    made = new_id()
    connection.execute(
        "INSERT INTO batches (account_id, batch_id, idempotency_key, request_hash, reference, state, made_at,"
        " ended_at) VALUES (%s, %s, %s, '', %s, 'cancelled', %s, %s)",
        [ACCOUNT, made, str(made), reference and f"{reference} {made}", at, at],
    )
    return made


def batch_file(connection: Connection, at: datetime) -> None:
    connection.execute(
        "INSERT INTO batch_files (account_id, batch_id, name, came_sha256, sha256, bytes, is_repaired, added_at)"
        " VALUES (%s, %s, 'KTP Ani.pdf', sha256('Ani'), sha256('Ani'), 1, false, %s)",
        [ACCOUNT, batch(connection, NOW), at],
    )


def batch_row(connection: Connection, at: datetime) -> None:
    connection.execute(
        "INSERT INTO batch_rows (account_id, batch_id, number, identity, content, row_key, document,"
        " document_name, wishes, quantity, facts, state, code, code_facts, came_at, ended_at)"
        " VALUES (%s, %s, 1, sha256('Ani'), sha256('Ani'), 'Ani', 'file:KTP Ani.pdf', 'KTP Ani.pdf',"
        " '[{\"page\": 1}]', 1, '{\"party\": \"Ani\"}', 'refused', 'pdf_refused', '{\"name\": \"Ani\"}', %s, %s)",
        [ACCOUNT, batch(connection, NOW), at, at],
    )


def request_of_key(connection: Connection, at: datetime) -> None:
    connection.execute(
        "INSERT INTO api_requests (account_id, entry_id, at, request, key_id, method, route, path, status,"
        " milliseconds, bytes_in, bytes_out)"
        " VALUES (%s, %s, %s, 'req_x', %s, 'GET', '/v1/orders', '/v1/orders', 200, 1, 0, 1)",
        [ACCOUNT, new_id(), at, new_id()],
    )


OTHERS: dict[str, Callable[[Connection, datetime], object]] = {
    "requests_of_keys": request_of_key,
    "batch_references": batch,
    "batch_files": batch_file,
    "batch_facts": batch_row,
    "record_lines": record_line,
    "accounts_that_were_typed": typed_account,
    "invitations": invitation,
    "uses_of_members": use_of_member,
    "old_approvals": approval,
    "unconfirmed_subscribers": subscriber,
    "case_contacts": case,
    "case_words": case_words,
    "case_pictures": case_picture,
    "webhook_endpoints": webhook,
    "webhook_messages": webhook_message,
    "webhook_attempts": webhook_attempt,
    "samples_of_minutes": sample,
    "order_labels": order_labels,
    "stamping_labels": stamping_labels,
    "stamping_facts": stamping_facts,
    "unstamped_documents": unstamped,
    "references_of_sales": sale,
    "roles_of_members": membership,
    "roles_of_staff": staff_role,
    "accounts_of_turns": turn,
    "places_in_lines": place,
    "loads_of_processes": load,
}


def of_an_account(connection: Connection, name: str, at: datetime) -> None:
    kinds = {"api_keys": key, "passkeys": passkey, "answered_challenges": answered_challenge}
    kinds[name](connection, at)


def make(connection: Connection, name: str, at: datetime) -> None:
    """One row that the rule is about, whose time began at this moment."""
    match name:
        case "sign_in_codes":
            code(connection, at)
        case "sign_in_mails":
            mail(connection, at, "sign_in_code")
        case "mail_contents":
            mail(connection, at, "order_executed_stamps")
        case "sessions":
            session(connection, at, NOW)
        case "api_keys" | "passkeys" | "answered_challenges":
            of_an_account(connection, name, at)
        case "news_of_the_bank":
            news(connection, at)
        case "news_in_suspense":
            item_in_suspense(connection, at)
        case "document_names":
            document(connection, at)
        case "given_up_jobs":
            dead_job(connection, at)
        case _:
            assert name in OTHERS, f"make a row for {name}"
            OTHERS[name](connection, at)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_row_leaves_in_time_and_not_before(
    connection: Connection, database_url: str, name: str
) -> None:
    rule = BY_NAME[name]
    make(connection, name, NOW - rule.after - MOMENT)
    make(connection, name, NOW - rule.after + MOMENT)
    assert apply(database_url, rule) == [1]
    left = connection.execute(f"SELECT * FROM {rule.table}".encode()).fetchall()
    assert len(left) == (2 if rule.blanks else 1)
    columns = [
        one.name for one in connection.execute(f"TABLE {rule.table}".encode()).description or ()
    ]
    for column in rule.blanks:
        values = {str(row[columns.index(column)]) for row in left}
        assert len(values) == 2 or column in ("last_fault", "found"), "one is blanked"
        assert sum("Ani" in value or "ani@" in value for value in values) <= 1
    assert apply(database_url, rule) == [], "what has left does not leave again"


def test_what_is_not_over_stays(connection: Connection, database_url: str) -> None:
    old = NOW - timedelta(days=4000)
    mail(connection, old, "sign_in_code", "queued")
    mail(connection, old, "order_executed_stamps", "queued")
    session(connection, None, NOW)
    key(connection, None)
    news(connection, old, None)
    document(connection, None)
    item_in_suspense(connection, None)
    assert [apply(database_url, rule) for rule in RULES] == [[]] * len(RULES)


def test_a_mail_that_was_given_up_leaves_like_one_that_was_sent(
    connection: Connection, database_url: str
) -> None:
    mail(connection, NOW - timedelta(days=400), "order_executed_stamps", "given_up")
    assert apply(database_url, BY_NAME["mail_contents"]) == [1]


def test_a_session_leaves_by_the_time_it_ended_or_would_have(
    connection: Connection, database_url: str
) -> None:
    rule = BY_NAME["sessions"]
    long_ago = NOW - rule.after - MOMENT
    session(connection, NOW, long_ago)  # ended later than it expired: was seen later
    session(connection, long_ago, NOW + timedelta(days=30))
    session(connection, None, long_ago)
    assert apply(database_url, rule) == [2]


def test_many_rows_leave_in_small_batches(connection: Connection, database_url: str) -> None:
    connection.execute(
        "INSERT INTO sign_in_challenges (challenge_id, email, network, created_at, expires_at)"
        " SELECT gen_random_uuid(), 'a@b.id', '', '2020-01-01', '2020-01-01'"
        " FROM generate_series(1, %s)",
        [2 * BATCH + 1],
    )
    assert apply(database_url, BY_NAME["sign_in_codes"]) == [BATCH, BATCH, 1]


@pytest.mark.parametrize("name", BY_NAME)
def test_nobody_waits_for_a_row_that_somebody_holds(
    connection: Connection, database_url: str, name: str
) -> None:
    rule = BY_NAME[name]
    make(connection, name, NOW - 2 * rule.after)
    with psycopg.connect(database_url) as holder:
        holder.execute(f"SELECT 1 FROM {rule.table} FOR UPDATE".encode())
        make(connection, name, NOW - 2 * rule.after)
        assert apply(database_url, rule) == [1]
    assert apply(database_url, rule) == [1]


# -- what is left ----------------------------------------------------------------------------


@pytest.fixture
def shop(database_url: str, tmp_path: Path) -> Iterator[Shop]:
    with open_shop(database_url, tmp_path) as opened:
        yield opened


def test_after_everything_has_left_every_promise_about_money_holds(shop: Shop) -> None:
    order = shop.place(2)
    shop.make_qr(shop.attempts(order)[0])
    shop.tell(shop.pay(order))
    shop.work()
    stamping = shop.reserve(1)
    assert stamping is not None
    shop.deliver(stamping)
    shop.ask_back(order)
    for refund in shop.refunds():
        shop.send(refund)
        shop.settle(refund)
    shop.work()
    before = shop.rows("SELECT sum(credit) AS credits FROM legs")
    shop.arrange(
        "UPDATE mails SET state = 'sent', tries = 1, queued_at = now() - interval '4000 days',"
        " sent_at = now() - interval '4000 days'"
    )
    container = shop.container

    class Later:
        def now(self) -> datetime:
            return SystemClock().now() + timedelta(days=4000)

    left = {
        rule.name: shop.do(Retention(container.database, Later(), RULES).apply(rule))
        for rule in RULES
    }
    assert left["mail_contents"] > 0
    assert not shop.rows("SELECT 1 FROM mails WHERE recipient <> '' OR facts <> '{}'")
    assert shop.rows("SELECT sum(credit) AS credits FROM legs") == before
    found = shop.do(audit(container.database))
    assert found.holds, [one for one in found.findings if not one.holds]


def test_the_worker_makes_a_round_for_every_rule(shop: Shop) -> None:
    made = [one.name for one in periodic_tasks(shop.container)]
    assert len(made) == len(set(made))
    assert {f"retention_{rule.name}" for rule in RULES} <= set(made)
    for one in periodic_tasks(shop.container):
        if one.name.startswith("retention_"):
            assert shop.do(one.run()) == 0  # type: ignore[arg-type]
