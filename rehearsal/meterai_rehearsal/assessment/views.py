"""Figures and texts of an assessment for a page, each with its place in the data.

A `View` is a part of the data with its path. The page contains `<data value="..." title="path">`: the value in the data,
and the text for people. A test reads the page and looks up every figure.
"""

from collections.abc import Iterator, Mapping
from math import floor, log10
from typing import Any

from babel.numbers import format_decimal
from markupsafe import Markup, escape

from meterai.kit.money import Rupiah
from meterai.plumbing.messages import catalogue, format_datetime, translate
from meterai_rehearsal.assessment.model import Assessment

MINUTE, HOUR = 60.0, 3_600.0
DIGITS_MAX = 8  # after the decimal point
# Units of fields of a plan and of a law, whose names do not end in one.
UNITS = {
    **dict.fromkeys(("median", "p90", "p99", "longest", "inside_p99"), "seconds"),
    **dict.fromkeys(("wait_median", "wait_p99", "wait_longest", "wall_seconds"), "seconds"),
    **dict.fromkeys(("measured_p50", "measured_p95", "predicted_p50", "predicted_p95"), "seconds"),
    **dict.fromkeys(("utilization", "longer", "left"), "share"),
    **dict.fromkeys(("peak", "rate_alone"), "rate"),
}


def number(value: float, digits: int, language: str) -> str:
    """Format as 1.234,5 or 1,234.5, with at most `digits` digits after the decimal point."""
    return format_decimal(round(value, digits), format=f"#,##0.{'#' * digits}", locale=language)


def significant(value: float, language: str) -> str:
    """Format with three significant digits, from a hundred on as a whole number."""
    if value == 0 or abs(value) >= 100:
        return number(value, 0, language)
    return number(value, min(2 - floor(log10(abs(value))), DIGITS_MAX), language)


def duration(seconds: float, language: str) -> str:
    """Format as milliseconds, seconds, minutes or hours."""
    if abs(seconds) < 1:
        return f"{number(seconds * 1_000, 0 if seconds >= 0.01 else 1, language)} ms"
    if seconds < 2 * MINUTE:
        unit = translate("assess.unit.seconds", language)
        return f"{number(seconds, 1 if seconds < 10 else 0, language)} {unit}"
    if seconds < 2 * HOUR:
        unit = translate("assess.unit.minutes", language)
        return f"{number(seconds / MINUTE, 1 if seconds < 10 * MINUTE else 0, language)} {unit}"
    return f"{number(seconds / HOUR, 1, language)} {translate('assess.unit.hours', language)}"


def size(count: float, language: str) -> str:
    """Format bytes in kB, MB or GB (of a thousand each)."""
    for power, unit in ((9, "GB"), (6, "MB"), (3, "kB")):
        if count >= 10**power:
            return f"{significant(count / 10**power, language)} {unit}"
    return f"{number(count, 0, language)} B"


def shown(name: str, value: float, language: str) -> str:
    """Format a figure by the unit at the end of its name (`model.py`)."""
    if name == "rate_per_second":
        return f"{value:g}"  # in the form of the settings, so that a person can copy it
    unit = name if isinstance(value, int) else UNITS.get(name, name)
    match unit.rsplit("_", 1)[-1]:
        case "seconds":
            return duration(value, language)
        case "share":
            return f"{number(value * 100, 1, language)}%"
        case "rate" | "second":  # `capacity_per_second`
            return f"{significant(value, language)}/{translate('assess.unit.second', language)}"
        case "hours":
            return f"{number(value, 1, language)} {translate('assess.unit.hours', language)}"
        case "bytes":
            return size(value, language)
        case "ms":
            return f"{significant(value, language)} ms"
        case "rupiah":
            return str(Rupiah(int(value)))
        case _ if isinstance(value, int):
            return number(value, 0, language)
        case _:
            return significant(value, language)


class Figure:
    """One number in the page; its shown value decides between singular and plural of a word."""

    def __init__(self, name: str, value: float, path: str, language: str) -> None:
        self.value = value
        self._path = path
        self._text = shown(name, value, language)

    def __str__(self) -> str:
        return self._text

    def __format__(self, _spec: str) -> str:
        return self.__html__()

    def __html__(self) -> str:
        return Markup('<data value="{}" title="{}">{}</data>').format(
            repr(self.value), self._path, self._text
        )


class View:
    """Part of the assessment, for templates. A field or item is a `View` again if it has parts, a number is a
    `Figure`, and a text is `Quoted`.
    """

    def __init__(self, inner: Any, path: str, language: str) -> None:
        self._inner, self._path, self._language = inner, path, language

    def __getattr__(self, name: str) -> Any:
        inner = self._inner
        if isinstance(inner, Mapping):
            return self._part(inner[name], name) if name in inner else None
        if name not in inner.__struct_fields__:
            raise AttributeError(name)
        return self._part(getattr(inner, name), name)

    def __getitem__(self, key: int | str) -> Any:
        return self._part(self._inner[key], str(key))

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self._inner)))

    def __len__(self) -> int:
        return len(self._inner)

    def __bool__(self) -> bool:
        return True

    def items(self) -> Iterator[tuple[str, Any]]:
        """Yield each key of a mapping, unchanged, with the view of its value."""
        return ((key, self[key]) for key in self._inner)

    @property
    def raw(self) -> Any:
        """The part of the data itself, for decisions in templates."""
        return self._inner

    def _part(self, value: Any, name: str) -> Any:
        path = f"{self._path}.{name}" if self._path else name
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return Figure(self._unit(name), value, path, self._language)
        if isinstance(value, str):
            return Quoted(value, path)
        if hasattr(value, "astimezone"):
            return Quoted(format_datetime(value, self._language), path)
        return View(value, path, self._language)

    def _unit(self, name: str) -> str:
        """Return the name that contains the unit of a number: its own name, or for an interval or list item the name of the
        part.
        """
        if {"inside_p99", "bounds"} & set(self._path.split(".")):
            return "inside_p99"
        if self._path.endswith(".cost_ms"):
            return "cost_ms"
        if name in ("mean", "low", "high") or name.isdigit():
            return self._path.rsplit(".", 1)[-1]
        return name


class Quoted:
    """Texts of the data, unchanged."""

    def __init__(self, text: str, path: str) -> None:
        self._text, self._path = text, path

    def __str__(self) -> str:
        return self._text

    def __format__(self, _spec: str) -> str:
        return self.__html__()

    def __bool__(self) -> bool:
        return bool(self._text)

    def __html__(self) -> str:
        return Markup('<span data-from="{}">{}</span>').format(self._path, self._text)


def view_of(assessment: Assessment, language: str) -> View:
    """Return the view of the whole assessment."""
    return View(assessment, "", language)


def named(kind: str, part: Quoted, language: str) -> Markup:
    """Return the display name `assess.<kind>.<name>` of the catalogue, or the name itself if there is none."""
    key = f"assess.{kind}.{part!s}"
    if key in catalogue():
        return escape(translate(key, language))
    return escape(part)


def say(key: str, language: str, /, **facts: object) -> Markup:
    """Return a sentence of the catalogue, filled with figures and marked texts."""
    safe = {
        name: fact if isinstance(fact, Figure | Markup) else escape(fact)
        for name, fact in facts.items()
    }
    # Sentences of the catalogue contain no markup; figures are already marked up.
    return Markup(translate(f"assess.{key}", language, **safe))  # noqa: S704


def sentence(said: View, language: str) -> Markup:
    """Return the answer to a question."""
    words = {
        kind: Markup(", ").join(named(kind, one, language) for one in parts)
        for kind, parts in said.words.items()
    }
    return say(
        f"{said.raw.question}.{said.raw.answer}", language, **dict(said.figures.items()), **words
    )
