"""One watcher without a network: its chain of readings, its times, and the states of its peers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from meterai.kit.components import Component, ComponentState
from meterai.plumbing.keyring import new_secret
from meterai.plumbing.readings import Reading, Watcher, digest, read_reading
from meterai.plumbing.signed import DocumentSigner, read_signed
from meterai.watch.probes import ProbeResult
from meterai.watch.rule import GOOD_IN_ROW, IN_ROW, LASTS_SECONDS, ProbeOutcome
from meterai.watch.service import CHANGE, NOTES, NOW, WatcherService
from meterai.watch.settings import LocatedConfiguration, WatcherConfiguration
from meterai.watch.store import Store

AT = datetime(2026, 11, 30, 5, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HERE = "https://meterai.example"
SITE, BUYING = Component.SITE, Component.BUYING
UP, DOWN = "operational", "major_outage"
SECRET = new_secret()


class FixedClock:
    """Clock set by hand."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


class Made:
    """A watcher with a clock set by hand, which can be killed."""

    def __init__(self, folder: Path, others: int = 0) -> None:
        self.clock, self.signer, self._folder = FixedClock(AT), DocumentSigner(SECRET), folder
        self.peers = [
            Watcher(f"w{number}", "http://127.0.0.1:9", DocumentSigner(new_secret()).public_key())
            for number in range(1, others + 1)
        ]
        self.watch = self._made()

    def _made(self) -> WatcherService:
        configuration = WatcherConfiguration("w0", HERE, "watch")
        watched = LocatedConfiguration(configuration, self._folder)
        watched.folder.mkdir(exist_ok=True)
        store = Store(watched.folder / "watch.sqlite")
        return WatcherService(watched, store, self.signer, self.clock, self.peers)

    def kill(self) -> None:
        """Kill the watcher and start it again, without an orderly stop."""
        self.watch = self._made()

    def tries(self, outcome: ProbeOutcome, count: int = 1, component: Component = SITE) -> None:
        for _ in range(count):
            fault = "timeout" if outcome is ProbeOutcome.FAILED else ""
            seconds = LASTS_SECONDS if outcome is ProbeOutcome.FAILED else 0.2
            self.watch.record(ProbeResult(component, outcome, seconds, fault))

    def passes(self, time: timedelta = MINUTE) -> None:
        self.clock.moment += time
        self.watch.tick()

    def hears(self, name: str, states: dict[str, str | None], **more: Any) -> None:
        components = {
            one: {"own": state, "agreed": None, "since": ""} for one, state in states.items()
        }
        facts = {
            "installation": HERE,
            "at": self.clock.moment.isoformat(),
            "components": components,
        }
        self.watch.take_peer(name, facts | more)

    def agreed(self, component: Component = SITE) -> tuple[str, bool]:
        """Return the published state, and whether a majority measures it."""
        self.watch.tick()
        [found] = [
            one for one in self.watch.published(None).components if one.component is component
        ]
        return found.agreed.label, found.is_measured

    def file(self, name: str) -> str:
        return (self._folder / "watch" / "public" / name).read_text()

    def readings(self) -> list[Reading]:
        """Verify the published files and return their readings."""
        documents = self.file("readings/2026-11-30.jsonl").splitlines()
        found = [read_reading(one, self.signer.public_key()) for one in documents]
        for before, after, document in zip(found, found[1:], documents, strict=False):
            assert after.previous == digest(document)
            assert after.sequence == before.sequence + 1
            assert after.minute > before.minute
        return found


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


@pytest.fixture
def one_of_three(tmp_path: Path) -> Made:
    return Made(tmp_path, others=2)


def test_component_without_tries_is_not_measured_and_not_green(made: Made) -> None:
    assert made.agreed() == (UP, False)
    assert msgspec.json.decode(made.file("summary.json"))["components"] == []
    now = read_signed(made.file("now.json"), NOW, made.signer.public_key())
    assert now["components"]["site"]["own"] is None  # type: ignore[index]
    assert now["components"]["site"]["agreed"] is None  # type: ignore[index]


def test_failures_in_a_row_change_the_state_and_the_change_is_signed(made: Made) -> None:
    made.tries(ProbeOutcome.GOOD)
    assert made.agreed() == (UP, True)
    made.tries(ProbeOutcome.FAILED, IN_ROW)
    assert made.agreed() == (DOWN, True)
    made.tries(ProbeOutcome.GOOD, GOOD_IN_ROW)
    assert made.agreed() == (UP, True)
    public = made.signer.public_key()
    down, up = (read_signed(one, CHANGE, public) for one in made.file("changes.jsonl").splitlines())
    assert (down["component"], down["from"], down["to"]) == ("site", UP, DOWN)
    assert (down["faults"], down["agreed"]) == (["timeout"], True)
    assert (up["from"], up["to"], up["faults"]) == (DOWN, UP, [])


def test_each_minute_is_signed_once_and_names_the_one_before(made: Made) -> None:
    made.tries(ProbeOutcome.GOOD, 3)
    made.tries(ProbeOutcome.FAILED)
    for _ in range(3):
        made.passes()
        made.passes(timedelta(seconds=1))
    found = made.readings()
    assert [one.minute.minute for one in found] == [0, 1, 2]
    counted = found[0].components[SITE]
    assert (counted.tries, counted.failures, counted.faults) == (4, 1, ("timeout",))
    assert counted.worst_ms == 1_000 * LASTS_SECONDS
    assert not found[1].components


def test_kill_in_a_minute_loses_no_try_and_breaks_no_chain(made: Made) -> None:
    made.tries(ProbeOutcome.FAILED, IN_ROW)
    made.passes()
    made.tries(ProbeOutcome.FAILED)
    made.watch.tick()
    made.kill()
    assert made.agreed() == (DOWN, False)  # unchanged until it is measured again
    made.passes(5 * MINUTE)
    found = made.readings()
    assert [one.minute.minute for one in found] == [0, 1, 5]
    assert found[1].components[SITE].failures == 1


def test_clock_set_back_signs_no_minute_twice_and_no_time_goes_back(made: Made) -> None:
    made.passes()
    made.passes()
    before = made.watch.now()
    made.clock.moment -= timedelta(hours=2)
    made.tries(ProbeOutcome.FAILED, IN_ROW)
    made.watch.tick()
    assert made.watch.now() == before
    assert (
        msgspec.json.decode(made.file("summary.json"))["page"]["updated_at"]
        >= "2026-11-30T05:02:30"
    )
    assert len(made.readings()) == 2
    made.kill()
    made.passes()
    assert len(made.readings()) == 2
    made.passes(timedelta(hours=3))
    assert [one.minute.minute for one in made.readings()][:2] == [0, 1]


def test_minutes_lost_are_counted_in_the_day_of_jakarta(made: Made) -> None:
    made.tries(ProbeOutcome.FAILED, IN_ROW)
    made.passes(timedelta(seconds=1))
    made.passes()
    found = msgspec.json.decode(made.file("history.json"))
    assert found["days"][-1] == "2026-11-30"
    assert found["components"]["site"]["minutes_lost"][-1] == 1


def test_two_of_three_decide_whatever_the_third_measures(one_of_three: Made) -> None:
    made = one_of_three
    made.tries(ProbeOutcome.FAILED, IN_ROW)
    made.hears("w1", {"site": UP})
    made.hears("w2", {"site": UP})
    assert made.agreed() == (UP, True)
    made.hears("w1", {"site": DOWN})
    assert made.agreed() == (DOWN, True)
    made.hears("w1", {"site": UP})
    assert made.agreed() == (UP, True)


def test_cut_off_watcher_shows_that_it_is_alone_and_keeps_the_agreed_state(
    one_of_three: Made,
) -> None:
    made = one_of_three
    made.tries(ProbeOutcome.GOOD)
    made.hears("w1", {"site": UP})
    assert made.agreed() == (UP, True)
    assert not made.watch.published(None).alone
    made.clock.moment += timedelta(seconds=61)
    made.tries(ProbeOutcome.FAILED, IN_ROW)
    assert made.agreed() == (UP, False)
    assert made.watch.published(None).alone
    now = read_signed(made.file("now.json"), NOW, made.signer.public_key())
    assert now["alone"] is True
    assert now["components"]["site"]["own"] == DOWN  # type: ignore[index]
    assert "Not everything is being measured" in made.file("en.html")


@pytest.mark.parametrize(
    "more",
    [
        {"at": (AT - timedelta(minutes=2)).isoformat()},
        {"at": (AT + timedelta(minutes=2)).isoformat()},
        {"installation": "https://another.example"},
    ],
)
def test_stale_or_foreign_state_of_a_peer_does_not_count(
    one_of_three: Made, more: dict[str, Any]
) -> None:
    made = one_of_three
    made.tries(ProbeOutcome.FAILED, IN_ROW)
    made.hears("w1", {"site": DOWN}, **more)
    assert made.agreed() == (UP, False)


def test_note_makes_worse_at_once_and_is_signed(made: Made) -> None:
    made.tries(ProbeOutcome.GOOD, component=BUYING)
    made.watch.tick()
    other = Store(made.watch.watched.folder / "watch.sqlite")
    words = {"id": "Bank diam", "en": "The bank is silent"}
    other.add_note(AT, BUYING, ComponentState.MAJOR_OUTAGE, words)
    made.watch.tick()
    found = msgspec.json.decode(made.file("summary.json"))
    assert [one["status"] for one in found["components"]] == [DOWN]
    notes = read_signed(made.file("notes.json"), NOTES, made.signer.public_key())["notes"]
    assert notes[0]["text"] == words  # type: ignore[index]
    assert "Bank diam" in made.file("index.html")


def test_rows_older_than_90_days_are_removed(made: Made) -> None:
    made.tries(ProbeOutcome.FAILED, IN_ROW)
    made.passes()
    made.passes(timedelta(days=92))
    store = made.watch.store
    assert store.changes(9) == []
    assert store.measured(AT.replace(second=0).isoformat()) == {}
