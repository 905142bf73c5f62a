"""The house rules that no off-the-shelf linter knows.

Each rule is a short function that yields complaints. A complaint names the place and the alternative. To relax
a rule, change the rule, not the code around it.
"""

import ast
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import groupby

import pytest

from tests.tidy.sources import (
    BASELINE,
    FUNCTIONS,
    MIGRATIONS,
    NOT_ROOMS,
    PACKAGE,
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


def rooms_are_used_by_the_front_door() -> Iterator[str]:
    for path, tree in SOURCES:
        seen = {
            target.split(".")[1]
            for _, target in imports(tree)
            if target.count(".") == 1 and target.split(".")[1] in ROOMS - {home_of(path)}
        }
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(value=ast.Name(id=room), attr=name) if room in seen:
                    if name not in import_module(f"meterai.{room}").__all__:
                        yield f"{path}:{node.lineno}: meterai.{room} does not export {name}"


def nothing_leads_up_to_apps() -> Iterator[str]:
    for path, tree in SOURCES:
        if home_of(path) in {"apps", "__main__.py"}:
            continue
        for line, target in imports(tree):
            if target.startswith("meterai.apps"):
                yield f"{path}:{line}: only apps builds things"


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


def only_apps_print() -> Iterator[str]:
    for path, tree in SOURCES:
        if home_of(path) == "apps" or path == PACKAGE / "commands" / "options.py":
            continue
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Name(id="print")):
                    yield f"{path}:{node.lineno}: log it, or answer it"
                case _:
                    continue


def longer_statements_are_allowed_on_both_sides() -> Iterator[str]:
    for path, tree in SOURCES:
        for node in ast.walk(tree):
            match node:
                case ast.Constant(value=str(text)) if re.search(
                    r"SET (LOCAL )?statement_timeout", text
                ):
                    yield f"{path}:{node.lineno}: use tx.allow(seconds): we have a deadline too"
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


def migrations_are_numbered_without_gaps() -> Iterator[str]:
    for _, files in groupby(MIGRATIONS, key=lambda path: path.parent):
        for number, path in enumerate(files, start=1):
            if not path.name.startswith(f"{number:04}_"):
                yield f"{path}: expected number {number:04}"


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


def nothing_is_left_to_do() -> Iterator[str]:
    marks = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
    for path in our_files():
        if path.suffix in {".py", ".sql", ".css", ".js", ".html"} and marks.search(
            path.read_text()
        ):
            yield f"{path}: do it, or write it down in docs/"


def every_module_says_what_it_is() -> Iterator[str]:
    for path, tree in SOURCES:
        if not ast.get_docstring(tree):
            yield f"{path}: a module says what it promises"


def front_doors_say_what_they_export() -> Iterator[str]:
    for room in sorted(ROOMS):
        module = import_module(f"meterai.{room}")
        if sorted(module.__all__) != sorted(set(module.__all__)):
            yield f"meterai.{room}: a name is exported twice"
        for name in module.__all__:
            if not hasattr(module, name):
                yield f"meterai.{room} exports {name}, which it has not"
        tree = ast.parse((PACKAGE / room / "__init__.py").read_text())
        for _, target in imports(tree):
            if target.rsplit(".", 1)[-1] not in module.__all__:
                yield f"meterai.{room} imports {target} and does not export it"


def pauses_are_computed_in_one_place() -> Iterator[str]:
    # An unbounded power of the number of tries overflows some day.
    power = re.compile(r"\b2(?:\.0)?(?:::\w+(?: precision)?)?\s*(?:\*\*|\^)")
    homes = {
        PACKAGE / "kit" / "backoff.py",
        PACKAGE / "plumbing" / "sql" / "functions" / "backoff_seconds.sql",
        ROOT / "migrations" / "0012_payments.sql",
    }
    newer = [path for path in BASELINE if path.name > "0011"]  # earlier ones are released
    for path in [*(path for path, _ in SOURCES), *newer, *FUNCTIONS]:
        if path not in homes and power.search(path.read_text()):
            yield f"{path}: use kit.backoff.pause, or backoff_seconds in the database"


def facts_collide_with_no_parameter() -> Iterator[str]:
    for path, tree in SOURCES:
        for node in ast.walk(tree):
            match node:
                case (
                    ast.FunctionDef(args=found)
                    | ast.AsyncFunctionDef(args=found)
                    | ast.Lambda(args=found)
                ) if found.kwarg and found.kwarg.arg in {"facts", "named"}:
                    # A method may take `self` beside its named facts; `*arguments` belong to another function.
                    beside = {one.arg for one in found.args} - {"self"}
                    if beside and not isinstance(found.kwarg.annotation, ast.Attribute):
                        yield f"{path}:{node.lineno}: a fact may be named so; say `/` after {beside}"


def numbers_in_texts_are_read_in_one_place() -> Iterator[str]:
    # `isdigit` accepts texts on which `int` fails.
    homes = {
        PACKAGE / "kit" / "numbers.py",
        PACKAGE / "accounts" / "codes.py",  # digit by digit
    }
    for path, tree in SOURCES:
        if path in homes or home_of(path) == "sealing":  # PDF has a syntax of its own for numbers
            continue
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(attr="isdigit" | "isdecimal" | "isnumeric"):
                    yield f"{path}:{node.lineno}: use kit.numbers.counted, or pages.whole_number"
                case _:
                    continue


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
    rooms_are_used_by_the_front_door,
    nothing_leads_up_to_apps,
    only_the_edge_commits,
    only_apps_print,
    longer_statements_are_allowed_on_both_sides,
    migrations_cannot_hold_the_database_hostage,
    migrations_are_numbered_without_gaps,
    files_name_no_machine,
    locks_hold_no_address,
    nothing_is_left_to_do,
    every_module_says_what_it_is,
    front_doors_say_what_they_export,
    pauses_are_computed_in_one_place,
    facts_collide_with_no_parameter,
    numbers_in_texts_are_read_in_one_place,
    class_names_are_unique,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_house_rule_holds(rule: Callable[[], Iterator[str]]) -> None:
    complaints = list(rule())
    assert not complaints, "\n".join(complaints)
