"""Incidents opened and resolved by the watch: by a majority of all watchers, and never by a lying one."""

from collections.abc import Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from meterai import incidents
from meterai.incidents import Incident, IncidentState
from meterai.incidents.adapters.watchers import NOTES, NOW, Watchers
from meterai.incidents.agreeing import MeasuredState, agreed
from meterai.incidents.model import JOB_UPDATES_MAX
from meterai.incidents.settings import IncidentSettings
from meterai.incidents.watching import CALM, LASTS, Watching
from meterai.kit.components import Component, ComponentState
from meterai.plumbing.db.database import Tx
from meterai.plumbing.readings import Watcher
from meterai.plumbing.signed import DocumentSigner
from tests.incidents.records import announced, loaded, opened
from tests.support.shop import Shop

S = IncidentState
OPERATIONAL, DOWN, SLOW = "operational", "major_outage", "degraded_performance"
HERE = "http://127.0.0.1:8000"


@dataclass
class Clock:
    """Clock set by a test."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def now(self) -> datetime:
        return self.at


@dataclass
class Place:
    """A watcher that signs what a test sets."""

    name: str
    signer: DocumentSigner
    states: Mapping[str, str] = field(default_factory=lambda: {"buying": OPERATIONAL})
    installation: str = HERE
    notes: list[dict[str, Any]] = field(default_factory=list)
    says_as: str = ""
    age: timedelta = timedelta(0)
    body: bytes | None = None
    is_away: bool = False
    moved_to: str = ""
    more: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def document(self, name: str, now: datetime) -> bytes:
        facts: dict[str, Any] = {
            "watcher": self.says_as or self.name,
            "installation": self.installation,
            "at": (now - self.age).isoformat(),
        }
        if "at" in self.more.get("now", {}):
            facts["at"] = now.replace(tzinfo=None).isoformat()
        since = (now - timedelta(minutes=3)).isoformat()
        if name == "notes.json":
            return self.signer.sign(NOTES, facts | {"notes": self.notes}).encode()
        components = {
            one: {"own": state, "agreed": state, "since": since, "faults": ["timeout"]}
            | dict(self.more.get("state", {}))
            for one, state in self.states.items()
        }
        return self.signer.sign(NOW, facts | {"alone": False, "components": components}).encode()


@dataclass
class Outside:
    """Three watchers, and a platform that queries them."""

    shop: Shop
    clock: Clock
    places: list[Place]
    by_watch: bool = True

    def look(self, after: timedelta = timedelta(seconds=15)) -> None:
        """Run the periodic task once, some time after the last run."""
        self.clock.at += after
        self.shop.do(self._look())

    def settle(self) -> None:
        """Run until a state has lasted long enough."""
        self.look()
        self.look(LASTS)

    def looks(self, seconds: timedelta) -> None:
        """Run once a minute for this time."""
        minutes, rest = divmod(seconds, timedelta(minutes=1))
        for each in (*[timedelta(minutes=1)] * minutes, rest):
            self.look(each)

    async def _look(self) -> None:
        async with self._served() as url:
            known = [
                Watcher(
                    one.name, NOBODY if one.is_away else f"{url}/{number}", one.signer.public_key()
                )
                for number, one in enumerate(self.places)
            ]
            settings = IncidentSettings(incidents_by_watch=self.by_watch)
            database = self.shop.container.database
            await Watching(database, Watchers(known, HERE), settings, self.clock).look()

    @asynccontextmanager
    async def _served(self):
        async def answer(request: web.Request) -> web.Response:
            place = self.places[int(request.match_info["number"])]
            if place.moved_to:
                raise web.HTTPFound(place.moved_to)
            made = place.body or place.document(request.match_info["name"], self.clock.at)
            return web.Response(body=made)

        app = web.Application()
        app.router.add_get("/{number}/{name}", answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    def say(self, state: str, *of: int, component: str = "buying") -> None:
        """Set the state that these watchers sign; all of them by default."""
        for number in of or range(len(self.places)):
            self.places[number].states = {**self.places[number].states, component: state}

    def open_now(self) -> list[Incident]:
        async def act(tx: Tx) -> list[Incident]:
            return await incidents.open_now(tx)

        return self.shop.do(self.shop.container.database.run(act))


NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def outside(shop: Shop) -> Iterator[Outside]:
    places = [
        Place(name, DocumentSigner(bytes([number]) * 32)) for number, name in enumerate("abc")
    ]
    shop.not_asked = frozenset({"times_of_nobody_hide_no_work"})  # its clock goes ahead
    yield Outside(shop, Clock(), places)
    shop.assert_books_hold()


def test_majority_opens_an_incident_with_words_in_both_languages(outside: Outside) -> None:
    outside.look()
    assert not outside.open_now()
    outside.say(DOWN, 0, 1)
    outside.say(SLOW, 0, 1, component="payment")
    outside.settle()
    [made] = outside.open_now()
    assert (made.state, made.severity, made.is_watched) == (S.INVESTIGATING, "critical", True)
    assert made.components == {
        Component.BUYING: ComponentState.MAJOR_OUTAGE,
        Component.PAYMENT: ComponentState.DEGRADED,
    }
    assert made.title == {
        "id": "Terganggu: Pembelian, Pembayaran",
        "en": "Disrupted: Buying, Payment",
    }
    assert "Buying: major outage (timeout); Payment" in made.updates[0].text["en"]
    assert made.started_at == outside.clock.at - LASTS - timedelta(minutes=3)
    assert outside.shop.rows(
        "SELECT 1 FROM incident_watched WHERE seen_at = %s", outside.clock.at - LASTS
    )
    outside.look()
    assert len(outside.open_now()[0].updates) == 1, "the same again is no news"


def test_incident_of_the_watch_is_monitored_then_resolved_after_a_calm_time(
    outside: Outside,
) -> None:
    outside.say(DOWN)
    outside.settle()
    [made] = outside.open_now()
    outside.say(OPERATIONAL)
    outside.look()
    assert loaded(outside.shop, made).state == S.MONITORING
    outside.say(DOWN)
    outside.look()
    assert loaded(outside.shop, made).state == S.INVESTIGATING
    outside.say(OPERATIONAL)
    outside.look()
    outside.looks(CALM - timedelta(seconds=1))
    assert loaded(outside.shop, made).state == S.MONITORING
    outside.look(timedelta(seconds=1))
    assert loaded(outside.shop, made).state == S.RESOLVED


def test_another_component_that_fails_joins_the_incident_of_the_watch(outside: Outside) -> None:
    outside.say(SLOW)
    outside.settle()
    outside.say(DOWN, component="checking")
    outside.settle()
    [made] = outside.open_now()
    assert (made.severity, list(made.components)) == (
        "critical",
        [Component.BUYING, Component.CHECKING],
    )


LIES: dict[str, dict[str, Any]] = {
    "another key": {"signer": DocumentSigner(b"x" * 32)},
    "another name": {"says_as": "c"},
    "another installation": {"installation": "https://meterai.example"},
    "of yesterday": {"age": timedelta(days=1)},
    "of tomorrow": {"age": timedelta(days=-1)},
    "no document": {"body": b"{" * 2_000},
    "without end": {"body": b" " * 300_000},
    "elsewhere": {"moved_to": "http://127.0.0.1:9/now.json"},
    "an unknown word": {"states": {"buying": "broken"}},
    "away": {"is_away": True},
}


@pytest.mark.parametrize("lie", LIES)
def test_watcher_with_an_invalid_document_changes_nothing(outside: Outside, lie: str) -> None:
    key = outside.places[1].signer
    outside.say(DOWN, 0, 1)
    for name, value in LIES[lie].items():
        setattr(outside.places[1], name, value)
    outside.places[2].is_away = True
    if lie == "another key":
        # The platform knows the earlier key.
        forged = outside.places[1].document
        content = {
            name: forged(name, outside.clock.at + timedelta(seconds=15)) for name in ("now.json",)
        }
        outside.places[1].signer, outside.places[1].body = key, content["now.json"]
    outside.settle()
    assert not outside.open_now()
    assert not outside.shop.rows("SELECT 1 FROM incident_watched")


@pytest.mark.parametrize("liar", [DOWN, OPERATIONAL])
def test_single_lying_watcher_changes_nothing(outside: Outside, liar: str) -> None:
    truth = OPERATIONAL if liar == DOWN else DOWN
    outside.say(truth)
    outside.settle()
    before = outside.open_now()
    outside.say(liar, 1)
    outside.settle()
    assert outside.open_now() == before


def note(outside: Outside, number: object = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "at": (outside.clock.at - timedelta(minutes=1)).isoformat(),
        "component": "buying",
        "state": DOWN,
        "text": {"id": "Listrik padam.", "en": "The power failed."},
    } | more


# `since` belongs to the state agreed among watchers, who do not know this fault yet.
NOT_AGREED = {"state": {"agreed": None}}


def test_fault_agreed_long_ago_opens_an_incident_at_once(
    outside: Outside,
) -> None:
    outside.say(DOWN)
    outside.look()
    assert outside.open_now(), "the database was away meanwhile"


# Fields of the last of three watchers that are signed and unusable.
UNFIT: dict[str, dict[str, Any]] = {
    "time without zone": {"now": {"at": "without zone"}},
    "begin without zone": {"state": {"since": "2026-11-30T05:00:00"}},
    "begin of the first year": {"state": {"since": "0001-01-01T00:00:00+14:00"}},
    "begin of the last year": {"state": {"since": "9999-12-31T23:59:59-14:00"}},
    "fault of no character": {"state": {"faults": ["\x00"]}},
    "fault of half a character": {"state": {"faults": ["\ud800"]}},
    "fault in words": {"state": {"faults": ["Bayar ke rekening 123"]}},
    "long faults": {"state": {"faults": [f"{number}" + "x" * 190 for number in range(5)]}},
    "fault with a line": {"state": {"faults": ["timeout\n"]}},
    "note without a number": {"note": {"id": "\x00"}},
    "note of no year": {"note": {"at": "0001-01-01T00:00:00+00:00"}},
    "note without zone": {"note": {"at": "2026-11-30T05:00:00"}},
    "note of a huge number": {"note": {"id": 2**70}},
    "note of half a character": {"note": {"text": {"id": "\ud800", "en": "\x00"}}},
}


def test_single_valid_answer_opens_nothing(outside: Outside) -> None:
    outside.say(DOWN, 0, 1)
    outside.places[1].more = UNFIT["begin without zone"]
    outside.settle()
    assert not outside.open_now()


def test_short_fault_opens_nothing(outside: Outside) -> None:
    for place in outside.places:
        place.more = NOT_AGREED
    for _ in range(3):
        outside.say(DOWN)
        outside.look()
        outside.look(LASTS - timedelta(seconds=1))
        outside.say(OPERATIONAL)
        outside.look()
    assert not outside.open_now()


def test_note_of_a_watcher_is_only_a_proposal(outside: Outside) -> None:
    outside.shop.call(
        "INSERT INTO incident_subscribers VALUES (gen_random_uuid(), 'a@example.id', 'id', now(), now())"
    )
    empty = note(outside, "b", text={"id": "Hanya ini.", "en": " "})
    outside.places[0].notes = [note(outside), empty]
    outside.say(DOWN)
    outside.settle()
    outside.look()
    [made] = outside.open_now()
    assert len(made.updates) == 1
    assert len(outside.shop.rows("SELECT 1 FROM incident_mailings")) == 1
    [kept] = outside.shop.rows("SELECT source, text_en FROM incident_notes")
    assert kept == {"source": "a:1", "text_en": "The power failed."}
    outside.places[0].notes = []
    outside.look()
    assert not outside.shop.rows("SELECT 1 FROM incident_notes"), "nobody carries it any more"


def test_failing_row_does_not_affect_the_others_of_a_run(outside: Outside) -> None:
    outside.say(DOWN)
    outside.say(DOWN, component="checking")
    outside.shop.arrange(
        "ALTER TABLE incident_watched ADD CONSTRAINT unlucky CHECK (component <> 'buying')"
    )
    try:
        outside.settle()
    finally:
        outside.shop.arrange("ALTER TABLE incident_watched DROP CONSTRAINT unlucky")
    [made] = outside.open_now()
    assert list(made.components) == [Component.CHECKING]


def test_flapping_component_leaves_updates_to_staff_and_is_resolved(outside: Outside) -> None:
    outside.say(DOWN)
    outside.settle()
    [made] = outside.open_now()
    for _ in range(JOB_UPDATES_MAX):
        for state in (OPERATIONAL, DOWN):
            outside.say(state)
            outside.look()
    assert len(loaded(outside.shop, made).updates) == JOB_UPDATES_MAX
    outside.say(OPERATIONAL)
    outside.look()
    outside.looks(CALM)
    found = loaded(outside.shop, made)
    assert (found.state, len(found.updates)) == (S.RESOLVED, JOB_UPDATES_MAX + 1)


def test_maintenance_begins_and_ends_at_its_times(outside: Outside) -> None:
    made = announced(outside.shop)
    watching = Watching(
        outside.shop.container.database, Watchers((), HERE), IncidentSettings(), outside.clock
    )
    states = []
    for at in (made.begins_at, made.ends_at):
        assert at is not None
        for moment in (at - timedelta(seconds=1), at):
            outside.clock.at = moment
            outside.shop.do(watching.plan())
            states.append(loaded(outside.shop, made).state)
    assert states == [S.ANNOUNCED, S.UNDER_WAY, S.UNDER_WAY, S.ENDED]


def test_maintenance_waits_for_an_open_incident_and_is_cancelled_if_it_lasts(
    outside: Outside,
) -> None:
    made = announced(outside.shop)
    opened(outside.shop, components={Component.CHECKING: ComponentState.MAJOR_OUTAGE})
    watching = Watching(
        outside.shop.container.database, Watchers((), HERE), IncidentSettings(), outside.clock
    )
    states = []
    for at in (made.begins_at, made.ends_at):
        assert at is not None
        outside.clock.at = at
        outside.shop.do(watching.plan())
        states.append(loaded(outside.shop, made).state)
    assert states == [S.ANNOUNCED, S.CANCELLED]


AT = datetime(2026, 9, 3, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("watchers", "states", "found"),
    [
        (1, [4], 4),
        (3, [4, 4], 4),
        (3, [4], None),
        (3, [4, 0], None),
        (3, [4, 0, 0], 0),
        (3, [4, 3, 2], 3),
        (4, [4, 4, 0, 0], None),
        (4, [4, 4, 4, 0], 4),
        (5, [4, 2, 2, 0, 0], 2),
    ],
)
def test_agreed_state_is_that_of_a_majority_of_all_watchers(
    watchers: int, states: list[int], found: int | None
) -> None:
    said = [
        {Component.SITE: MeasuredState(ComponentState(state), AT + timedelta(minutes=number))}
        for number, state in enumerate(states)
    ]
    got = agreed(said, watchers, AT + timedelta(hours=1))
    assert [one.state for one in got] == ([] if found is None else [found])
