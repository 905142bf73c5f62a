"""The object store of a shop: its objects, and their deletion as time passes."""

from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from meterai.documents import OBJECTS_OF_STORE, Removal
from meterai.kit.clock import SystemClock
from tests.support.shop import Shop


class Ahead(SystemClock):
    """A clock that is ahead."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        return super().now() + self._by


def objects(shop: Shop) -> list[Path]:
    """Every file of the store, except for the store's own records."""
    folder = shop.container.settings.process.directory / "objects"
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path for path in found if path.name not in OBJECTS_OF_STORE]


def kept_objects(shop: Shop) -> list[Path]:
    """The objects of the store that are not condemned."""
    condemned = {row["name"] for row in shop.rows("SELECT name FROM condemned_objects")}
    return [path for path in objects(shop) if path.name not in condemned]


def sweep(shop: Shop, by: timedelta = timedelta()) -> int:
    """Sweep the whole store with a clock that is ahead by `by`. Return the number of portions that it took."""
    return _all(shop, Removal.sweep, by)


def delete_condemned(shop: Shop, by: timedelta = timedelta(days=2)) -> int:
    """Delete the objects that are due with a clock that is ahead by `by`."""
    return _all(shop, Removal.delete_condemned, by)


def _all(shop: Shop, task: Callable[[Removal], Coroutine[Any, Any, int]], by: timedelta) -> int:
    removal, pieces = shop.container.of(Removal), 1
    removal._clock = Ahead(by)
    while shop.do(task(removal)):
        pieces += 1
    removal._clock = SystemClock()
    return pieces
