"""Reader of reports: their text, their figures with paths, and their data."""

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

UNSEEN = frozenset({"script", "style", "svg"})
VOID_ELEMENTS = frozenset({"meta", "br"})


@dataclass
class Marked:
    """One figure or quotation: its text, its value, and its path."""

    text: str
    path: str
    value: str | None


@dataclass
class Report(HTMLParser):
    """Texts of a report, and its marked parts."""

    words: list[str] = field(default_factory=list)
    unmarked: list[str] = field(default_factory=list)
    marked: list[Marked] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    json_text: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._stack: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        self.addresses += [
            found[name] for name in ("src", "href", "data", "action") if name in found
        ]
        if tag == "data":
            self.marked.append(Marked("", found["title"], found["value"]))
        if tag == "span" and "data-from" in found:
            self.marked.append(Marked("", found["data-from"], None))
        if tag not in VOID_ELEMENTS:
            self._stack.append((tag, found))
        if tag in ("h1", "h2", "h3", "h4"):
            self.headings.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        return

    def handle_endtag(self, tag: str) -> None:
        while self._stack and self._stack.pop()[0] != tag:
            continue

    def handle_data(self, data: str) -> None:
        inside = [tag for tag, _ in self._stack]
        if "script" in inside:
            self.json_text += data
            return
        if "svg" in inside and inside[-1] == "title":
            self.titles.append(data)
        if not inside or UNSEEN & set(inside) or "head" in inside:
            return
        self.words.append(data)
        tag, attributes = self._stack[-1]
        if tag == "data" or "data-from" in attributes:
            self.marked[-1].text += data
        else:
            self.unmarked.append(data)

    @property
    def text(self) -> str:
        """All text for people, on one line."""
        return " ".join(" ".join(self.words).split())

    @property
    def data(self) -> Any:
        """The embedded data."""
        return json.loads(self.json_text)


def read_report(text: str) -> Report:
    """Read a report."""
    report = Report()
    report.feed(text)
    return report


def look_up(data: Any, path: str) -> Any:
    """Return the value at a path of the data: `runs.0.journeys.1.name`."""
    for name in path.split("."):
        data = data[int(name)] if isinstance(data, list) else data[name]
    return data


# Digits that are part of sentences of the catalogue.
CONSTANT = re.compile(r"p50|p90|p95|p99\.9|p99|95 %|99 dari 100|99 of 100|SHA-256|R²|\u03c3|\u03ba")


def digits_unmarked(report: Report) -> list[str]:
    """Return texts with digits that are neither a figure, nor a quotation, nor a constant of a sentence."""
    return [one for one in report.unmarked if re.search(r"[0-9]", CONSTANT.sub("", one))]
