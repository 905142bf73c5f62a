"""The static files: Statuspage's public shape, Atom, pages of at most 8 KB, no unmeasured component in green."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from meterai.kit.components import Component, ComponentState
from meterai.watch import pages, statuspage
from meterai.watch.files import Folder
from meterai.watch.model import (
    ComponentChange,
    PlatformStatus,
    Published,
    ShownComponent,
    WatcherNote,
    made_worse,
    read_status,
)
from tests.support.commands import ROOT

AT = datetime(2026, 11, 30, 5, 0, tzinfo=UTC)
UP, DOWN = ComponentState.OPERATIONAL, ComponentState.MAJOR_OUTAGE
ATOM = "{http://www.w3.org/2005/Atom}"


def shown(component: Component, state: ComponentState = UP, **more: Any) -> ShownComponent:
    given: dict[str, Any] = {"shown": state, "since": AT, "measured_at": AT, "is_measured": True}
    return ShownComponent(component, state, **(given | more))


def incident(**more: Any) -> dict[str, Any]:
    return {
        "id": "inc_1", "kind": "incident", "state": "identified", "severity": "major",
        "components": {"buying": "major_outage"}, "title": {"id": "Bank diam", "en": "Bank silent"},
        "started_at": AT.isoformat(), "begins_at": None, "ends_at": None, "resolved_at": None,
        "updates": [{"number": 1, "at": AT.isoformat(), "state": "identified", "text": {"id": "Kami <tahu>", "en": "We know"}}],
    } | more  # fmt: skip


def told(*incidents: dict[str, Any], **figures: float) -> PlatformStatus:
    found = read_status({"at": AT.isoformat(), "figures": figures, "incidents": list(incidents)})
    assert found is not None
    return found


def published(**more: Any) -> Published:
    given: dict[str, Any] = {
        "at": AT, "watcher": "jakarta", "installation": "https://meterai.example", "title": "e-Meterai",
        "url": "https://status.example", "alone": False, "components": [shown(one) for one in Component],
        "changes": [], "notes": [], "status": None, "stamped": [0.5, 1.0, 4.0],
        "days": {one: {"2026-11-30": {UP: 300}} for one in Component},
    }  # fmt: skip
    return Published(**(given | more))


def worst_case() -> Published:
    """Full outage with long texts, and ninety different days."""
    days = {
        one: {day: {(UP, DOWN, ComponentState.DEGRADED)[at % 3]: 9} for at, day in enumerate(statuspage.days_until(AT))}
        for one in Component
    }  # fmt: skip
    long = {"id": "Kami tahu. " * 300, "en": "We know. " * 400}
    return published(
        alone=True,
        components=[shown(one, DOWN, is_measured=False) for one in Component],
        changes=[ComponentChange(one, AT, Component.BUYING, UP, DOWN, ["timeout"]) for one in range(50)],
        notes=[WatcherNote(one, AT, Component.BUYING, DOWN, long) for one in range(20)],
        status=told(*[incident(title=long) for _ in range(50)], line_waiting=1_234_567, in_flight_rupiah=10**12),
        days=days,
    )  # fmt: skip


@pytest.mark.parametrize("of", [published, worst_case])
@pytest.mark.parametrize("language", ["id", "en"])
def test_page_has_at_most_8_kb_and_no_script(of: Any, language: str) -> None:
    found = pages.page(of(), language)
    assert len(found) <= 8_192
    assert b"<script" not in found
    assert f'lang="{language}"'.encode() in found


def test_page_escapes_what_others_wrote() -> None:
    found = pages.page(published(status=told(incident())), "id").decode()
    assert "Kami &lt;tahu&gt;" in found
    assert "<tahu>" not in found


def test_unmeasured_component_is_not_shown_as_operational() -> None:
    components = [shown(one, is_measured=False) for one in Component]
    of = published(components=components)
    found = statuspage.summary(of)
    assert {one["status"] for one in found["components"]} == {"degraded_performance"}
    assert found["status"]["indicator"] == "minor"
    assert "Not measured since" in found["components"][0]["description"]
    page = pages.page(of, "en").decode()
    assert "Everything works" not in page
    assert "#146c2e" not in page
    assert b"Not measured" in pages.badge(components[0])


def test_notes_and_incidents_make_worse_and_never_better() -> None:
    buying = Component.BUYING
    good = WatcherNote(2, AT, buying, UP, {})
    bad = WatcherNote(1, AT, buying, ComponentState.DEGRADED, {})
    assert made_worse(buying, DOWN, [good], None) is DOWN
    assert made_worse(buying, UP, [bad], None) is ComponentState.DEGRADED
    assert made_worse(buying, UP, [good, bad], None) is UP
    assert made_worse(buying, UP, [], told(incident())) is DOWN
    assert made_worse(Component.SITE, UP, [], told(incident())) is UP
    assert made_worse(buying, UP, [], told(incident(state="resolved"))) is UP
    operational = told(incident(components={"buying": "operational"}))
    assert made_worse(buying, DOWN, [], operational) is DOWN
    planned = incident(kind="maintenance", components={"buying": "under_maintenance"})
    assert made_worse(buying, UP, [], told(planned | {"state": "announced"})) is UP
    under_way = told(planned | {"state": "under_way"})
    assert made_worse(buying, UP, [], under_way) is ComponentState.UNDER_MAINTENANCE


def test_feed_is_atom_with_one_entry_for_each_change_note_and_update() -> None:
    change = ComponentChange(7, AT - timedelta(hours=1), Component.STAMPING, UP, DOWN, ["timeout"])
    note = WatcherNote(1, AT, Component.BUYING, DOWN, {"id": "Bank\x00", "en": "Bank"})
    root = ElementTree.fromstring(
        statuspage.feed(published(changes=[change], notes=[note], status=told(incident())))
    )
    assert root.tag == f"{ATOM}feed"
    for name in ("id", "title", "updated", "author"):
        assert root.find(ATOM + name) is not None
    entries = root.findall(f"{ATOM}entry")
    assert len(entries) == 3
    for one in entries:
        for name in ("id", "title", "updated", "link", "content"):
            assert one.find(ATOM + name) is not None
    assert len({one.findtext(f"{ATOM}id") for one in entries}) == 3
    times = [one.findtext(f"{ATOM}updated") for one in entries]
    assert times == sorted(times, key=str, reverse=True)


def test_history_has_90_days_and_the_minutes_lost_in_each() -> None:
    days = {
        one: {"2026-11-30": {UP: 100, DOWN: 7, ComponentState.DEGRADED: 3}} for one in Component
    }
    found = statuspage.history(published(days=days))
    assert len(found["days"]) == 90
    assert found["days"][-1] == "2026-11-30"
    assert found["components"].keys() == set(Component)
    buying = found["components"]["buying"]
    assert (buying["minutes_lost"][-1], buying["minutes_measured"][-1]) == (7, 110)
    assert sum(buying["minutes_lost"]) == 7


_FILLED = """
import resource, signal, sys
from pathlib import Path
from tests.watch.test_files import published, worst_case
from meterai.watch.files import Folder
folder = Folder(Path(sys.argv[1]), b"key")
folder.write(published(), "now 1", "notes 1")
folder.write_readings(published().at.date(), ["one"])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))
for write in (
    lambda: folder.write(worst_case(), "now 2 " * 20, "notes 2 " * 20),
    lambda: folder.write_readings(published().at.date(), ["one", "two " * 20]),
):
    try:
        write()
    except OSError:
        print("refused")
"""


def test_full_disk_leaves_the_old_files_whole(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FILLED, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["refused", "refused"]
    assert (tmp_path / "now.json").read_text() == "now 1"
    assert json.loads((tmp_path / "summary.json").read_bytes()) == json.loads(
        json.dumps(statuspage.summary(published()))
    )
    day = tmp_path / "readings" / "2026-11-30.jsonl"
    assert day.read_text() == "one\n"
    assert not list(tmp_path.glob(".*"))
    Folder(tmp_path, b"key").write_readings(AT.date(), ["one", "two"])
    assert day.read_text() == "one\ntwo\n"


def test_line_broken_off_by_a_kill_is_written_again(tmp_path: Path) -> None:
    (tmp_path / "readings").mkdir()
    day = tmp_path / "readings" / "2026-11-30.jsonl"
    day.write_text("one\ntw")
    Folder(tmp_path, b"key").write_readings(AT.date(), ["one", "two"])
    assert day.read_text() == "one\ntwo\n"
