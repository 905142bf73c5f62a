"""The report as an HTML file, and as a PDF made from the same source. Neither file loads anything from outside."""

from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from weasyprint import HTML

from meterai.plumbing.messages import translate
from meterai_rehearsal.assessment import charts
from meterai_rehearsal.assessment.model import Assessment
from meterai_rehearsal.assessment.views import View, named, say, sentence, view_of

PARTS = (
    *("question", "demand", "distribution", "capacity", "reliability"),
    *("promises", "admission", "cost", "live", "limits", "redo", "data"),
)
HTML_NAME, PDF_NAME = "assessment.html", "assessment.pdf"
_HOME = resources.files("meterai_rehearsal.assessment")


class Fetched(Exception):
    """The report requested an outside resource: a fault of its template."""


def html_of(assessment: Assessment, language: str) -> str:
    """Return the report. The same assessment in the same language gives the same text."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    template = environment.from_string((_HOME / "report.html").read_text())
    view = view_of(assessment, language)
    words = charts.Words(language)
    return template.render(
        a=view,
        lang=language,
        css=_read_markup("report.css"),
        t=lambda key: translate(f"assess.{key}", language),
        say=lambda key, /, **facts: say(key, language, **facts),
        sentence=partial(sentence, language=language),
        named=lambda kind, name: named(kind, name, language),
        listed=lambda kind, parts: Markup(", ").join(named(kind, one, language) for one in parts),
        pairs=_pairs,
        said=lambda key: translate(key, language),
        listed_bounds=partial(_bounds, language=language),
        swatch=charts.swatch,
        chart=charts,
        words=words,
        parts=PARTS,
        files=_files(view),
        data=_data(assessment),
    )


def write(assessment: Assessment, language: str, folder: Path) -> tuple[Path, Path]:
    """Write both files into the folder, which is made if missing. Return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    text = html_of(assessment, language)
    page, paper = folder / HTML_NAME, folder / PDF_NAME
    page.write_text(text, encoding="utf-8")
    HTML(string=text, url_fetcher=_refuse).write_pdf(paper, pdf_variant="pdf/ua-1")
    return page, paper


def _refuse(url: str, *_: Any, **__: Any) -> Any:
    raise Fetched(url)


def _read_markup(name: str) -> Markup:
    return Markup((_HOME / name).read_text())  # noqa: S704 - our own file


def _data(assessment: Assessment) -> Markup:
    """Return the assessment as JSON, escaped so that it cannot close the HTML element around it."""
    text = msgspec.json.encode(assessment).decode()
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c"))  # noqa: S704


def _pairs(rows: View) -> Markup:
    return Markup(", ").join(Markup("{} {}").format(row[0], row[1]) for row in rows)


def _bounds(bounds: View, language: str) -> Markup:
    named_in = charts.Words(language).named
    return Markup(", ").join(
        Markup("{} {}").format(named_in("priority", name), bound) for name, bound in bounds.items()
    )


def _files(view: View) -> list[View]:
    plan = [] if view.plan is None else [view.plan.file]
    return [*(run.file for run in view.runs), *plan]
