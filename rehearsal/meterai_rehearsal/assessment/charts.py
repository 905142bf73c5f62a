"""Charts of a report: Altair specifications, drawn by vl-convert as SVG inside the page. Each chart has a `<title>`, which
is its alternative text in HTML and PDF. Colours are those of the product, and also differ in lightness.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import altair as alt
import vl_convert
from markupsafe import Markup

from meterai.plumbing.messages import catalogue, translate
from meterai_rehearsal.assessment.model import JourneyPart, Line, PlanPart, RunPart
from meterai_rehearsal.simulation.model import Scalability
from meterai_rehearsal.simulation.scalability import throughput

WIDTH, HEIGHT = 600, 170  # pixels of the page; the full width of a sheet
INK, BRAND, ACT, GOOD, BAD, WAIT = "#14202e", "#123354", "#0a5796", "#0b6238", "#a3121a", "#b97a00"
PALE = "#8fa9c2"
CLASSES = {"money": BRAND, "paid": ACT, "checkout": "#4c9bd6", "checking": WAIT, "new": PALE}
CURVE_POINTS = 80
FONT = "DejaVu Sans, Liberation Sans, Noto Sans, Arial, sans-serif"
_OPEN = re.compile(r"<svg [^>]*>")


class Words:
    """Texts of charts, in one language."""

    def __init__(self, language: str) -> None:
        self._language = language

    def __call__(self, name: str) -> str:
        """Return the text `assess.chart.<name>`."""
        return translate(f"assess.chart.{name}", self._language)

    def named(self, kind: str, name: str) -> str:
        """Return the display name of a name (of a step, a group, ...) in the data."""
        key = f"assess.{kind}.{name}"
        return translate(key, self._language) if key in catalogue() else name


def drawn(chart: Any, title: str) -> Markup:
    """Return a chart as an SVG element of a page."""
    styled = (
        chart.configure(font=FONT, background="white")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK, titleColor=INK, gridColor="#e3e9ee", domainColor="#6f7d8a",
            labelFontSize=11, titleFontSize=11, titleFontWeight="normal",
        )
        .configure_legend(
            orient="top", title=None, labelColor=INK, labelFontSize=11, symbolStrokeWidth=3,
        )
    )  # fmt: skip
    svg = vl_convert.vegalite_to_svg(styled.to_dict(validate=False))
    found = _OPEN.match(svg)
    assert found is not None, "vl-convert draws an SVG element"
    opened = re.sub(r'width="\d+" height="\d+"', 'role="img"', found[0])
    # Our own libraries draw the chart from numbers, with our own texts.
    return Markup(opened) + Markup("<title>{}</title>").format(title) + Markup(svg[found.end() :])  # noqa: S704


def _base(rows: Sequence[Mapping[str, Any]], height: int = HEIGHT) -> Any:
    return alt.Chart(cast("Any", {"values": list(rows)})).properties(width=WIDTH, height=height)


def flow(run: RunPart, words: Words) -> Markup:
    """Chart of visitors who arrived, finished and were lost, in each second of a run."""
    rows = [
        {"at": at, "value": value, "of": words(line.of)}
        for line in run.flow
        for at, value in line.points
    ]
    scale = alt.Scale(domain=[words(line.of) for line in run.flow], range=[PALE, GOOD, BAD])
    chart = _base(rows).mark_line(strokeWidth=2, interpolate="step-after")
    return drawn(
        chart.encode(
            x=alt.X("at:Q", title=words("seconds")),
            y=alt.Y("value:Q", title=words("visitors_a_second")),
            color=alt.Color("of:N", scale=scale),
        ),
        words("flow"),
    )


def goodput(lines: Sequence[Line], words: Words) -> Markup:
    """Chart of answers in time, by priority, over a run."""
    rows = [
        {"at": at, "value": value, "of": words.named("priority", line.of)}
        for line in lines
        for at, value in line.points
    ]
    names = [words.named("priority", line.of) for line in lines]
    colours = [CLASSES.get(line.of, INK) for line in lines]
    chart = _base(rows).mark_line(strokeWidth=2)
    return drawn(
        chart.encode(
            x=alt.X("at:Q", title=words("seconds")),
            y=alt.Y("value:Q", title=words("answers_a_second")),
            color=alt.Color("of:N", scale=alt.Scale(domain=names, range=colours)),
        ),
        words("goodput"),
    )


def funnel(journey: JourneyPart, words: Words) -> Markup:
    """Chart of visitors who began each step, and of those who finished it."""
    order = [words.named("step", step.name) for step in journey.steps]
    rows = []
    for step in journey.steps:
        name = words.named("step", step.name)
        rows.append({"step": name, "value": step.finished, "what": words("went_on"), "order": 0})
        rows.append({"step": name, "value": step.stopped, "what": words("stopped"), "order": 1})
    chart = _base(rows, max(90, 22 * len(order))).mark_bar()
    return drawn(
        chart.encode(
            x=alt.X("value:Q", title=words("visitors")),
            y=alt.Y("step:N", sort=order, title=None),
            order=alt.Order("order:Q"),
            color=alt.Color(
                "what:N",
                scale=alt.Scale(domain=[words("went_on"), words("stopped")], range=[ACT, BAD]),
            ),
        ),
        words("funnel"),
    )


def waits(journey: JourneyPart, words: Words) -> Markup:
    """Chart of the duration of each step (p50, p90 and p99)."""
    order = [words.named("step", step.name) for step in journey.steps]
    rows = [
        {
            "step": words.named("step", step.name),
            "low": step.p50_seconds,
            "high": step.longest_seconds if step.p99_seconds is None else step.p99_seconds,
        }
        for step in journey.steps
        if step.finished
    ]
    base = _base(rows, max(90, 22 * len(order))).encode(
        y=alt.Y("step:N", sort=order, title=None),
    )
    scale = alt.Scale(type="log")
    line = base.mark_rule(color=PALE, strokeWidth=6).encode(
        x=alt.X("low:Q", scale=scale, title=words("p50_to_p99")), x2="high:Q"
    )
    half = base.mark_point(color=BRAND, filled=True, size=60, opacity=1).encode(x=alt.X("low:Q"))
    most = base.mark_tick(color=BAD, thickness=3, size=14).encode(x=alt.X("high:Q"))
    return drawn(line + half + most, words("waits"))


def law(found: Scalability, words: Words) -> Markup:
    """Chart of the law of scalability and the measurements; beyond the measurements the line is dashed."""
    points = [{"load": load, "rate": rate} for load, rate in found.points]
    most = found.load_max
    if found.knee is not None:
        most = max(most, min(found.knee.mean * 1.2, found.load_max * 2))
    coefficients = (found.rate_alone.mean, found.sigma.mean, found.kappa.mean)
    curve = []
    for number in range(CURVE_POINTS + 1):
        load = max(most * number / CURVE_POINTS, 1e-6)
        where = "beyond" if load > found.load_max else "measured"
        curve.append({"load": load, "rate": throughput(load, *coefficients), "where": where})
    line = _base(curve).mark_line(color=BRAND).encode(
        x=alt.X("load:Q", title=words("under_way")),
        y=alt.Y("rate:Q", title=words("answers_a_second")),
        strokeDash=alt.StrokeDash(
            "where:N",
            scale=alt.Scale(domain=["measured", "beyond"], range=[[1, 0], [4, 4]]),
            legend=None,
        ),
    )  # fmt: skip
    dots = _base(points).mark_point(color=ACT, filled=True, size=50, opacity=1)
    chart = line + dots.encode(x="load:Q", y="rate:Q")
    if found.knee is not None and found.knee.mean <= most:
        rule = _base([{"load": found.knee.mean}]).mark_rule(color=BAD, strokeDash=[2, 3])
        chart = chart + rule.encode(x="load:Q")
    return drawn(chart, words("law"))


def processors(run: RunPart, words: Words) -> Markup:
    """Chart of cores in use at the highest load, by group of processes."""
    rows = [
        {"group": words.named("group", one.name), "value": one.busy_cores}
        for one in run.bottleneck.groups
    ]
    chart = _base(rows, max(70, 22 * len(rows))).mark_bar(color=ACT)
    bars = chart.encode(
        x=alt.X(
            "value:Q",
            title=words("cores"),
            axis=alt.Axis(tickCount=5),
            scale=alt.Scale(domainMax=run.cores),
        ),
        y=alt.Y("group:N", sort="-x", title=None),
    )
    return drawn(bars, words("processors"))


def line_waits(part: PlanPart, words: Words) -> Markup:
    """Chart of waits in the line, by rate of admission."""
    scenario = part.plan
    rows = []
    for one in part.plan.waits:
        for name in ("median", "p99"):
            interval = getattr(one, name)
            rows.append(
                {
                    "rate": one.rate,
                    "value": interval.mean / 60,
                    "of": words(name),
                }
            )
    lines = _base(rows).mark_line(point=True).encode(
        x=alt.X("rate:Q", title=words("admitted_a_second"), scale=alt.Scale(zero=False)),
        y=alt.Y("value:Q", title=words("minutes")),
        color=alt.Color(
            "of:N", scale=alt.Scale(domain=[words("median"), words("p99")], range=[ACT, BRAND])
        ),
    )  # fmt: skip
    chart = lines
    if scenario.safe_rate is not None:
        rule = _base([{"rate": scenario.safe_rate.low}]).mark_rule(color=BAD, strokeDash=[2, 3])
        chart = lines + rule.encode(x="rate:Q")
    return drawn(chart, words("line_waits"))


def swatch(light: str, title: str) -> Markup:
    """Traffic light, whose form differs as well as its colour, so that it is readable without colour."""
    forms = {
        "green": ("#0b6238", '<circle cx="8" cy="8" r="7"/>'),
        "amber": ("#b97a00", '<path d="M8 1 15 15H1z"/>'),
        "red": ("#a3121a", '<path d="M1 1h14v14H1z"/>'),
        "unknown": ("#6f7d8a", '<path d="M8 0 16 8 8 16 0 8z"/>'),
    }
    colour, form = forms[light]
    return Markup(
        '<svg class="light" viewBox="0 0 16 16" fill="{}" aria-hidden="true"><title>{}</title>{}</svg>'
    ).format(colour, title, Markup(form))  # noqa: S704
