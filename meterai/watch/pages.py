"""The page of a watcher in one language, and its badges: static, at most 8 KB, without scripts; pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import escape
from itertools import groupby

from meterai.kit.components import ComponentState
from meterai.kit.money import Rupiah
from meterai.plumbing.messages import translate
from meterai.watch.model import Published, ShownComponent, quantile
from meterai.watch.statuspage import (
    change_words,
    days_until,
    figures_of,
    headline,
    minutes_lost,
    named,
    said,
    when,
)

PAGE_BYTES_MAX = 8_192
UNKNOWN = "?"
TEXT_LENGTH_MAX = 240  # characters of an update
INCIDENTS_SHOWN, CHANGES_SHOWN = 3, 5
MINUTES_FROM_SECONDS = 120.0  # a longer time is shown in minutes
# Text on white has a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3), drawings of 3 to 1.
_COLOUR: Mapping[ComponentState, str] = {
    ComponentState.OPERATIONAL: "#146c2e",
    ComponentState.UNDER_MAINTENANCE: "#1f5aa8",
    ComponentState.DEGRADED: "#8a5a00",
    ComponentState.PARTIAL_OUTAGE: "#a8430f",
    ComponentState.MAJOR_OUTAGE: "#b3001b",
}
_GREY = "#5c5c5c"
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:46rem;padding:1rem;color:#1a1a1a;background:#fff;"
    "overflow-wrap:anywhere}"
    "h1{font-size:1.4rem;margin:.5rem 0;padding:.75rem 1rem;border-left:.5rem solid;background:#f4f4f4}"
    "h2{font-size:1.1rem;margin:1.5rem 0 .25rem}p{margin:.25rem 0}"
    "a{color:#1f4f8f}ul{list-style:none;padding:0;margin:0}li{padding:.4rem 0;border-top:1px solid #ccc}"
    "li b{font-weight:600}.s{float:right;font-weight:600}small{color:#5c5c5c;display:block}"
    "svg{display:block;width:100%;height:1.1rem;margin:.2rem 0;background:#e8e8e8;shape-rendering:crispEdges}"
    "dl{display:grid;grid-template-columns:minmax(11rem,1fr) auto;gap:.25rem 1rem;margin:0}dd{margin:0;text-align:right;font-weight:600}"
    "@media print{body{max-width:none;padding:0}h1{background:none}}"
)


def page(published: Published, language: str) -> bytes:
    """Render the page.  Beyond the size limit it drops texts and drawings, never states."""
    found = b""
    for incidents, length, drawn in (
        (INCIDENTS_SHOWN, TEXT_LENGTH_MAX, True),
        (1, TEXT_LENGTH_MAX // 2, True),
        (1, 80, False),
        (0, 0, False),
    ):
        text = "".join(_parts(published, language, incidents, length, drawn=drawn))
        found = text.encode()
        if len(found) <= PAGE_BYTES_MAX:
            return found
    return found


def _parts(
    published: Published, language: str, incidents: int, length: int, *, drawn: bool
) -> Iterator[str]:
    at, title = when(published.at, language), escape(published.title)
    colour = _COLOUR[published.worst] if published.is_all_measured else _GREY
    colour = (
        _GREY
        if published.worst is ComponentState.OPERATIONAL and colour == _GREY
        else _COLOUR[published.worst]
    )
    there = (
        ("en.html", "en", "English")
        if language == "id"
        else ("index.html", "id", "Bahasa Indonesia")
    )
    yield (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(headline(published, language))} | {title}</title>"
        '<link rel="alternate" type="application/atom+xml" href="feed.atom">'
        f"<style>{_STYLE}</style></head><body><header>"
        f'<a href="{escape(published.installation)}">{title}</a> · '
        f'<a href="{there[0]}" lang="{there[1]}">{there[2]}</a></header><main>'
        f'<h1 style="color:{colour}">{escape(headline(published, language))}</h1>'
        f"<p>{_t('as_of', language, at=at, watcher=published.watcher)}</p>"
    )
    if published.alone:
        yield f"<p><b>{_t('alone', language)}</b></p>"
    yield from _incidents(published, language, incidents, length)
    yield f"<h2>{_t('components', language)}</h2><ul>"
    for one in published.components:
        yield _component(one, published, language, drawn=drawn)
    yield "</ul>" + (f"<small>{_t('days', language)}</small>" if drawn else "")
    yield f"<h2>{_t('figures', language)}</h2><dl>"
    for term, value, moment in _figures(published, language):
        yield f"<dt>{term}<small>{when(moment, language)}</small></dt><dd>{value}</dd>"
    yield "</dl>"
    if published.changes:
        yield f"<h2>{_t('changes', language)}</h2><ul>"
        for change in published.changes[:CHANGES_SHOWN]:
            yield f"<li>{escape(change_words(change, language))}<small>{when(change.at, language)}</small></li>"
        yield "</ul>"
    yield (
        f'</main><footer><p><small>{_t("how", language)} <a href="feed.atom">Atom</a> '
        f'<a href="summary.json">JSON</a> <a href="history.json">{_t("of_days", language)}</a></small></p></footer>'
        "</body></html>"
    )


def _t(key: str, language: str, /, **facts: object) -> str:
    return escape(translate(f"watch.{key}", language, **facts))


def _state(one: ShownComponent, language: str) -> tuple[str, str]:
    """Return the state of a component in words, and the colour of the state; a component that is not measured is never green."""
    if one.measured_at is None:
        is_said = one.shown is not ComponentState.OPERATIONAL
        return (
            (said(one.shown, language), _COLOUR[one.shown])
            if is_said
            else (translate("watch.never_measured", language), _GREY)
        )
    if not one.is_measured and one.shown is ComponentState.OPERATIONAL:
        return translate("watch.not_measured", language), _GREY
    return said(one.shown, language), _COLOUR[one.shown]


def _component(one: ShownComponent, published: Published, language: str, *, drawn: bool) -> str:
    words, colour = _state(one, language)
    text = f'<li><b>{escape(named(one.component, language))}</b> <span class="s" style="color:{colour}">{escape(words)}</span>'
    if one.measured_at is not None and not one.is_measured:
        text += f"<small>{_t('not_measured_since', language, at=when(one.measured_at, language))}</small>"
    by_day = published.days.get(one.component, {})
    lost = sum(map(minutes_lost, by_day.values()))
    if drawn and by_day:
        text += _drawn(
            [by_day.get(day, {}) for day in days_until(published.at)],
            _t("lost", language, minutes=lost),
        )
    elif by_day:
        text += f"<small>{_t('lost', language, minutes=lost)}</small>"
    return text + "</li>"


def _drawn(rows: Sequence[Mapping[ComponentState, int]], label: str) -> str:
    """Draw ninety days as a row of one field a day: green, ochre if a component was slow in some minutes, red if it did not
    work.

    A day without measurements is a gap.
    """
    paths: dict[str, str] = {}
    at = 0
    for colour, run in groupby(map(_colour_of_day, rows)):
        width = len(list(run))
        if colour:
            paths[colour] = paths.get(colour, "") + f"M{at} 0h{width}v1h-{width}z"
        at += width
    drawn = "".join(f'<path fill="{colour}" d="{path}"/>' for colour, path in paths.items())
    return (
        f'<svg viewBox="0 0 90 1" preserveAspectRatio="none" role="img" aria-label="{label}">{drawn}</svg>'
        f"<small>{label}</small>"
    )


def _colour_of_day(row: Mapping[ComponentState, int]) -> str:
    if minutes_lost(row):
        return "#b3001b"
    if row.get(ComponentState.DEGRADED):
        return "#8a5a00"
    return "#3c8c52" if row else ""


def _figures(published: Published, language: str) -> Iterator[tuple[str, str, datetime]]:
    """Yield (label, value, time of the value) for each figure of the platform."""
    for share, name in ((0.5, "watch_median"), (0.95, "watch_p95")):
        found = quantile(published.stamped, share)
        value = UNKNOWN if found is None else _lasting(found, language)
        yield _t(f"figure.{name}", language), value, published.at
    for name, told, at in figures_of(published):
        yield _t(f"figure.{name}", language), _said(name, told, language), at


def _said(name: str, value: object, language: str) -> str:
    if not isinstance(value, int | float):
        return UNKNOWN
    if name.endswith("_rupiah"):
        return escape(str(Rupiah(int(value))))
    if name.endswith("_seconds"):
        return _lasting(value, language)
    return _number(value, language)


def _lasting(seconds: float, language: str) -> str:
    if seconds < MINUTES_FROM_SECONDS:
        return _t("seconds", language, seconds=_number(round(seconds, 1), language))
    return _t("minutes", language, minutes=_number(round(seconds / 60), language))


def _number(value: float, language: str) -> str:
    text = f"{int(value):,}" if value == int(value) else f"{value:,.1f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "id" else text


def _incidents(published: Published, language: str, most: int, length: int) -> Iterator[str]:
    told = [one for one in published.status.incidents if one.is_open] if published.status else []
    lines = [
        (
            _of(one.title, language),
            _of(one.updates[-1].text, language) if one.updates else "",
            one.started_at,
        )
        for one in told
    ]
    lines += [
        (named(note.component, language), _of(note.text, language), note.at)
        for note in published.notes
        if note.state is not ComponentState.OPERATIONAL
    ]
    if lines and most:
        yield f"<h2>{_t('incidents', language)}</h2><ul>"
        for title, text, at in lines[:most]:
            yield (
                f"<li><b>{escape(_short(title, 100))}</b><small>{when(at, language)}</small>"
                f"<p>{escape(_short(text, length))}</p></li>"
            )
        yield "</ul>"


def _of(texts: Mapping[str, str], language: str) -> str:
    return texts.get(language) or texts.get("id", "")


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: max(length - 1, 0)] + "…"


def badge(one: ShownComponent) -> bytes:
    """Draw the badge of a component as an SVG of two fields: its name and its state."""
    label, (words, colour) = named(one.component, "en"), _state(one, "en")
    left, right = 7 * len(label) + 16, 7 * len(words) + 16
    font = 'font-family="Verdana,sans-serif" font-size="11" fill="#fff" text-anchor="middle"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
        f'aria-label="{escape(label)}: {escape(words)}"><title>{escape(label)}: {escape(words)}</title>'
        f'<rect width="{left}" height="20" fill="#444"/><rect x="{left}" width="{right}" height="20" fill="{colour}"/>'
        f'<text x="{left / 2}" y="14" {font}>{escape(label)}</text>'
        f'<text x="{left + right / 2}" y="14" {font}>{escape(words)}</text></svg>'
    ).encode()
