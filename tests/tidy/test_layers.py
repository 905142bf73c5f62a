"""The contracts of `pyproject.toml` hold, and name every room."""

import ast

from tests.tidy.sources import PACKAGE


def test_name_that_a_package_gives_is_not_overwritten_by_a_module_of_that_name() -> None:
    """An import of `a.b` sets `b` on `a`, and overwrites any other `b` there."""
    overwritten = {
        f"{package.parent.name}.{one.name}"
        for package in PACKAGE.rglob("__init__.py")
        for node in ast.parse(package.read_text()).body
        if isinstance(node, ast.ImportFrom) and node.module is not None
        for one in node.names
        if package.with_name(f"{one.name}.py").exists()
        and not f".{node.module}".endswith((f".{package.parent.name}", f".{one.name}"))
    }
    assert overwritten == set()
