"""The head of every page: also on cached pages, and while the database is away."""

import html
import re
import time
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from meterai.apps.rooms import pages_of
from meterai.apps.settings import settings_of as made_settings
from meterai.incidents.board import Board
from meterai.kit.clock import SystemClock
from meterai.kit.components import Component
from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.pages import Notice, Site, busy_pages
from meterai.plumbing.db.database import Database, DatabaseAway
from meterai.plumbing.signed import DocumentSigner
from meterai.waiting_room.model import TooManyPlaces
from meterai.waiting_room.page import WaitingPages
from tests.console.conftest import Floor
from tests.incidents.records import opened
from tests.incidents.test_pages import HERE, opens, pulls
from tests.support.shop import Shop
from tests.support.within import browsed, settings_of

NOTICE = Notice("major", "/status/incidents/inc_1", "Incident: Buying <b>")


def test_notice_appears_on_pages_without_a_reader_and_leaves_them(tmp_path: Path) -> None:
    site, settings = Site(*pages_of()), made_settings(data=str(tmp_path))
    waiting, renewed = WaitingPages(site, settings), []
    site.on_show(lambda: renewed.append(busy_pages(site, settings)))
    for shown in ({"en": [NOTICE]}, {}):
        site.show(shown)
        pages = [
            renewed[-1]["en", Priority.NEW, True],
            waiting.refused(TooManyPlaces("as many as there are"), "en").decode(),
        ]
        for page in pages:
            assert ("Incident: Buying &lt;b&gt;</a>" in page) == bool(shown)
        assert "Incident:" not in renewed[-1]["id", Priority.NEW, True]


class _Away:
    """A database that does not answer."""

    async def once(self, *_: object) -> None:
        raise DatabaseAway("away")

    def reading(self) -> object:
        raise DatabaseAway("away")


def test_last_known_state_stays_while_the_database_is_away(shop: Shop) -> None:
    made = opened(shop)
    site = Site(*pages_of())

    async def act() -> None:
        board = Board(shop.container.database, SystemClock())
        board.show_on(site)
        try:
            await board.look()
            before = await board.status()
            board._database = _Away()  # type: ignore[assignment]
            board._known_at = board._counted_at = float("-inf")
            with pytest.raises(Refusal):
                await board.look()
            after = await board.status()
            assert [one.id for one in after.incidents] == [made.shown]
            assert after.at == before.at
            assert after.figures.in_flight_orders is None, "not known"
            page = site.render("waiting_room/refused.html", "en", shop.container.settings, text="")
            assert made.title["en"] in page
        finally:
            await board.close()

    shop.do(act())
    page = site.render("waiting_room/refused.html", "en", shop.container.settings, text="")
    assert made.title["en"] not in page


@pytest.mark.parametrize(
    ("language", "headline", "state"),
    [
        ("en", "Service status unknown since", "unknown since"),
        ("id", "Keadaan layanan tidak diketahui sejak", "tidak diketahui sejak"),
    ],
)
def test_outdated_status_page_shows_its_age_and_the_watchers_page(
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    headline: str,
    state: str,
) -> None:
    watchers = tmp_path / "watchers.toml"
    key = DocumentSigner(b"k" * 32).public_pem().decode()
    watchers.write_text(
        f'[[watcher]]\nname = "w"\nurl = "https://watch.example/"\npublic_key = """{key}"""\n'
    )
    settings = settings_of(database_url, tmp_path, watchers_file=str(watchers))
    with browsed(settings) as client:
        client.headers.update({"Accept": "text/html", "Accept-Language": language})
        known = client.get("/status").text
        assert headline not in known
        time.sleep(1.1)  # a recent answer is cached
        monkeypatch.setattr(Database, "reading", _Away.reading)
        monkeypatch.setattr(Board, "now", lambda board: board._clock.now() + timedelta(seconds=25))
        page = client.get("/status")
        assert page.status_code == 200
        assert headline in page.text
        assert page.text.count(state) == 1 + len(Component)
        assert "state operational" not in page.text
        assert 'href="https://watch.example/"' in page.text
        assert "https://watch.example" not in known


def test_note_of_a_watcher_is_public_once_staff_take_it(floor: Floor) -> None:
    floor.seat("operations")
    number = opens(floor)
    with psycopg.connect(floor.url) as owner:
        owner.execute(
            "INSERT INTO incident_notes VALUES ('w1:7', now(), 'buying', 'Listrik <mati>.', 'The <power> failed.'),"
            " ('w1:8', now(), 'site', 'Situs mati.', 'The site is down.'),"
            " ('w1:9', now() - interval '25 hours', 'buying', 'Lama.', 'Long ago.')"
        )
    noted = floor.get("/console/work/incidents_noted").text
    assert f"{HERE}/{number}" in noted
    assert f"{HERE}/site" in noted
    assert "The &lt;power&gt; failed." in noted
    assert "Long ago." not in noted
    assert "The site is down." in floor.get(f"{HERE}/site").text
    there = f"{HERE}/{number}"
    assert "The &lt;power&gt; failed." in floor.get(there).text
    assert "power" not in floor.get(f"/status/incidents/{number}").text
    page = floor.get(there, note="w1:7").text
    filled = re.findall(r'name="(argument-text_..)"[^>]*required>([^<]+)<', page)
    words = {name: html.unescape(text) for name, text in filled}
    pulls(floor, "update", words | {"reason": "it is so"}, f"{there}?note=w1%3A7")
    assert floor.rows("SELECT text_en FROM incident_updates WHERE source = 'w1:7'") == [
        ("The <power> failed.",)
    ]
    assert "w1:7" not in floor.get("/console/work/incidents_noted").text
