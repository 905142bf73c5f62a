"""Files of a fixed name in the folders of rooms: `tests/<room>/<name>.py`.

A new room writes its own file, which is found without a list of rooms (docs/adding.md).
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from meterai.apps.rooms import ROOMS

_TESTS = Path(__file__).parents[1]
_ORDER = {room.name: place for place, room in enumerate(ROOMS)}


def modules(name: str) -> Sequence[ModuleType]:
    """The modules of this name: first from folders that belong to no room, then from rooms, lowest first."""
    folders = sorted(
        (path.parent.name for path in _TESTS.glob(f"*/{name}.py") if path.parent.name != "support"),
        key=lambda folder: (_ORDER.get(folder, -1), folder),
    )
    return [import_module(f"tests.{folder}.{name}") for folder in folders]


def together(name: str, mapping: str) -> dict[str, Any]:
    """The `mapping` of all modules of this name, merged. A key that occurs twice is an error."""
    found: dict[str, Any] = {}
    for module in modules(name):
        more = getattr(module, mapping, {})
        assert not found.keys() & more.keys(), f"{module.__name__} says what another says"
        found |= more
    return found
