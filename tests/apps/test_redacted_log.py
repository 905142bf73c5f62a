"""Content of production logs about failures: no addresses, names, keys."""

import asyncio
import io
import json
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog

from meterai.accounts import NOBODY
from meterai.kit.ids import new_id
from meterai.plumbing.config import ProcessSettings
from meterai.plumbing.db.database import Tx
from meterai.plumbing.observe import logs
from meterai.plumbing.observe.redaction import redact_event
from meterai.plumbing.work.events import Event, on
from meterai.plumbing.work.jobs import Worker
from tests.support.within import Within, settings_of, within

ADDRESS = "tanda.pemilik@rahasia.example"
NAME = "Budi Tandatangan"
SERIAL = "03TG7W4J2N0A5D8K1R9YQB"
KEY = "mtr_" + "0" * 52 + "tandatoken" + "x" * 22
CODE = "918273-tandakode"  # six digits alone could also be a fraction of a second
MARKS = (ADDRESS, "tanda.pemilik", NAME, "Budi", SERIAL, KEY, "tandatoken", CODE)
Log = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """Events that production would log, without the markers."""
    before = structlog.get_config()
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    handlers, level = root.handlers[:], root.level
    told = io.StringIO()
    monkeypatch.setattr(sys, "stderr", told)
    logs.configure(level="info", as_json=True, who="test")
    structlog.configure(cache_logger_on_first_use=False)

    def events() -> list[dict[str, Any]]:
        text = told.getvalue()
        for mark in MARKS:
            assert mark not in text, text
        return [json.loads(line) for line in text.splitlines()]

    yield events
    structlog.configure(**before)
    structlog.contextvars.clear_contextvars()
    logging.captureWarnings(capture=False)
    root.handlers[:], (sys.excepthook, threading.excepthook) = handlers, hooks
    root.setLevel(level)


def in_the_container(database_url: str, directory: Path, act: Any, **settings: Any) -> None:
    async def run() -> None:
        production = settings_of(database_url, directory, **settings)
        async with within(production) as web:
            await act(web)

    asyncio.run(run())


# -- the web ---------------------------------------------------------------------------------


def test_fault_of_web_is_logged_without_request_data(
    database_url: str, tmp_path: Path, log: Log
) -> None:
    async def act(web: Within) -> None:
        # A missing table is a fault whose message has the statement and its values.
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("ALTER TABLE sign_in_challenges RENAME TO gone")
            connection.execute("ALTER TABLE api_keys RENAME TO away")
            connection.execute("ALTER TABLE serial_directory RENAME TO elsewhere")
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert (await web.post("/sign-in", f"email={ADDRESS}".encode(), form)).status == 500
        key = {"Authorization": f"Bearer {KEY}"}
        assert (await web.get(f"/v1/orders?reference={NAME.replace(' ', '+')}", key)).status == 500
        assert (await web.get(f"/v1/stamps/{SERIAL}")).status in (404, 500)

    in_the_container(database_url, tmp_path, act)
    faults = [event for event in log() if event["event"] == "fault"]
    assert len(faults) >= 2
    for event in faults:
        assert re.fullmatch("[0-9a-f]{12}", event["number"])
        assert event["route"] in ("/sign-in", "/v1/orders", "/v1/stamps/{serial:str}")
        assert event["trace"][0] == "psycopg.errors.UndefinedTable"
        assert "  code 42P01" in event["trace"]
        assert any(re.search(r"meterai/\S+\.py:\d+ \w+$", line) for line in event["trace"])


# -- the worker --------------------------------------------------------------------------------


class Duplicate(Event, frozen=True, kw_only=True):
    """Event that is inserted twice."""


class Broken(Event, frozen=True, kw_only=True):
    """Event that cannot be handled."""


def test_failed_job_is_logged_without_its_facts(
    database_url: str, tmp_path: Path, log: Log
) -> None:
    async def duplicate(tx: Tx, _event: Duplicate) -> None:
        for _ in range(2):
            await tx.run(
                "INSERT INTO email_directory (email, account_id) VALUES (%s, %s)", ADDRESS, new_id()
            )

    async def broken(_tx: Tx, _event: Broken) -> None:
        raise ValueError(f"{NAME} <{ADDRESS}> has {SERIAL}, key {KEY}")

    async def act(web: Within) -> None:
        database = web.container.database
        for kind in ("duplicate", "broken"):
            async with database.transaction() as tx:
                await tx.run(
                    "INSERT INTO jobs (account_id, kind, handler) VALUES (%s, %s, %s)",
                    NOBODY,
                    kind,
                    kind,
                )
        listening = [
            on(Duplicate, duplicate, gives_up=False),
            on(Broken, broken, gives_up=False),
        ]
        worker = Worker(database, listening, [], concurrency=1)
        assert await worker.run_batch() == 2

    in_the_container(database_url, tmp_path, act)
    failed = [event for event in log() if event["event"] == "job_failed"]
    assert {event["kind"] for event in failed} == {"duplicate", "broken"}


# -- messages of libraries, and uncaught exceptions ----------------------------------------------


def test_library_message_is_logged_without_its_arguments(log: Log) -> None:
    logging.getLogger("psycopg.pool").warning("error connecting in %r: %s", NAME, ADDRESS)
    try:
        raise ValueError(ADDRESS)
    except ValueError:
        logging.getLogger("asyncio").exception(f"Task exception was never retrieved\n{ADDRESS}")
    # The form of captured `warnings`.
    logging.getLogger("py.warnings").warning("%s", f"a.py:1: UserWarning: {ADDRESS} is odd")
    events = [event for event in log() if event["event"] == "library"]
    assert [event["logger"] for event in events] == ["psycopg.pool", "asyncio", "py.warnings"]
    assert events[0]["says"] == "error connecting in %r: %s"
    assert events[1]["trace"][0] == "builtins.ValueError"


def test_uncaught_exception_is_logged_without_its_message(log: Log) -> None:
    def work() -> None:
        address = ADDRESS
        raise LookupError(address)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    try:
        work()
    except LookupError as fault:
        sys.excepthook(type(fault), fault, fault.__traceback__)
    events = [event for event in log() if event["event"] == "uncaught"]
    assert [event["fault"] for event in events] == ["LookupError"] * 2
    assert all(event["trace"][-1].endswith(" work") for event in events)


# -- the two processors ------------------------------------------------------------------------


PLACES = (
    "{}",
    "mail to {} failed",
    "('{}', 550)",
    '<{}>',
    "Key (email)=({}) already exists.",
    "x={},y",
    "\n{}\n",
    "Bearer {}",
)  # fmt: skip


@pytest.mark.parametrize("mark", [ADDRESS, SERIAL, KEY, "0" * 52 + "tandatoken" + "x" * 22])
@pytest.mark.parametrize("place", PLACES)
def test_addresses_serials_and_keys_are_redacted_by_form(mark: str, place: str) -> None:
    event = {"event": "e", "why": place.format(mark), "more": [{"of": (place.format(mark),)}]}
    assert mark not in repr(redact_event(None, "info", event))


# -- development -------------------------------------------------------------------------------


def log_of_a_fault(monkeypatch: pytest.MonkeyPatch, *, as_json: bool, with_values: bool) -> str:
    """Log output of a fault in a function that holds a code."""
    before, told = structlog.get_config(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", told)
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    handlers, level = root.handlers[:], root.level
    try:
        logs.configure(level="info", as_json=as_json, who="test", with_values=with_values)
        structlog.configure(cache_logger_on_first_use=False)
        held = CODE
        try:
            raise ValueError(len(held))
        except ValueError:
            structlog.get_logger().error("fault", exc_info=True)
    finally:
        structlog.configure(**before)
        structlog.contextvars.clear_contextvars()
        logging.captureWarnings(capture=False)
        root.handlers[:], (sys.excepthook, threading.excepthook) = handlers, hooks
        root.setLevel(level)
    return told.getvalue()


def test_values_are_logged_only_if_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = log_of_a_fault(monkeypatch, as_json=False, with_values=False)
    assert "ValueError" in plain
    assert CODE not in plain
    asked = log_of_a_fault(monkeypatch, as_json=False, with_values=True)
    assert CODE in asked
    assert not ProcessSettings().log_values


def test_production_never_logs_values(monkeypatch: pytest.MonkeyPatch) -> None:
    told = log_of_a_fault(monkeypatch, as_json=True, with_values=True)
    assert "ValueError" in told
    assert CODE not in told


def test_command_logs_nothing_personal(monkeypatch: pytest.MonkeyPatch) -> None:
    before, told = structlog.get_config(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", told)
    try:
        logs.configure_for_command()
        held = KEY
        try:
            raise ValueError(held + ADDRESS)
        except ValueError as fault:
            structlog.get_logger().error("fault", fault=repr(fault), to=ADDRESS, exc_info=True)
    finally:
        structlog.configure(**before)
    assert "ValueError" in told.getvalue()
    for mark in MARKS:
        assert mark not in told.getvalue()
