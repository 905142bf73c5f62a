"""Only the store of a room sees rows of PostgreSQL; all other code has values of the model."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.sources import PACKAGE, ROOMS, SOURCES, home_of

# Methods of a transaction and of a database that return rows or a column.
_ROWS = {"one", "all", "value", "call_all", "read"}
_HAVE_ROW = {"meterai.plumbing.db.database", "meterai.plumbing.db.transactions"}


def rows_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, method) of every place that reads rows of PostgreSQL."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), names=names) if module in _HAVE_ROW:
                if any(one.name == "Row" for one in names):
                    yield node.lineno, "imports Row"
            case ast.Call(func=ast.Attribute(value=ast.Name(id="tx"), attr=name)) if name in _ROWS:
                yield node.lineno, f"asks tx.{name}()"
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="_database"), attr=name)) if (
                name in _ROWS | {"call"}
            ):
                yield node.lineno, f"asks database.{name}()"
            case ast.Subscript(value=ast.Name(id="row"), slice=ast.Constant(value=str(column))):
                yield node.lineno, f"indexes row[{column!r}]"
            case _:
                pass


def outside_stores() -> Iterator[tuple[str, ast.Module]]:
    for path, tree in SOURCES:
        # An invariant or another check of the audit shows the rows that it found.
        shows = (
            path.name == "invariants.py"
            or path.name.endswith("_check.py")
            or home_of(path) == "audit"
        )
        if home_of(path) in ROOMS and path.name != "store.py" and not shows:
            yield str(path.relative_to(PACKAGE)), tree


def test_rows_are_read_only_in_stores() -> None:
    wrong = [
        f"{file}:{line}: {what}" for file, tree in outside_stores() for line, what in rows_in(tree)
    ]
    assert not wrong, "\n".join(wrong)


def test_rooms_do_not_open_transactions_themselves() -> None:
    """A command is given a transaction, which `Database.run` or `run_row` opens and repeats if it was broken off."""
    wrong = [
        f"{file}:{node.lineno}"
        for file, tree in outside_stores()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "transaction"
    ]
    assert not wrong, "\n".join(wrong)


def test_store_functions_return_no_rows() -> None:
    wrong = []
    for path, tree in SOURCES:
        file = str(path.relative_to(PACKAGE))
        if Path(file).name != "store.py":
            continue
        wrong += [
            f"{file}:{node.lineno}: {node.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
            and node.returns is not None
            and any(
                isinstance(one, ast.Name) and one.id in {"Row", "Any", "dict"}
                for one in ast.walk(node.returns)
            )
        ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "planted",
    [
        "from meterai.plumbing.db.database import Row, Tx",
        "async def due(tx):\n    return await tx.all(store.DUE)",
        "class A:\n    async def f(self):\n        return await self._database.call(store.X)",
        "def shown(row):\n    return row['order_id']",
    ],
)
def test_planted_row_is_found(planted: str) -> None:
    assert list(rows_in(ast.parse(planted)))
