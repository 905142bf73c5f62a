"""The contracts of `pyproject.toml` hold, and name every room."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.tidy.sources import PACKAGE, ROOMS, ROOT

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]


def test_import_contracts_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_has_declared_layers() -> None:
    # `exhaustive` demands the level of a new room; this test demands its inner layers.
    shaped = {
        container.split(".")[1]
        for contract in CONTRACTS
        if contract["type"] == "layers"
        for container in contract["containers"]
        if container.startswith("meterai.")
    } - {"plumbing"}
    assert shaped == ROOMS


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
