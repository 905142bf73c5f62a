"""Pages of incidents: one text by staff appears on every page, in the status, the feed and the API."""

import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from meterai.incidents.views import StatusView
from tests.console.conftest import Floor
from tests.support.walk_in import fields

HERE = "/console/incidents"
LEVERS = "/console/levers/incidents."
HOSTILE = "<script>alert(1)</script> {{ 7*7 }} & 'x'"
OPENED = {
    "argument-title_id": "Pembelian mati",
    "argument-title_en": "Buying is down",
    "argument-text_id": "Kami cari sebabnya.",
    "argument-text_en": "We look for the cause.",
    "argument-buying": "major_outage",
    "reason": "the QR fails",
}
WORDS = {"argument-text_id": "Kabar baru.", "argument-text_en": "Fresh news.", "reason": "it is so"}


def pulls(floor: Floor, lever: str, typed: dict[str, str], there: str = HERE) -> None:
    """Submit a lever's form as staff, and confirm its forecast."""
    path = f"{LEVERS}{lever}"
    form = fields(floor.walk_in.get(there), path) | typed
    shown = floor.post(path, form | {"do": "forecast"})
    assert shown.status_code == 200, shown.text
    done = floor.post(path, fields(shown.text, path, "shown") | {"do": "pull"})
    assert done.status_code == 303, done.text


def opens(floor: Floor, **more: str) -> str:
    """Open an incident as staff; return its number."""
    pulls(floor, "open", OPENED | {f"argument-{name}": text for name, text in more.items()})
    found = re.search(rf"{HERE}/(inc_\w+)", floor.walk_in.get(HERE))
    assert found
    return found[1]


def eventually(what: Callable[[], bool]) -> None:
    """Wait up to the two seconds in which every page of every process is refreshed."""
    until = time.monotonic() + 2.0
    while not what():
        assert time.monotonic() < until
        time.sleep(0.05)


def status(floor: Floor) -> StatusView:
    answer = floor.get("/v1/status")
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=StatusView)


def test_open_incident_is_on_every_page_until_its_end(floor: Floor) -> None:
    floor.seat("operations")
    number = opens(floor)
    there = f'<a href="/status/incidents/{number}">Incident: Buying is down</a>'
    for path in ("/", "/check", "/status", "/nowhere", "/console", "/complaints/new"):
        eventually(lambda path=path: there in floor.get(path).text)  # type: ignore[misc]
    floor.walk_in.client.cookies.clear()
    floor.walk_in.client.headers["Accept-Language"] = "id"
    eventually(lambda: "Gangguan: Pembelian mati" in floor.get("/").text)
    floor.walk_in.client.headers["Accept-Language"] = "en"
    floor.seat("operations")
    pulls(floor, "resolve", WORDS, f"{HERE}/{number}")
    eventually(lambda: there not in floor.get("/").text)


def test_status_feed_and_api_agree(floor: Floor) -> None:
    floor.seat("operations")
    number = opens(floor)
    pulls(
        floor,
        "update",
        WORDS | {"argument-state": "identified", "argument-payment": "degraded_performance"},
        f"{HERE}/{number}",
    )
    eventually(lambda: bool(status(floor).incidents))
    [told] = status(floor).incidents
    assert (told.id, told.state, told.severity) == (number, "identified", "critical")
    assert told.components == {"buying": "major_outage", "payment": "degraded_performance"}
    assert [one.text.en for one in told.updates] == ["We look for the cause.", "Fresh news."]
    page = floor.walk_in.get(f"/status/incidents/{number}")
    assert page.index("Fresh news.") < page.index("We look for the cause.")
    assert "acc_" not in page, "no reader learns who wrote it"
    assert "buying a stamp" in page
    assert "Part of the service is not working." in floor.walk_in.get("/status")
    feed = floor.get("/status/feed.atom")
    assert feed.headers["content-type"].startswith("application/atom+xml")
    atom = "{http://www.w3.org/2005/Atom}"
    [entry] = ET.fromstring(feed.content).findall(f"{atom}entry")
    assert entry.findtext(f"{atom}id", "").endswith(f"/status/incidents/{number}")
    assert "Fresh news." in entry.findtext(f"{atom}content", "")


def test_markup_in_a_text_is_escaped(floor: Floor) -> None:
    floor.seat("operations")
    number = opens(floor, title_en=HOSTILE, text_en=HOSTILE)
    eventually(lambda: "Incident: &lt;script&gt;" in floor.get("/").text)
    for path in ("/", "/status", f"/status/incidents/{number}", f"{HERE}/{number}"):
        text = floor.walk_in.get(path)
        assert "<script>alert" not in text
        assert "{{ 7*7 }}" in text or "7*7" in text
    feed = floor.get("/status/feed.atom")
    assert HOSTILE in "".join(ET.fromstring(feed.content).itertext())


def test_maintenance_is_announced_from_the_page_and_shown_a_day_before(floor: Floor) -> None:
    floor.seat("operations")
    begins = (datetime.now(UTC) + timedelta(hours=20)).astimezone().replace(tzinfo=None)
    times = {
        "argument-begins_at": f"{begins:%Y-%m-%dT%H:%M}",
        "argument-ends_at": f"{begins + timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "argument-checking": "true",
        "argument-buying": "",
    }
    pulls(floor, "announce", OPENED | times)
    eventually(lambda: ": Buying is down</a>" in floor.get("/").text)
    page = floor.get("/status").text
    assert "Planned maintenance" in page
    assert "WIB" in page
    assert "All parts work normally." in page
    [told] = status(floor).incidents
    number = told.id
    assert (told.kind, told.state) == ("maintenance", "announced")
    pulls(floor, "cancel", WORDS, f"{HERE}/{number}")
    eventually(lambda: "Buying is down" not in floor.get("/").text)


def test_staff_without_the_right_see_no_incidents(floor: Floor) -> None:
    floor.seat("support")
    assert floor.get(HERE).status_code == 403
    assert HERE not in floor.get("/console").text
