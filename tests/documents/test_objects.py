"""The object store: writes are atomic, lists are ordered, and an object written since is not deleted."""

import asyncio
import os
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from meterai.plumbing.objects import ObjectStore, ObjectUnreadable, Stored

Answer = TypeVar("Answer")
KEY = b"k" * 32
LONG_AGO = timedelta(days=1)
NAMES = some.text("ab01-", min_size=3, max_size=6)


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path, KEY)


def do(work: Coroutine[Any, Any, Answer]) -> Answer:
    return asyncio.run(work)


def now() -> datetime:
    return datetime.now(UTC)


def file_of(store: ObjectStore, name: str) -> Path:
    return Path(store.place) / name[:2] / name


def grow_old(path: Path) -> None:
    then = (now() - LONG_AGO).timestamp()
    os.utime(path, (then, then))


def everything(store: ObjectStore, limit: int) -> list[Stored]:
    found: list[Stored] = []
    while page := do(store.list(found[-1].name if found else "", limit)):
        assert len(page) <= limit
        found += page
    return found


@given(some.sets(NAMES, max_size=12), some.integers(1, 5))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_object_is_listed_once_in_order(
    tmp_path_factory: pytest.TempPathFactory, names: set[str], limit: int
) -> None:
    store = ObjectStore(tmp_path_factory.mktemp("objects"), KEY)
    for name in names:
        store.put_from_thread(name, name.encode())
    found = everything(store, limit)
    assert [one.name for one in found] == sorted(names)
    assert all(abs(one.written_at - now()) < timedelta(minutes=5) for one in found)


def test_old_object_is_removed_unless_written_since(store: ObjectStore) -> None:
    do(store.put("object", b"first"))
    grow_old(file_of(store, "object"))
    limit = now() - LONG_AGO / 2
    do(store.put("object", b"second"))
    assert not do(store.remove("object", limit))
    assert do(store.get("object")) == b"second"
    grow_old(file_of(store, "object"))
    assert do(store.remove("object", limit))
    assert do(store.get("object")) is None
    assert list(file_of(store, "object").parent.iterdir()) == []


def test_new_object_is_put_once(store: ObjectStore) -> None:
    assert do(store.put_new("object", b"first"))
    assert not do(store.put_new("object", b"second"))
    assert do(store.get("object")) == b"first"
    assert [path.name for path in file_of(store, "object").parent.iterdir()] == ["object"]


@pytest.mark.parametrize("content", [b"", b"x", b"y" * 200])
def test_damaged_object_is_reported_and_not_returned(store: ObjectStore, content: bytes) -> None:
    do(store.put("object", b"content"))
    file_of(store, "object").write_bytes(content)
    with pytest.raises(ObjectUnreadable):
        do(store.get("object"))


def test_two_objects_cannot_be_swapped(store: ObjectStore) -> None:
    do(store.put("one-object", b"one"))
    do(store.put("on-other", b"other"))
    file_of(store, "one-object").write_bytes(file_of(store, "on-other").read_bytes())
    with pytest.raises(ObjectUnreadable):
        do(store.get("one-object"))
