"""A process deletes only from a store that its database alone claims, so copies and restores lose nothing."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from meterai.documents import Timeline
from meterai.documents.model import DeletionHeld, Hold
from meterai.kit.actor import Actor, ActorKind
from meterai.plumbing.objects import StoreDiffers
from meterai.stamping import StampingService
from tests.support.shop import Shop, open_shop
from tests.support.stamping_calls import buy, stamp, upload
from tests.support.store import delete_condemned, kept_objects, objects, sweep

LATER = timedelta(hours=2)  # longer than an upload may take to get its row
BUDI = Actor(ActorKind.OPERATOR, "budi")


def look(shop: Shop) -> Hold | None:
    shop.do(shop.container.of(Timeline).check_store())
    return shop.container.of(Timeline).held


def lost(shop: Shop, name: str) -> None:
    """Delete the row of an original from the database."""
    shop.do(shop.container.of(StampingService)._uploads.store(shop.account, upload(name)))


def confirm(shop: Shop) -> None:
    shop.do(shop.container.of(Timeline).confirm(actor=BUDI))


def uploaded(shop: Shop, name: str) -> None:
    """Upload another original."""
    buy(shop, 1)
    stamp(shop, name, name)


@contextmanager
def copied(shop: Shop, *, of_the_cluster: bool) -> Iterator[Shop]:
    """A copy of the database with the same folder: a restored dump, or a copy of the whole cluster."""
    url = shop.container.settings.process.database_url
    name = urlsplit(url).path.strip("/")
    shop.do(shop.container.database.close())
    maintenance = url.replace(f"/{name}?", "/postgres?")
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}_copy TEMPLATE {name}".encode())
    try:
        folder = shop.container.settings.process.directory
        with open_shop(url.replace(f"/{name}?", f"/{name}_copy?"), folder, is_new=False) as copy:
            if of_the_cluster:  # a copy of the cluster has the identity of the claim
                copy.arrange(
                    "UPDATE object_store SET database_oid = (SELECT oid FROM pg_database"
                    " WHERE datname = current_database())"
                )
            yield copy
    finally:
        with psycopg.connect(maintenance, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name}_copy WITH (FORCE)".encode())


@contextmanager
def reopened(shop: Shop) -> Iterator[Shop]:
    """The shop again, with new connections after its copy."""
    settings = shop.container.settings.process
    with open_shop(settings.database_url, settings.directory, is_new=False) as ours:
        ours.account, ours._payments = shop.account, shop._payments
        yield ours


@pytest.fixture
def shop(database_url: str, tmp_path: Path) -> Iterator[Shop]:
    """A shop with a marked and claimed folder, which has an original."""
    with open_shop(database_url, tmp_path) as opened:
        assert look(opened) is None
        uploaded(opened, "Surat")
        delete_condemned(opened, timedelta())
        yield opened


@pytest.mark.parametrize("of_the_cluster", [False, True])
def test_restored_copy_deletes_no_newer_object(shop: Shop, of_the_cluster: bool) -> None:
    with copied(shop, of_the_cluster=of_the_cluster) as copy:
        with reopened(shop) as ours:
            uploaded(ours, "Ijazah")
            delete_condemned(ours, timedelta())
        with pytest.raises(DeletionHeld):
            sweep(copy, LATER)
        with pytest.raises(DeletionHeld):
            delete_condemned(copy)
        assert look(copy) is (Hold.BEHIND if of_the_cluster else Hold.RESTORED)
        assert len(objects(copy)) == 2
        with reopened(shop) as ours:
            assert look(ours) is Hold.CONTESTED, "both write into one store"
            confirm(ours)
            assert look(ours) is None
            assert look(copy) is not None, "it waits for an operator of its own"
            assert look(ours) is None, "and says no more than once that it is there"
            confirm(copy)
            assert look(copy) is None
            assert look(ours) is Hold.BEHIND


def test_new_database_refuses_store_claimed_by_another(shop: Shop) -> None:
    shop.arrange("DELETE FROM object_store")
    with pytest.raises(StoreDiffers):
        look(shop)


def test_original_notices_deleting_copy_within_grace(shop: Shop) -> None:
    with (
        copied(shop, of_the_cluster=True) as copy,
        reopened(shop) as ours,
    ):
        uploaded(ours, "Ijazah")
        sweep(copy, LATER)
        delete_condemned(copy, LATER)
        assert len(objects(copy)) == 2, "it is condemned in the copy, and stays"
        assert len(kept_objects(copy)) == 1
        assert look(ours) is Hold.BEHIND
        with pytest.raises(DeletionHeld):
            delete_condemned(copy)
        assert look(copy) is Hold.CONTESTED
        confirm(copy)
        assert delete_condemned(copy, timedelta(hours=23)) == 1
        assert len(objects(copy)) == 2, "its grace period begins anew"


def restore_earlier(shop: Shop) -> None:
    """Upload another original, let more passes claim the store, and restore the database to the state before."""
    names = "claim, claim_before, claimed_at"
    [before] = shop.rows(f"SELECT {names} FROM object_store")
    lost(shop, "Ijazah")
    for _ in range(2):
        delete_condemned(shop, timedelta())
    shop.arrange(f"UPDATE object_store SET ({names}) = (%s, %s, %s)", *before.values())


def test_database_restored_to_earlier_point_deletes_nothing_until_confirmed(shop: Shop) -> None:
    restore_earlier(shop)
    with pytest.raises(DeletionHeld) as held:
        sweep(shop, LATER)
    assert held.value.reason is Hold.BEHIND
    with pytest.raises(DeletionHeld):
        delete_condemned(shop)
    assert len(objects(shop)) == 2
    confirm(shop)
    sweep(shop, LATER)
    assert len(kept_objects(shop)) == 1
    delete_condemned(shop, LATER)
    assert len(objects(shop)) == 2
    delete_condemned(shop)
    assert len(objects(shop)) == 1
    [told] = shop.rows(
        "SELECT actor, facts FROM audit_events WHERE action = 'object_store_confirmed'"
    )
    assert told["actor"] == "operator:budi"
    assert told["facts"]["held"] == "behind"


def test_store_without_claim_is_claimed_by_first_and_held_by_second(
    shop: Shop, tmp_path: Path
) -> None:
    shop.arrange(
        "UPDATE object_store SET claim = NULL, claim_before = NULL, system_identifier = NULL"
    )
    assert look(shop) is Hold.BEHIND, "a copy that was not upgraded yet"
    claim = next((tmp_path / "objects").rglob("store-claim"))
    claim.unlink()
    next((tmp_path / "objects").rglob("store-contested")).unlink()
    shop.arrange("UPDATE object_store SET hold = NULL, held_at = NULL")
    assert look(shop) is None
    delete_condemned(shop, timedelta())
    assert claim.exists()


def test_damaged_claim_holds_deletion(shop: Shop, tmp_path: Path) -> None:
    next((tmp_path / "objects").rglob("store-claim")).write_bytes(b"damaged")
    assert look(shop) is Hold.BEHIND


def test_unavailable_store_holds_deletion_only_temporarily(shop: Shop, tmp_path: Path) -> None:
    folder = tmp_path / "objects"
    shutil.move(folder, tmp_path / "away")
    with pytest.raises(Exception, match="does not have the id"):
        look(shop)
    shutil.move(tmp_path / "away", folder)
    assert look(shop) is None
