"""The status in machine-readable forms: Statuspage's public JSON, an Atom feed, 90 days as numbers; pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree

from meterai.kit.clock import WIB
from meterai.kit.components import Component, ComponentState, worst
from meterai.plumbing.messages import translate
from meterai.watch.client import iso
from meterai.watch.model import (
    ComponentChange,
    PlatformIncident,
    Published,
    ShownComponent,
    WatcherNote,
)

DAYS = 90
FEED_MAX = 50
LOST = (ComponentState.PARTIAL_OUTAGE, ComponentState.MAJOR_OUTAGE)
_INDICATOR = {
    ComponentState.OPERATIONAL: "none",
    ComponentState.UNDER_MAINTENANCE: "maintenance",
    ComponentState.DEGRADED: "minor",
    ComponentState.PARTIAL_OUTAGE: "major",
    ComponentState.MAJOR_OUTAGE: "critical",
}
# Our states in the words of Statuspage.
_STATE = {
    "reviewed": "postmortem", "announced": "scheduled", "under_way": "in_progress", "ended": "completed",
    "cancelled": "completed",
}  # fmt: skip
_Json = dict[str, Any]
_ATOM = "http://www.w3.org/2005/Atom"


def named(component: Component, language: str) -> str:
    """Return the name of a component for people."""
    return translate(f"component.{component}", language)


def said(state: ComponentState, language: str) -> str:
    """Return a state in words."""
    return translate(f"component_state.{state.label}", language)


def shown_state(one: ShownComponent) -> ComponentState:
    """Return the state for programs that read the status: a component that is not measured now is not shown as operational."""
    return one.shown if one.is_measured else max(one.shown, ComponentState.DEGRADED)


def _page(published: Published) -> _Json:
    return {
        "id": published.watcher,
        "name": published.title,
        "url": published.url or published.installation,
        "time_zone": "Asia/Jakarta",
        "updated_at": iso(published.at),
    }


def _component(one: ShownComponent, position: int, published: Published) -> _Json:
    measured, since = one.measured_at or one.since, iso(one.since)
    told = (
        None
        if one.is_measured
        else translate("watch.not_measured_since", "en", at=when(measured, "en"))
    )
    return {
        "id": str(one.component), "name": named(one.component, "en"), "status": shown_state(one).label,
        "created_at": since, "updated_at": since, "position": position, "description": told,
        "showcase": True, "start_date": None, "group_id": None, "page_id": published.watcher, "group": False,
        "only_show_if_degraded": False,
    }  # fmt: skip


def _components(published: Published) -> list[_Json]:
    """Return the components that were measured at least once."""
    measured = [one for one in published.components if one.measured_at is not None]
    return [_component(one, position, published) for position, one in enumerate(measured, start=1)]


def _text(texts: Mapping[str, str]) -> str:
    return " / ".join(dict.fromkeys(filter(None, (texts.get("id"), texts.get("en")))))


def _said(
    published: Published,
    name: str,
    words: tuple[str, str, str],
    times: tuple[datetime, datetime, datetime | None],
    updates: list[_Json],
) -> _Json:
    """Build an incident in the JSON form of Statuspage.

    `words` are its title, status and impact; `times` are the times of its begin, its last update and its end.
    """
    title, status, impact = words
    begun, updated, ended = times
    return {
        "id": name, "name": title, "status": status, "created_at": iso(begun), "updated_at": iso(updated),
        "monitoring_at": None, "resolved_at": ended and iso(ended), "impact": impact,
        "shortlink": published.url or published.installation, "started_at": iso(begun),
        "page_id": published.watcher, "incident_updates": updates, "components": [],
    }  # fmt: skip


def _incident(one: PlatformIncident, published: Published) -> _Json:
    updated_at = max([one.started_at, *(update.at for update in one.updates)])
    seen = [update for update in one.updates if update.state == "monitoring"]
    impact = "maintenance" if one.kind == "maintenance" else one.severity
    words = _text(one.title), _STATE.get(one.state, one.state), impact
    updates = [
        _update(
            one.id, update.number, _STATE.get(update.state, update.state), update.at, update.text
        )
        for update in reversed(one.updates)
    ]
    found = _said(published, one.id, words, (one.started_at, updated_at, one.resolved_at), updates)
    found |= {
        "monitoring_at": iso(seen[0].at) if seen else None,
        "shortlink": f"{published.installation}/status/incidents/{one.id}",
        "components": [part for part in _components(published) if part["id"] in one.components],
    }
    if one.kind == "maintenance":
        found["scheduled_for"] = one.begins_at and iso(one.begins_at)
        found["scheduled_until"] = one.ends_at and iso(one.ends_at)
    return found


def _update(incident: str, number: int, state: str, at: datetime, text: Mapping[str, str]) -> _Json:
    return {
        "id": f"{incident}-{number}", "status": state, "body": _text(text), "incident_id": incident,
        "created_at": iso(at), "updated_at": iso(at), "display_at": iso(at), "affected_components": None,
        "deliver_notifications": False, "custom_tweet": None, "tweet_id": None,
    }  # fmt: skip


def _of_note(one: WatcherNote, published: Published) -> _Json:
    is_over = one.state is ComponentState.OPERATIONAL
    state, name = "resolved" if is_over else "investigating", f"note-{one.id}"
    title = f"{named(one.component, 'en')}: {said(one.state, 'en')}"
    found = _said(
        published,
        name,
        (title, state, _INDICATOR[one.state]),
        (one.at, one.at, one.at if is_over else None),
        [_update(name, 1, state, one.at, one.text)],
    )
    parts = [part for part in _components(published) if part["id"] == one.component]
    return found | {"components": parts}


def _incidents(published: Published) -> list[_Json]:
    told = published.status.incidents if published.status else []
    notes = [_of_note(one, published) for one in published.notes]
    return notes + [_incident(one, published) for one in told if one.kind == "incident"]


def summary(published: Published) -> _Json:
    """Build `summary.json`: the present state."""
    told = published.status.incidents if published.status else []
    measured = [one for one in published.components if one.measured_at is not None]
    state = worst(shown_state(one) for one in measured) if measured else ComponentState.DEGRADED
    return {
        "page": _page(published),
        "components": _components(published),
        "incidents": [
            one for one in _incidents(published) if one["status"] not in ("resolved", "postmortem")
        ],
        "scheduled_maintenances": [
            _incident(one, published) for one in told if one.kind == "maintenance" and one.is_open
        ],
        "status": {"indicator": _INDICATOR[state], "description": headline(published, "en")},
    }


def incidents(published: Published) -> _Json:
    """Build `incidents.json`: notes of staff, and incidents of the last 90 days as the platform publishes them."""
    return {"page": _page(published), "incidents": _incidents(published)}


def headline(published: Published, language: str) -> str:
    """Return the overall state of the platform in one sentence."""
    if not any(one.measured_at for one in published.components):
        return translate("watch.nothing_measured", language)
    if published.worst is ComponentState.OPERATIONAL:
        key = "watch.all_works" if published.is_all_measured else "watch.not_all_measured"
        return translate(key, language)
    return translate(f"watch.worst.{published.worst.label}", language)


def when(at: datetime, language: str) -> str:
    """Format a time with its day in WIB."""
    local = at.astimezone(WIB)
    return f"{local:%d-%m-%Y %H.%M} WIB" if language == "id" else f"{local:%Y-%m-%d %H:%M} WIB"


def history(published: Published) -> _Json:
    """Build `history.json`: for each day (WIB) the measured minutes, and those in which a component did not work fully."""
    days = days_until(published.at)
    found: dict[str, _Json] = {}
    for component, by_day in published.days.items():
        rows = [by_day.get(day, {}) for day in days]
        found[component] = {
            "minutes_measured": [sum(row.values()) for row in rows],
            "minutes_lost": [minutes_lost(row) for row in rows],
            "minutes_degraded": [row.get(ComponentState.DEGRADED, 0) for row in rows],
        }
    return {
        "watcher": published.watcher,
        "at": iso(published.at),
        "days": days,
        "components": found,
    }


def days_until(at: datetime) -> list[str]:
    """Return the last 90 days in WIB as ISO dates, today last."""
    today = at.astimezone(WIB).date()
    return [(today - timedelta(days=back)).isoformat() for back in reversed(range(DAYS))]


def minutes_lost(row: Mapping[ComponentState, int]) -> int:
    """Return the number of minutes of a day in which a component did not work, or worked only in part."""
    return sum(row.get(state, 0) for state in LOST)


def feed(published: Published) -> bytes:
    """Build `feed.atom`: changes, notes and updates of incidents, newest first (RFC 4287)."""
    base = published.url or published.installation
    ElementTree.register_namespace("", _ATOM)
    root = ElementTree.Element(f"{{{_ATOM}}}feed")
    _add(root, "id", f"{base}/feed.atom")
    _add(root, "title", f"{published.title}: status")
    _add(_add(root, "author", ""), "name", published.watcher)
    _add(root, "link", "", rel="self", href=f"{base}/feed.atom")
    entries = sorted(_entries(published), key=lambda one: one[1], reverse=True)[:FEED_MAX]
    _add(root, "updated", iso(entries[0][1] if entries else published.at))
    for name, at, title, text, link in entries:
        entry = _add(root, "entry", "")
        _add(entry, "id", f"{base}/feed.atom#{name}")
        _add(entry, "title", title)
        _add(entry, "updated", iso(at))
        _add(entry, "link", "", rel="alternate", href=link or base)
        _add(entry, "content", text, type="text")
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root)


def _entries(published: Published) -> Iterator[tuple[str, datetime, str, str, str]]:
    for change in published.changes:
        titles = [change_words(change, language) for language in ("id", "en")]
        yield f"change-{change.id}", change.at, " / ".join(titles), ", ".join(change.faults), ""
    for note in published.notes:
        title = f"{named(note.component, 'id')} / {named(note.component, 'en')}"
        yield f"note-{note.id}", note.at, title, _text(note.text), ""
    for one in published.status.incidents if published.status else []:
        link = f"{published.installation}/status/incidents/{one.id}"
        for update in one.updates:
            yield f"{one.id}-{update.number}", update.at, _text(one.title), _text(update.text), link


def change_words(change: ComponentChange, language: str) -> str:
    """Return a change of a component's state as a sentence, without the time of the change."""
    return f"{named(change.component, language)}: {said(change.becomes, language)}"


def _add(
    parent: ElementTree.Element, name: str, text: str, **attributes: str
) -> ElementTree.Element:
    found = ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    # XML allows no control characters, and texts of people may have some.
    found.text = "".join(one for one in text if one.isprintable() or one in "\n\t")
    return found


def figures_of(published: Published) -> Sequence[tuple[str, object, datetime]]:
    """Return (name, value, time of the value) for each of the platform's figures; an unknown value is None."""
    told = published.status
    if told is None:
        return [(name, None, published.at) for name in FIGURES]
    return [(name, told.figures.get(name), told.at) for name in FIGURES]


FIGURES = (
    "line_waiting",
    "admission_per_second",
    "paid_to_stamped_median_seconds",
    "paid_to_stamped_p95_seconds",
    "in_flight_rupiah",
    "in_flight_oldest_seconds",
    "refunds_open",
    "refund_oldest_seconds",
)
