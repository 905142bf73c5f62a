"""The SQL of the product as the tidy tests read it: function files, and strings in Python."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.tidy.sources import FUNCTIONS, PACKAGE, SOURCES, home_of

_QUOTED = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
# SQL is distinguished from prose by its capital letters.
_IS_SQL = re.compile(
    r"\b(SELECT|INSERT|UPDATE|DELETE|FROM|JOIN|WHERE|VALUES|EXISTS|UNION|RETURNING|TRUNCATE|LOCK TABLE)\b"
)
_BEFORE_TABLES = "FROM|JOIN|INTO|UPDATE|ONLY|TABLE|TRUNCATE|USING|LOCK|REFERENCES|SETOF|RETURNS"
_CALL = re.compile(r"(?<![\w.])(\w+)\s*\(")
_MADE = re.compile(r"CREATE OR REPLACE FUNCTION (\w+)")
_PUBLIC = re.compile(r"^-- Public: \S.*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sql:
    """One function of the database, or one string with SQL in Python.

    `where` is the function, or the file with the constant or function that holds the string. `home` is the room
    that wrote it. `text` is the SQL, with `{}` in place of values that Python inserts.
    """

    where: str
    home: str
    text: str

    @property
    def bare(self) -> str:
        """The SQL without comments and quoted texts."""
        return without_words(self.text)


def without_words(text: str) -> str:
    """SQL without its comments and without the content of its literals."""
    return _QUOTED.sub(lambda found: "''" if found[0].startswith("'") else " ", text)


def tables_in(bare: str, tables: frozenset[str], columns: frozenset[str]) -> set[str]:
    """Tables that SQL names, as a table or as the type of its rows.

    A word that is also a column of another table counts only at a place where a table or a type must stand.
    """
    named = {word for word in re.findall(r"(?<![\w.])(\w+)\b", bare) if word in tables}
    named |= {word for word in re.findall(r"\bpublic\.(\w+)", bare) if word in tables}
    return {word for word in named if word not in columns or _stands_as_table(word, bare)}


def _stands_as_table(word: str, bare: str) -> bool:
    braced = rf"\{{?(?<![\w.]){word}\b(?:@\w+)?[*?]?\}}?"
    end = r"(?:;|:=|,|\)|DEFAULT\b)"
    places = (
        rf"\b(?:{_BEFORE_TABLES})\s+(?:public\.)?{braced}",
        rf",\s*{braced}\s+(?:AS\s+)?[a-z]\w*\s*(?:,|;|\)|WHERE\b|JOIN\b|ON\b|$)",  # FROM a, b
        rf"\b(?!(?:AS|DISTINCT)\b)\w+\s+{word}\s*(?:\[\]\s*)?{end}",  # a declaration
        rf"(?<![\w.]){word}(?:\.\w+)?%(?:ROW)?TYPE\b",
        rf"(?<![\w.]){word}\.\w",
        rf"::\s*{word}\b",
        rf"\{{{word}(?:@\w+)?[*?]?\}}",
    )
    return any(re.search(place, bare) for place in places)


def calls_in(bare: str, functions: frozenset[str]) -> set[str]:
    """Functions of ours that SQL calls."""
    text = _MADE.sub(" ", bare).replace("public.", "")
    return {found[1] for found in _CALL.finditer(text)} & functions


def is_public(text: str) -> bool:
    """Return True if the head of a function's file names the users of the function outside its room."""
    return bool(_PUBLIC.search(text.partition("CREATE OR REPLACE FUNCTION")[0]))


def function_files() -> Iterator[Sql]:
    """Every function of the database."""
    for path in FUNCTIONS:
        yield Sql(path.stem, home_of(path), path.read_text())


def _written(node: ast.AST) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            texts = [part.value if isinstance(part, ast.Constant) else "{}" for part in parts]
            return "".join(str(text) for text in texts)
        case _:
            return None


def strings_of(path: Path, tree: ast.Module) -> Iterator[Sql]:
    """SQL in the strings of a file, without docstrings."""
    home, file = home_of(path), str(path.relative_to(PACKAGE))

    def below(node: ast.AST, name: str) -> Iterator[Sql]:
        match node:
            case ast.Expr(value=ast.Constant()):
                return
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                name = node.name
            case (
                ast.Assign(targets=[ast.Name(id=target)])
                | ast.AnnAssign(target=ast.Name(id=target))
            ):
                name = target if name == "" else name
            case _:
                pass  # has no name of its own
        text = _written(node)
        if text is not None:
            if _IS_SQL.search(text):
                yield Sql(f"{file}:{name}", home, text)
            return
        for child in ast.iter_child_nodes(node):
            yield from below(child, name)

    yield from below(tree, "")


# These files build SQL for all tables that rooms register.
_OF_ALL_TABLES = {f"audit/{one}.py" for one in ("history", "points", "quiet_harm", "scopes")}


def python_strings() -> Iterator[Sql]:
    """SQL in Python, of every room and of plumbing, except for audit files that concern all tables."""
    for path, tree in SOURCES:
        if path.relative_to(PACKAGE).as_posix() in _OF_ALL_TABLES:
            continue
        yield from strings_of(path, tree)


def everything() -> list[Sql]:
    """All SQL to which the rules of walls apply."""
    return [*function_files(), *python_strings()]
