"""Restore drill: an installation is backed up and continues, and its restored copy does no harm."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from meterai.documents import Timeline
from meterai.documents.model import DeletionHeld, Hold
from meterai.payments import SnapSettings
from meterai.plumbing.db.embedded import EmbeddedPostgres
from meterai.plumbing.db.migrations import migrate
from tests.support.commands import Done, run, run_here
from tests.support.shop import Paid, Shop, open_shop
from tests.support.stamping_calls import stamp
from tests.support.store import delete_condemned, kept_objects, objects, sweep

pytestmark = pytest.mark.sample(2, of="file")

LATER = timedelta(hours=2)  # longer than an upload may take to get its row


@contextmanager
def running(directory: Path) -> Iterator[str]:
    """Run the server of an installation, make our database if it is missing, and yield its URL."""
    server = EmbeddedPostgres(directory)
    try:
        url = server.start()
        with psycopg.connect(url, autocommit=True) as connection:
            if not connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = 'meterai'"
            ).fetchone():
                connection.execute("CREATE DATABASE meterai ENCODING 'UTF8' TEMPLATE template0")
        url = url.replace("/postgres?", "/meterai?")
        migrate(url)
        yield url
    finally:
        server.stop()


def look(shop: Shop) -> Hold | None:
    shop.do(shop.container.of(Timeline).check_store())
    return shop.container.of(Timeline).held


def stamped(shop: Shop, *names: str) -> None:
    """Buy stamps whose payment a status query confirmed, and stamp these documents."""
    [attempt] = shop.attempts(order := shop.place(len(names)))
    [row] = shop.rows("SELECT total FROM orders WHERE order_id = %s", order)
    shop.do(shop.telling(Paid(attempt, attempt.hex[:12], row["total"]), "question"))
    shop.work()
    for name in names:
        stamp(shop, name, name)


def settings_of_bank(shop: Shop) -> dict[str, str]:
    snap = shop.container.settings.of(SnapSettings)
    return {"METERAI_BANK_URL": snap.bank_url, "METERAI_BANK_PUBLIC_KEY": snap.bank_public_key}


def names(shop: Shop) -> set[str]:
    """Names of the documents in the database."""
    return {row["name"] for row in shop.rows("SELECT name FROM documents")}


def command(directory: Path, *words: str | Path, **settings: str) -> Done:
    done = run_here(directory, *map(str, words), **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture
def production(tmp_path: Path) -> Path:
    return tmp_path / "production"


@contextmanager
def working(production: Path) -> Iterator[Shop]:
    """An installation with money and documents, which claimed its store."""
    with running(production) as url, open_shop(url, production) as shop:
        assert look(shop) is None
        stamped(shop, "Surat", "Ijazah")
        delete_condemned(shop, timedelta())
        yield shop


def archive_wal(production: Path, archive: Path) -> None:
    """Set up the server of an installation to archive its write-ahead log."""
    archive.mkdir()
    archive.chmod(0o777)
    with running(production) as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET archive_mode = on")
        connection.execute(
            f'ALTER SYSTEM SET archive_command = \'cp "%p" "{archive}/%f"\''.encode()
        )


def is_archived(shop: Shop) -> None:
    """Wait until all changes so far are in the archive."""
    shop.arrange("SELECT pg_switch_wal()")
    for _ in range(600):
        [row] = shop.rows(
            "SELECT last_archived_wal >= pg_walfile_name(pg_current_wal_lsn() - 1) AS is_done"
            " FROM pg_stat_archiver"
        )
        if row["is_done"]:
            return
        shop.rows("SELECT pg_sleep(0.1)::text AS slept")
    raise AssertionError("the archive is not brought up")


def test_copy_restored_beside_production_deletes_nothing(production: Path, tmp_path: Path) -> None:
    archive, kept, copy = tmp_path / "archive", tmp_path / "backup", tmp_path / "copy"
    archive_wal(production, archive)
    with working(production) as shop:
        command(production, "backup", kept, "--without-objects")
        stamped(shop, "Kuasa")
        point = datetime.now(UTC)
        stamped(shop, "Kemudian")
        delete_condemned(shop, timedelta())
        is_archived(shop)
        restored = command(
            *(copy, "restore", kept, "--keys", production / "keys"),
            *(
                "--objects",
                production / "objects",
                "--wal",
                archive,
                "--to-time",
                point.isoformat(),
            ),
        )
        assert "every invariant holds" in restored.stdout
        with running(copy) as url, open_shop(url, copy, is_new=False) as other:
            assert names(other) == {"Surat.pdf", "Ijazah.pdf", "Kuasa.pdf"}
            assert look(other) is Hold.RESTORED
            refused = run(copy, "worker", **settings_of_bank(other))
            assert (refused.returncode, "restored_unconfirmed" in refused.stderr) == (78, True)
            for task in (sweep, delete_condemned):
                with pytest.raises(DeletionHeld):
                    task(other, LATER)
            assert len(objects(other)) == 4
        assert look(shop) is None, "a copy that says that it is one disturbs nobody"
        sweep(shop, LATER)
        delete_condemned(shop)
        assert len(kept_objects(shop)) == len(objects(shop)) == 4
        shop.assert_books_hold()
    # The original installation is gone permanently.
    told = command(copy, "objects", "confirm", "--by", "budi").stdout
    assert "it was restored, moved or upgraded" in told
    with running(copy) as url, open_shop(url, copy, is_new=False) as other:
        sweep(other, LATER)
        assert len(kept_objects(other)) == 3, "the one of the lost future is condemned"
        assert len(objects(other)) == 4
        # The clock of that sweep was ahead of the database's clock.
        other.arrange(
            "UPDATE condemned_objects SET condemned_at = condemned_at - interval '2 hours',"
            " due_at = due_at - interval '2 hours'"
        )
    command(copy, "audit")
    with running(production) as url, open_shop(url, production, is_new=False) as shop:
        assert look(shop) is Hold.BEHIND, "whoever starts it again is told"
        with pytest.raises(DeletionHeld):
            delete_condemned(shop)


def test_backup_is_restored_elsewhere_and_a_changed_one_is_refused(
    production: Path, tmp_path: Path
) -> None:
    kept, copy, keys = tmp_path / "backup", tmp_path / "copy", tmp_path / "keys"
    with working(production):
        command(production, "backup", kept)
    (production / "keys").rename(keys)
    shutil.rmtree(production)

    def refused(code: str, *words: str | Path) -> None:
        done = run_here(copy, *map(str, words))
        assert (done.returncode, code in done.stderr) == (78, True), done.stdout + done.stderr

    refused("keys_not_in_backup", "restore", kept)
    for name in ("manifest.json", "sums.txt", "objects", "postgres/base"):
        path = kept / name
        file = path if path.is_file() else next(one for one in path.rglob("*") if one.is_file())
        whole = file.read_bytes()
        file.write_bytes(whole[:-1] + b"?")
        refused("backup_unusable", "restore", kept, "--keys", keys)
        file.write_bytes(whole)
    (tmp_path / "empty").mkdir()
    refused("keys_not_in_backup", "restore", kept, "--keys", tmp_path / "empty")
    mistyped = run_here(copy, "restore", str(kept), "--keys", str(keys), "--wal", "/no/such")
    assert mistyped.returncode == 2
    assert not copy.exists()
    shutil.copytree(keys, copy / "keys")
    (copy / "restore-unfinished").touch()  # left by a restore that was killed
    for words in (("up",), ("audit",), ("objects", "show")):
        refused("restore_unfinished", *words)
    shutil.rmtree(copy)
    assert "every invariant holds" in command(copy, "restore", kept, "--keys", keys).stdout
    refused("target_not_empty", "restore", kept, "--keys", keys)
    refused("target_not_empty", "backup", kept)
