"""Page of live numbers: plots of the last hour or day, drawn on the server, and the same numbers as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from litestar import get
from litestar.di import NamedDependency
from markupsafe import Markup

from meterai.accounts import Permission
from meterai.console.plots import PlotSeries, PlotSpan, PlottedSeries, drawn, svg
from meterai.console.samples import MINUTE, PRIORITIES, Samples
from meterai.kit.clock import WIB
from meterai.kit.priority import Priority
from meterai.pages import Page, PageRequest, page
from meterai.plumbing.http.language import language_of
from meterai.plumbing.messages import format_length, translate

RENEWED_SECONDS = 60  # the page reloads as often as samples are taken
ROWS = 12  # rows per table: the newest steps
# Length of a step and number of steps, by the value of the parameter `span`.
SPANS = {"hour": (MINUTE, 60), "day": (15 * MINUTE, 96)}
CHARTS: Mapping[str, Sequence[PlotSeries]] = {
    "arrivals": (PlotSeries("requests", grows=True), PlotSeries("line_sent", grows=True)),
    "line": (PlotSeries("line_waiting"), PlotSeries("line_admitted", grows=True)),
    "orders": (PlotSeries("orders_placed"), PlotSeries("orders_executed")),
    "execution": (PlotSeries("execution_median"), PlotSeries("execution_p95")),
    "goodput": tuple(PlotSeries(f"in_time_{one}", grows=True) for one in PRIORITIES),
    "refunds": (
        PlotSeries("refunds_begun"),
        PlotSeries("refunds_settled"),
        PlotSeries("refunds_open"),
    ),
    "mails": (PlotSeries("mails_sent"), PlotSeries("mails_waiting")),
    "jobs": (PlotSeries("jobs_failing"), PlotSeries("given_up_jobs"), PlotSeries("given_up_mails")),
}


@dataclass(frozen=True, slots=True)
class _Chart:
    """A plot for the page, with the names of its lines and the newest rows of its table."""

    name: str
    picture: Markup
    series: Sequence[str]
    rows: Sequence[tuple[datetime, str, Sequence[str]]]


@get(
    "/console/numbers",
    opt={"permission": Permission.CONSOLE_READ, "priority": Priority.PAID},
    include_in_schema=False,
)
async def show_numbers(request: PageRequest, samples: NamedDependency[Samples]) -> Page:
    """Show figures of the installation over the last hour or day."""
    asked = request.query_params.get("span", "")
    name = asked if asked in SPANS else "hour"
    step, steps = SPANS[name]
    span = PlotSpan(samples.until(), step, steps)
    # A counter needs the sample before the first minute, to compute the first difference.
    found = await samples.since(span.since - MINUTE)
    language = language_of(request)
    charts = [
        _chart(chart, [drawn(found, one, span) for one in series], span, language)
        for chart, series in CHARTS.items()
    ]
    return page(
        request,
        "console/numbers.html",
        charts=charts,
        span=name,
        spans=list(SPANS),
        renewed_seconds=RENEWED_SECONDS,
        is_empty=not found,
    )


def _chart(name: str, lines: Sequence[PlottedSeries], span: PlotSpan, language: str) -> _Chart:
    title = translate(f"numbers.{name}", language)
    told = [
        f"{translate(f'numbers.{one.name}', language)} {_shown(one.last, language)}"
        for one in lines
    ]
    newest = list(enumerate(span.ends()))[-ROWS:]
    return _Chart(
        name,
        svg(f"plot-{name}", title, translate("numbers.now", language, told=", ".join(told)), lines),
        [translate(f"numbers.{one.name}", language) for one in lines],
        [
            (at, _clock(at, language), [_shown(one.points[place], language) for one in lines])
            for place, at in reversed(newest)
        ],
    )


def _clock(at: datetime, language: str) -> str:
    return f"{at.astimezone(WIB):{'%H.%M' if language == 'id' else '%H:%M'}}"


def _shown(value: float | None, language: str) -> str:
    return "-" if value is None else format_length(round(value, 1), language)


routes = [show_numbers]
