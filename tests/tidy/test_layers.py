"""The contracts of `pyproject.toml` hold, and name every room."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_ROOMS = {"kit", "plumbing", "room", "apps"}
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]


def test_the_contracts_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_has_a_shape() -> None:
    # The level of a new room is asked for by `exhaustive`; its inner shape is asked for here.
    rooms = {path.parent.name for path in (ROOT / "meterai").glob("*/__init__.py")} - NOT_ROOMS
    shaped = {
        container.split(".")[1]
        for contract in CONTRACTS
        if contract["type"] == "layers"
        for container in contract["containers"]
        if container != "meterai"
    }
    assert shaped == rooms
