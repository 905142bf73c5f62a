"""A room that no list of the product knows works completely, once it is in the application's list.

The room is tests/toy, as docs/adding.md explains it.
"""

import asyncio
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest

from meterai.accounts import NOBODY
from meterai.accounts.room import SIGN_IN_KEY
from meterai.apps.rooms import registered_of, subscriptions_of
from meterai.apps.worker import periodic_tasks
from meterai.audit.auditor import invariants_of
from meterai.kit.ids import show
from meterai.plumbing.config import Settings
from meterai.plumbing.work.jobs import Worker
from meterai.plumbing.work.retention import Retention
from scripts.subscriptions import function
from tests.support.audits import audit
from tests.support.commands import ROOT, Done, run_with
from tests.support.desk import FORM, Desk, sit_down
from tests.support.within import Within, within
from tests.tidy import test_closed_world
from tests.toy.installation import ROOMS as WITH_GUESTS
from tests.toy.installation import guest_settings, speaking
from tests.toy.model import GuestKnown
from tests.toy.service import GuestService


@pytest.fixture(autouse=True)
def sentences() -> Iterator[None]:
    """Forget the sentences of the room afterwards, so that no other test finds them."""
    with speaking():
        yield


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """The settings of an installation that has the room, migrated with its SQL."""
    (tmp_path / "keys").mkdir()
    done = run_with(WITH_GUESTS, tmp_path, "migrate", DATABASE_URL=database_url)
    assert done.stdout.splitlines() == [
        "applied guests/0001_guests.sql",
        "applied guests/functions/guest_enter.sql",
        "up to date",
    ]
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("\n".join(function(WITH_GUESTS)).encode())
    return guest_settings(database_url, tmp_path)


def test_command_of_the_room_runs_and_its_setting_is_shown(
    settings: Settings, database_url: str, tmp_path: Path
) -> None:
    async def enter() -> None:
        async with within(settings, WITH_GUESTS) as web:
            await web.container.of(GuestService).enter(NOBODY, "Ani")

    asyncio.run(enter())

    def do(*words: str, **more: str) -> Done:
        return run_with(WITH_GUESTS, tmp_path, *words, DATABASE_URL=database_url, **more)

    assert do("guests", "list", show("acc", NOBODY)) == Done(0, "Ani\n", "")
    assert "guests_shown_max" in do("config").stdout
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE guests SET welcomes = 2")
    assert "BROKEN (1) guests_are_welcomed_once" in do("audit").stdout
    assert "Who came." in do("--help").stdout


async def seated(web: Within) -> Desk:
    """A person with an account, signed in."""
    container = web.container
    key = container.keyring.derived(SIGN_IN_KEY)
    return await sit_down(container.database, key, container.settings)


def test_room_answers_programs_and_people(settings: Settings) -> None:
    async def run() -> None:
        async with within(settings, WITH_GUESTS) as web:
            desk = await seated(web)
            for name in ("Ani", "Budi", "Citra"):
                sent = await web.post("/guests", desk.form(guest=name), desk.headers | FORM)
                assert (sent.status, sent.header("location")) == (303, "/guests")
            page = (await web.get("/guests", desk.headers)).body.decode()
            assert "<li>Citra</li><li>Budi</li></ul>" in page
            listed = await web.get("/v1/guests", {"Cookie": desk.cookie})
            assert listed.body == b'["Citra","Budi"]'
            assert b'"guests":"ok"' in (await web.get("/readyz")).body
            assert b'"/v1/guests"' in (await web.get("/openapi.json")).body

    asyncio.run(run())


@pytest.mark.parametrize(
    ("language", "said"),
    [("id", "Nama ini sudah ada di buku tamu."), ("en", "This name is in the guest book.")],
)
def test_refused_form_shows_the_reason_in_the_language_of_its_reader(
    settings: Settings, language: str, said: str
) -> None:
    async def run() -> None:
        async with within(settings, WITH_GUESTS) as web:
            desk = await seated(web)
            cookie = f"{desk.cookie}; language={language}"
            headers = desk.headers | FORM | {"Cookie": cookie}
            await web.post("/guests", desk.form(guest="Ani"), headers)
            again = await web.post("/guests", desk.form(guest="Ani"), headers)
            assert again.status == 409
            assert said in again.body.decode()
            assert 'value="Ani"' in again.body.decode()
            empty = await web.post("/guests", desk.form(guest=" "), headers)
            assert empty.status == 422
            assert "80" in empty.body.decode()

    asyncio.run(run())


def test_form_without_a_token_is_refused_and_a_page_changes_no_rows(settings: Settings) -> None:
    async def run() -> None:
        async with within(settings, WITH_GUESTS) as web:
            desk = await seated(web)
            body = urlencode({"guest": "Ani"}).encode()
            assert (await web.post("/guests", body, desk.headers | FORM)).status == 403
            assert (await web.get("/guests?guest=Ani", desk.headers)).status == 200
            assert (await web.get("/v1/guests", {"Cookie": desk.cookie})).status == 200
            assert await web.container.database.read("SELECT 1 FROM guests") == []

    asyncio.run(run())


def test_sentences_and_refusal_of_the_room_are_complete() -> None:
    home = ROOT / "tests" / "toy"
    for file in (home / "messages.toml", home / "templates" / "book.toml"):
        for key, texts in tomllib.loads(file.read_text()).items():
            test_closed_world.assert_is_in_both_languages(key, texts)
    test_closed_world.assert_is_complete(GuestKnown)


def test_handler_task_and_retention_of_the_room_run(settings: Settings) -> None:
    async def run() -> None:
        async with within(settings, WITH_GUESTS) as web:
            container = web.container
            guests = container.of(GuestService)
            await guests.enter(NOBODY, "Ani")
            tasks = periodic_tasks(container, WITH_GUESTS)
            await next(one.run for one in tasks if one.name == "look_at_guests")()
            assert guests.looks == 1
            worker = Worker(
                container.database,
                subscriptions_of(WITH_GUESTS),
                tasks,
                services=container.services(),
                concurrency=1,
            )
            assert await worker.worker_pool().once() == 1
            [row] = await container.database.read("SELECT welcomes FROM guests")
            assert row["welcomes"] == 1
            rules = container.offers.retention
            retention = Retention(container.database, container.clock, rules)
            assert "retention_guests" in {task.name for task in retention.periodic_tasks()}

    asyncio.run(run())


def test_audit_checks_the_invariant_of_the_room(settings: Settings) -> None:
    async def run() -> None:
        async with within(settings, WITH_GUESTS) as web:
            database = web.container.database
            await web.container.of(GuestService).enter(NOBODY, "Ani")
            assert (await audit(database, invariants_of(registered_of(WITH_GUESTS)))).holds
            await database.call("UPDATE guests SET welcomes = 2")
            found = await audit(database, invariants_of(registered_of(WITH_GUESTS)))
            broken = [one.invariant.name for one in found.findings if not one.holds]
            assert broken == ["guests_are_welcomed_once"]

    asyncio.run(run())
