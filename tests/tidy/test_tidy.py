"""The house rules that no off-the-shelf linter knows.

Each rule is a short function that yields complaints. A complaint names the place and the alternative. To relax
a rule, change the rule, not the code around it.
"""

import ast
import re
from collections.abc import Callable, Iterator
from importlib import import_module

import pytest

from tests.tidy.sources import (
    MIGRATIONS,
    NOT_ROOMS,
    ROOMS,
    ROOT,
    SOURCES,
    home_of,
    imports,
    our_files,
)

BUILDERS_MAY_ENTER = {"room", "invariants"}  # apps combines these


def rooms_are_entered_by_the_front_door() -> Iterator[str]:
    for path, tree in SOURCES:
        home = home_of(path)
        for line, target in imports(tree):
            match target.split("."):
                case ["meterai", room, name, *rest] if room in ROOMS - {home}:
                    if name == "events" or (home == "apps" and name in BUILDERS_MAY_ENTER):
                        continue
                    if rest or name not in import_module(f"meterai.{room}").__all__:
                        yield f"{path}:{line}: use what meterai.{room} exports, not {target}"


def only_the_edge_commits() -> Iterator[str]:
    for path, tree in SOURCES:
        if home_of(path) in NOT_ROOMS:
            continue
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Attribute(attr="commit" | "rollback")):
                    yield f"{path}:{node.lineno}: the request or job commits; a room never does"
                case ast.Constant(value=str(text)) if re.match(
                    r"\s*(COMMIT|ROLLBACK|BEGIN)\b", text
                ):
                    yield f"{path}:{node.lineno}: the request or job commits; a room never does"
                case _:
                    continue


def migrations_cannot_hold_the_database_hostage() -> Iterator[str]:
    for path in MIGRATIONS:
        first = next(
            line for line in path.read_text().splitlines() if line and not line.startswith("--")
        )
        if not first.startswith("SET LOCAL"):
            yield f"{path}: set the time-outs before the first statement"
        for setting in ("lock_timeout", "statement_timeout"):
            if f"SET LOCAL {setting}" not in path.read_text():
                yield f"{path}: set {setting} before the first statement"


def files_name_no_machine() -> Iterator[str]:
    # Written in pieces, so that this file does not match itself.
    homes = "|".join(("ho" + "me", "Us" + "ers", "ro" + "ot", "wo" + "rk"))
    place = re.compile(rf"(?<![\w.:~}}-])/(?:{homes})/\w+")
    registry = re.compile(
        "|".join(
            (
                "files\\.python" + "hosted",
                "(?:^|[^-\\w])--(?:extra-)?index-" + "url[ =]\\S",
                "\\bindex-" + "url\\s*=",
                "arti" + "factory",
                "registry\\.npm" + "js",
                "://pypi\\." + "org/simple",
            )
        )
    )
    for path in our_files():
        try:
            lines = path.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, start=1):
            if place.search(line) or registry.search(line):
                yield f"{path}:{number}: names a place on one machine, or a registry: {line.strip()}"


def locks_hold_no_address() -> Iterator[str]:
    for path in sorted(ROOT.glob("requirements*.lock")):
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if "://" in line:
                yield f"{path.name}:{number}: {line}"


def class_names_are_unique() -> Iterator[str]:
    first: dict[str, str] = {}
    for path, tree in SOURCES:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                here = f"{path}:{node.lineno}"
                if (other := first.setdefault(node.name, here)) != here:
                    yield f"{here}: {other} has a class {node.name}; say whose this is"


RULES: list[Callable[[], Iterator[str]]] = [
    rooms_are_entered_by_the_front_door,
    only_the_edge_commits,
    migrations_cannot_hold_the_database_hostage,
    files_name_no_machine,
    locks_hold_no_address,
    class_names_are_unique,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_house_rule_holds(rule: Callable[[], Iterator[str]]) -> None:
    complaints = list(rule())
    assert not complaints, "\n".join(complaints)
