"""Mails: a mail that cannot be sent or written is given up visibly and stops no other."""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from meterai.accounts import AccountService, CodeService, OrganizationService
from meterai.apps.rooms import offers_of
from meterai.apps.settings import settings_of as make_settings
from meterai.kit.clock import SystemClock
from meterai.kit.ids import new_id
from meterai.notifications import MailService, given_up, queue_again, service
from meterai.notifications.adapters import smtp as mail
from meterai.notifications.adapters.smtp import Mailer
from meterai.notifications.service import TURN_BATCH, queue_code, queue_to
from meterai.plumbing.db.database import Database
from meterai.plumbing.work import watch
from meterai.plumbing.work.outgoing import (
    CALLS_MIN,
    PROBE_SECONDS,
    PROBES_MAX,
    SILENT_IN_A_ROW,
    CircuitState,
)
from meterai.plumbing.work.watch import DueWatch
from tests.support.smtp import FREEZE, GARBAGE, MailServer

ACCOUNT = new_id()
SENDER = "meterai <no-reply@stempel.example.id>"
NASTY = ["a\u2028b.pdf", "a\u0085b.pdf", "a\r\nBcc: x@example.org\r\n.pdf", "\ud800.pdf"[1:]]


class Office:
    """Mails, a service that sends them, and a server that accepts them."""

    def __init__(self, database: Database, server: MailServer) -> None:
        self.database = database
        self.server = server
        settings = make_settings()
        given = database, b"k" * 32, settings, SystemClock()
        self.codes = CodeService(*given)
        links = self.codes, OrganizationService(*given, AccountService(*given))
        self.mailer = mailer = Mailer("127.0.0.1", server.port, SENDER)
        self.mails = MailService(database, mailer, links, settings, offers_of().mails)

    async def queue(self, recipient: str, document: str = "surat.pdf", **more: object) -> UUID:
        facts = {"document": document, "serials": "A", "stamping": "stg_x"} | more
        async with self.database.transaction() as tx:
            cause = f"{recipient}:{document}"
            await queue_to(tx, ACCOUNT, recipient, "id", cause, "stamping_delivered", facts)
        [row] = await self.database.read("SELECT mail_id FROM mails WHERE cause_key = %s", cause)
        mail_id: UUID = row["mail_id"]
        return mail_id

    async def send(self) -> None:
        """Try every queued mail once."""
        await self.database.call("UPDATE mails SET try_at = now() WHERE state = 'queued'")
        await self.mails.worker_pool().once()

    async def look(self) -> None:
        """Return the result of one query of the worker pool."""
        await self.database.call("UPDATE mails SET try_at = now() WHERE state = 'queued'")
        watch = DueWatch(self.database, asyncio.Event())
        pool = self.mails.worker_pool()
        await pool._fill(watch)
        pool._begin()
        watch.stopping.set()
        await pool.run(watch)

    async def tries(self) -> int:
        [row] = await self.database.read("SELECT sum(tries)::int AS tries FROM mails")
        return int(row["tries"])

    async def is_all_sent(self) -> bool:
        return not await self.database.read("SELECT 1 FROM mails WHERE state <> 'sent'")

    async def states(self) -> dict[str, tuple[str, str | None]]:
        rows = await self.database.read("SELECT recipient, state, last_fault FROM mails")
        return {row["recipient"]: (row["state"], row["last_fault"]) for row in rows}


def in_office(
    url: str, story: Callable[[Office], Awaitable[None]], server: MailServer | None = None
) -> None:
    async def run() -> None:
        database = Database(url, connections=8)
        await database.open()
        try:
            async with (server or MailServer()).open() as opened:
                await story(Office(database, opened))
        finally:
            await database.close()

    asyncio.run(run())


def test_code_of_a_delayed_mail_is_valid_on_arrival(database_url: str) -> None:
    async def story(office: Office) -> None:
        codes = office.codes
        challenge = await codes.ask_for_code("siti@example.org", "192.0.2.7", "id")
        await office.database.call(
            "UPDATE sign_in_challenges SET expires_at = now() - interval '3 hours'"
        )
        async with office.database.transaction() as tx:
            facts: dict[str, object] = {"challenge": str(challenge)}
            await queue_to(tx, ACCOUNT, "siti@example.org", "id", "code", "sign_in_code", facts)
        await office.send()
        [message] = office.server.taken
        [code] = re.findall(r"\b\d{6}\b", str(message["Subject"]))
        assert (await codes.sign_in(challenge, code, "id")).session

    in_office(database_url, story)


def _received(office: Office) -> list[str]:
    return [str(message["To"]) for message in office.server.taken]


async def _flood(office: Office, networks: int, each: int) -> None:
    async with office.database.transaction() as tx:
        for number in range(networks * each):
            network = f"192.0.2.{number % networks}"
            await queue_code(tx, new_id(), f"flood{number}@example.org", "id", network)


def test_code_requested_after_a_flood_is_sent_within_one_round(database_url: str) -> None:
    async def story(office: Office) -> None:
        await _flood(office, networks=6, each=40)
        pool = office.mails.awaited_mail_pool()
        watch = DueWatch(office.database, asyncio.Event(), [pool.due])
        running = asyncio.gather(pool.run(watch), watch.run())
        try:
            await until_sent(office, 1)
            before = len(office.server.taken)
            async with office.database.transaction() as tx:
                await queue_code(tx, new_id(), "siti@example.org", "id", "198.51.100.7")
            await until_sent(office, before + 2 * TURN_BATCH + 3 * service.SLOTS)
            at = _received(office).index("siti@example.org")
            # Mails being sent, those the worker pool has read, and those started since.
            assert at - before <= TURN_BATCH + 2 * service.SLOTS
        finally:
            watch.stopping.set()
            await running

    in_office(database_url, story)


async def until_sent(office: Office, count: int) -> None:
    for _ in range(3_000):
        if len(office.server.taken) >= count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{len(office.server.taken)} of {count}")


def test_code_does_not_wait_for_notices(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "REST_SECONDS", 0.3)

    async def story(office: Office) -> None:
        for number in range(3 * service.SLOTS):
            await office.queue(f"frozen{number}@example.org")
        async with office.database.transaction() as tx:
            await queue_code(tx, new_id(), "siti@example.org", "id", "198.51.100.7")
        watch = DueWatch(office.database, asyncio.Event())
        pools = [office.mails.awaited_mail_pool(), office.mails.worker_pool()]
        running = [asyncio.create_task(one.run(watch)) for one in pools]
        await until_sent(office, 1)
        assert _received(office) == ["siti@example.org"]
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    in_office(database_url, story, MailServer({"frozen": FREEZE}))


def test_network_without_queued_mail_gets_the_next_turn(
    database_url: str,
) -> None:
    async def story(office: Office) -> None:
        await _flood(office, 40, 6)
        # Requested at one mail a second per network, for a minute, and not sent.
        await office.database.call(
            "UPDATE mails SET turn_at = turn_at - interval '1 minute',"
            " queued_at = queued_at - interval '1 minute'"
        )
        async with office.database.transaction() as tx:
            await queue_code(tx, new_id(), "siti@example.org", "id", "198.51.100.7")
        [row] = await office.database.read(
            "SELECT count(*) AS ahead FROM mails m, mails s WHERE s.recipient = 'siti@example.org'"
            " AND m.turn_at < s.turn_at"
        )
        assert row == {"ahead": 0}
        for _ in range(3):
            await office.mails.awaited_mail_pool().once()
        assert "siti@example.org" in _received(office)

    in_office(database_url, story)


@pytest.mark.parametrize("document", NASTY, ids=ascii)
def test_name_with_line_breaks_is_written_on_one_line(database_url: str, document: str) -> None:
    async def story(office: Office) -> None:
        await office.queue("siti@example.org", document)
        await office.send()
        [message] = office.server.taken
        assert set(message.keys()) == {
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "Auto-Submitted",
            "MIME-Version",
            "Content-Type",
        }
        assert re.fullmatch(r".*\.pdf sudah bermeterai", str(message["Subject"]))

    in_office(database_url, story)


def test_unwritable_mail_is_given_up_and_stops_no_other(database_url: str) -> None:
    async def story(office: Office) -> None:
        broken = await office.queue("first@example.org")
        await office.database.call(
            "UPDATE mails SET facts = %s", '{"document": {"en": "of another language"}}'
        )
        await office.queue("second@example.org")
        for _ in range(service.WRITE_TRIES_MAX):
            assert (await office.states())["first@example.org"][0] == "queued"
            await office.send()
        assert [message["To"] for message in office.server.taken] == ["second@example.org"]
        async with office.database.transaction() as tx:
            [row] = await given_up(tx, 10)
        assert row.id == broken
        assert str(row.fault).startswith("cannot be written: KeyError")

        # Once repaired, it is sent when an operator retries it.
        await office.database.call(
            "UPDATE mails SET facts = %s WHERE mail_id = %s",
            '{"document": "a.pdf", "serials": "A", "stamping": "stg_x"}',
            broken,
        )
        async with office.database.transaction() as tx:
            assert await queue_again(tx, broken) == 1
        await office.send()
        assert (await office.states())["first@example.org"] == ("sent", None)

    in_office(database_url, story)


def test_permanently_rejected_recipient_ends_its_own_mail_alone(
    database_url: str,
) -> None:
    server = MailServer(
        {"gone": "550 5.1.1 <gone@example.org> no such user", "later": "451 4.7.1 greylisted"},
        {"spam": "554 5.7.1 not for spam@example.org"},
    )

    async def story(office: Office) -> None:
        for name in ("gone", "later", "spam", "siti"):
            await office.queue(f"{name}@example.org")
        await office.send()
        assert await office.states() == {
            "gone@example.org": ("given_up", "550 5.1.1 <address> no such user"),
            "later@example.org": ("queued", "451 4.7.1 greylisted"),
            "spam@example.org": ("given_up", "554 5.7.1 not for <address>"),
            "siti@example.org": ("sent", None),
        }

    in_office(database_url, story, server)


def test_frozen_or_invalid_server_answer_delays_that_mail_alone(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        mail, "STEP_SECONDS_MAX", 2.0
    )  # a busy machine uses part of this time for any mail
    server = MailServer({"cold": FREEZE, "mad": GARBAGE}, {"late": FREEZE})

    async def story(office: Office) -> None:
        for name in ("cold", "mad", "late", "siti"):
            await office.queue(f"{name}@example.org")
        await office.send()
        states = await office.states()
        assert states.pop("siti@example.org") == ("sent", None)
        assert {state for state, fault in states.values() if fault} == {"queued"}
        assert len(states) == 3

    in_office(database_url, story, server)


def test_delivery_to_a_slow_server_has_an_overall_deadline(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "SEND_SECONDS_MAX", 0.3)
    monkeypatch.setattr(mail, "STEP_SECONDS_MAX", 1.0)

    async def story(office: Office) -> None:
        await office.queue("cold@example.org")
        await office.send()
        assert (await office.states())["cold@example.org"] == ("queued", "TimeoutError")

    in_office(database_url, story, MailServer({"cold": FREEZE}))


def test_mail_is_tried_for_a_day_with_bounded_pauses(database_url: str) -> None:
    async def story(office: Office) -> None:
        await office.queue("later@example.org")
        await office.database.call("UPDATE mails SET tries = 5000")
        await office.send()
        [row] = await office.database.read(
            "SELECT state, try_at - now() <= interval '901 s' AS is_soon FROM mails"
        )
        assert row == {"state": "queued", "is_soon": True}
        await office.database.call("UPDATE mails SET queued_at = now() - interval '25 hours'")
        await office.send()
        assert (await office.states())["later@example.org"][0] == "given_up"

    in_office(database_url, story, MailServer({"later": "450 busy"}))


def test_database_failure_during_sending_counts_no_try(database_url: str) -> None:
    name = str(conninfo_to_dict(database_url)["dbname"])

    def allow(*, connections: bool) -> None:
        with psycopg.connect(database_url, dbname="postgres", autocommit=True) as owner:
            owner.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {connections}".encode())
            owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )

    async def story(office: Office) -> None:
        await office.queue("slow@example.org")
        sending = asyncio.create_task(office.send())
        await office.server.asked.wait()
        await asyncio.to_thread(allow, connections=False)
        office.server.hang_up()
        try:
            await sending
        finally:
            await asyncio.to_thread(allow, connections=True)
        with psycopg.connect(database_url) as owner:
            rows = owner.execute("SELECT state, tries, last_fault FROM mails").fetchall()
        assert rows == [("queued", 0, None)]

    in_office(database_url, story, MailServer({"slow": FREEZE}))


def test_two_workers_send_a_mail_once(database_url: str) -> None:
    async def story(office: Office) -> None:
        for number in range(10):
            await office.queue(f"{number}@example.org")
        other: Any = Office(office.database, office.server)
        await asyncio.gather(office.mails.worker_pool().once(), other.mails.worker_pool().once())
        assert sorted(m["To"] for m in office.server.taken) == [
            f"{number}@example.org" for number in range(10)
        ]

    in_office(database_url, story)


# -- a server that does not answer ---------------------------------------------------------------


class Hands:
    """Settable clock."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_mails_wait_for_an_unavailable_server(database_url: str) -> None:
    async def story(office: Office) -> None:
        outgoing, hands = office.mailer.outgoing, Hands()
        outgoing.clock = hands
        office.mails._mailer = replace(office.mailer, port=port)
        for number in range(4 * CALLS_MIN):
            await office.queue(f"n{number}@example.org")
        for _ in range(2 * CALLS_MIN):
            await office.look()
        assert outgoing.state == CircuitState.OPEN
        begun = await office.tries()
        assert SILENT_IN_A_ROW <= begun < 4 * CALLS_MIN  # slots of a worker pool
        for _ in range(3):
            await office.look()
        assert await office.tries() == begun
        put_off = "SELECT 1 FROM mails WHERE try_at > now()"
        assert not await office.database.read(put_off)  # no mail was started
        hands.now += PROBE_SECONDS
        await office.look()
        assert outgoing.state == CircuitState.OPEN
        # The first delivery may fail before the next one begins.
        assert 1 <= await office.tries() - begun <= PROBES_MAX
        office.mails._mailer = office.mailer
        hands.now += PROBE_SECONDS
        while not await office.is_all_sent():
            await office.look()
        assert len(office.server.taken) == 4 * CALLS_MIN

    with socket.socket() as taken:  # held by the test, so that no other server listens there
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        in_office(database_url, story)
