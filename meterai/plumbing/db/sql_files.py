"""The SQL of this installation, as files: migrations and functions.

A room owns its SQL, in `meterai/<room>/sql/`:

    0001_name.sql             a migration: applied once, never changed, numbered within the room
    rights.toml               what the application may not change of its tables
    functions/<function>.sql  the current text of one function: applied again whenever it changes

`migrations/` contains what was applied before rooms had SQL of their own. It is complete, and applied first to a new
database; its functions have since been replaced by those of the rooms.
"""

from collections.abc import Iterator, Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeAlias

from meterai.plumbing.db import catalog
from meterai.plumbing.db.catalog import Description

FUNCTIONS = "functions"
RIGHTS = "rights.toml"
Homes: TypeAlias = Sequence[tuple[str, Traversable]]  # (name, folder) of rooms outside the package


def _baseline() -> Traversable:
    # In a checkout the folder is beside the package; in a wheel it is inside the package.
    beside = Path(__file__).parents[3] / "migrations"
    return beside if beside.is_dir() else resources.files("meterai") / "migrations"


def _sql_of(folder: Traversable) -> Iterator[Traversable]:
    if folder.is_dir():
        files = (file for file in folder.iterdir() if file.name.endswith(".sql"))
        yield from sorted(files, key=lambda file: file.name)


def _rooms(beside: Homes) -> Iterator[tuple[str, Traversable]]:
    ours = ((room.name, room) for room in resources.files("meterai").iterdir())
    yield from sorted((*ours, *beside), key=lambda home: home[0])


def migrations(beside: Homes = ()) -> Iterator[tuple[str, str]]:
    """Yield (name, SQL) of every migration, in order; the migrations of one room never depend on those of another room."""
    for file in _sql_of(_baseline()):
        yield file.name, file.read_text()
    for room, home in _rooms(beside):
        for file in _sql_of(home / "sql"):
            yield f"{room}/{file.name}", file.read_text()


def functions(beside: Homes = ()) -> Iterator[tuple[str, str]]:
    """Yield (name, SQL) of every function, in its current text."""
    for room, home in _rooms(beside):
        for file in _sql_of(home / "sql" / FUNCTIONS):
            yield f"{room}/{FUNCTIONS}/{file.name}", file.read_text()


def rights() -> Iterator[str]:
    """Yield the text of the `rights.toml` of each room."""
    for _, home in _rooms(()):
        file = home / "sql" / RIGHTS
        if file.is_file():
            yield file.read_text()


def described() -> Description:
    """Return the description of the schema that these SQL files create, from `schema.toml`."""
    return catalog.read((_baseline() / "schema.toml").read_text())
