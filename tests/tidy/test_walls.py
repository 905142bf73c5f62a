"""Code outside the rooms names nothing that belongs to one: tables, settings, events, metrics, services,
modules.

Exceptions that must span rooms are listed here with a reason.
"""

import ast
import re
from collections.abc import Iterator, Mapping

from meterai.apps.rooms import ROOMS
from meterai.plumbing.work.events import name_of_event
from tests.tidy.sources import PACKAGE, SOURCES, home_of, imports

SPANNING: Mapping[str, str] = {
    "apps/rooms.py": "the one list of rooms",
    "apps/web.py": "whoever serves asks each request who it is from, and one guard what they may: accounts",
    "apps/openapi.py": "the same guard says which routes are public",
    "apps/commands/run.py": "the web holds its port as an installation does",
    "apps/production.py": "ports of stand-ins tell a data directory of development",
}

TABLES = {table for room in ROOMS for table in room.owned_tables}
SETTINGS = {name for room in ROOMS if room.settings for name in room.settings.__struct_fields__}
EVENTS = {one.event for room in ROOMS for one in room.handlers} | {
    event for room in ROOMS for event in room.unheard
}
NAMES = {
    **dict.fromkeys(SETTINGS, "a setting"),
    **dict.fromkeys((name_of_event(event) for event in EVENTS), "an event"),
    **{event.__name__: "an event" for event in EVENTS},
    **{metric.name: "a metric" for room in ROOMS for metric in room.metrics},
    **{kind.__name__: "a service" for room in ROOMS for kind in room.services.values()},
}
ROOM_NAMES = {room.name for room in ROOMS} | {"sealing"}
_SQL = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(?:ONLY\s+)?(\w+)")


def _said(node: ast.AST) -> str | None:
    match node:
        case ast.Constant(value=str(text)) | ast.Name(id=text) | ast.Attribute(attr=text):
            return text
        case ast.keyword(arg=str(text)):
            return text
        case _:
            return None


def _docstrings(tree: ast.Module) -> set[int]:
    """Ids of docstrings in the syntax tree."""
    return {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }


def named(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """(line, kind, name) of every name in a module that belongs to a room."""
    for line, target in imports(tree):
        parts = target.split(".")
        if len(parts) > 1 and parts[0] == "meterai" and parts[1] in ROOM_NAMES:
            yield line, "a module", target
    explaining = _docstrings(tree)
    for node in ast.walk(tree):
        text = None if id(node) in explaining else _said(node)
        if text is None:
            continue
        line = getattr(node, "lineno", 0)
        if text in NAMES:
            yield line, NAMES[text], text
        if isinstance(node, ast.Constant):
            found = {text, *_SQL.findall(text)} & TABLES
            yield from ((line, "a table", table) for table in sorted(found))


def test_apps_and_plumbing_name_nothing_of_a_room() -> None:
    wrong: dict[str, list[str]] = {}
    for path, tree in SOURCES:
        if home_of(path) in ROOM_NAMES | {"kit", "__init__.py", "__main__.py"}:
            continue
        place = path.relative_to(PACKAGE).as_posix()
        for line, what, name in named(tree):
            wrong.setdefault(place, []).append(f"{place}:{line}: {what}, {name}")
    left = [one for place, told in wrong.items() if place not in SPANNING for one in told]
    assert not left, "let the room register it:\n" + "\n".join(left)
    assert SPANNING.keys() <= wrong.keys(), "what names nothing needs no reason"
