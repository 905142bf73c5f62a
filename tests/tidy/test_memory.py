"""Every cache of function results has a bound."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.sources import SOURCES

KEPT_MAX = 100_000  # entries of one cache; more belong into a table of the database


def name_of(node: ast.AST) -> str:
    """`cache` for `cache`, `functools.cache` and `cache(...)`."""
    match node:
        case ast.Call(func=inner):
            return name_of(inner)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def limit_of(decorator: ast.expr, tree: ast.Module) -> int | None:
    """Maximum number of entries of an `lru_cache`; None for no bound, or for one that cannot be computed."""
    if not isinstance(decorator, ast.Call):
        return 128
    given = [
        *decorator.args[:1],
        *(word.value for word in decorator.keywords if word.arg == "maxsize"),
    ]
    match given:
        case []:
            return 128
        case [ast.Constant(value=int(size))]:
            return size
        case [ast.Name(id=name)]:
            for node in tree.body:
                match node:
                    case ast.Assign(
                        targets=[ast.Name(id=found)], value=ast.Constant(value=int(size))
                    ):
                        if found == name:
                            return size
                    case _:
                        continue
        case _:
            return None
    return None


def unbounded_caches(path: Path, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        arguments = node.args
        has_parameters = bool(
            [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            or arguments.vararg
            or arguments.kwarg
        )
        for decorator in node.decorator_list:
            where = f"{path}:{decorator.lineno}: {node.name}"
            match name_of(decorator):
                case "cache" if has_parameters:
                    yield f"{where} keeps every answer it ever gave: use lru_cache with a bound"
                case "lru_cache":
                    size = limit_of(decorator, tree)
                    if size is None or size > KEPT_MAX:
                        yield f"{where} needs a bound of at most {KEPT_MAX}"
                case _:
                    continue


def test_every_cache_is_bounded() -> None:
    found = [line for path, tree in SOURCES for line in unbounded_caches(path, tree)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "@cache\ndef f(a): ...",
        "@functools.cache\ndef f(*, a): ...",
        "@lru_cache(None)\ndef f(): ...",
        "@lru_cache(maxsize=None)\ndef f(a): ...",
        "SIZE = 10**9\n@lru_cache(SIZE)\ndef f(a): ...",
        "@lru_cache(size())\ndef f(a): ...",
    ],
)
def test_unbounded_cache_is_found(text: str) -> None:
    assert list(unbounded_caches(Path("x.py"), ast.parse(text)))
