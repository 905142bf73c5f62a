"""Stored documents stay until they are forgotten, and all other objects are deleted."""

from datetime import timedelta

import pytest

from meterai.documents import DocumentService, Timeline
from meterai.stamping import StampingService
from meterai.stamps import NotEnoughStamps
from tests.support.shop import Shop
from tests.support.stamping_calls import buy, letter, resume, stamp, stamp_all, upload
from tests.support.store import delete_condemned, kept_objects, objects, sweep
from tests.support.stored import let_time_pass


def delete_orphans(shop: Shop) -> None:
    """Sweep the store once, and delete the condemned objects after their grace period."""
    sweep(shop)
    delete_condemned(shop)


def forget(shop: Shop) -> None:
    """End the retention of every document."""
    shop.arrange("UPDATE documents SET kept_until = now() - interval '1 second'")
    while shop.do(shop.container.of(DocumentService).forget_old()):
        pass


def test_bytes_of_refused_upload_are_swept(shop: Shop) -> None:
    buy(shop, 1)
    kept = stamp(shop, "key", "Ijazah")
    for name in ("Surat", "Kuasa"):
        with pytest.raises(NotEnoughStamps):
            stamp(shop, name, name)
    with pytest.raises(NotEnoughStamps):
        stamp_all(shop, "form", "Lain", "Satu lagi")
    assert len(shop.rows("SELECT 1 FROM documents")) == 1
    assert len(objects(shop)) == 5
    delete_orphans(shop)
    assert len(objects(shop)) == 5, "they are young: their rows may be on the way"
    let_time_pass(shop)
    delete_orphans(shop)
    (left,) = objects(shop)
    assert kept.sha256_original in left.name
    identifier = shop.rows("SELECT stamping_id FROM stampings")[0]["stamping_id"]
    assert shop.do(shop.container.of(StampingService).document(shop.account, identifier))


def test_foreign_file_in_store_is_left_alone(shop: Shop) -> None:
    shop.do(shop.container.of(Timeline).check_store())
    other = shop.container.settings.process.directory / "objects" / "of" / "of-somebody-else"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"x")
    let_time_pass(shop)
    delete_orphans(shop)
    assert [path.name for path in objects(shop)] == ["of-somebody-else"]
    shop.do(shop.container.of(Timeline).check_store())


def test_forgotten_document_has_no_bytes(shop: Shop) -> None:
    buy(shop, 2)
    for name in ("Surat", "Ijazah"):
        stamp(shop, name, name)
    let_time_pass(shop)
    forget(shop)
    assert kept_objects(shop) == []
    delete_condemned(shop, timedelta(hours=23))
    assert len(objects(shop)) == 2, "their grace period is not over"
    delete_condemned(shop)
    assert objects(shop) == []
    assert shop.rows("SELECT 1 FROM documents WHERE forgotten_at IS NULL") == []


def test_bytes_left_by_crash_after_forgetting_are_swept(shop: Shop) -> None:
    buy(shop, 1)
    stamp(shop, "key", "Surat")
    shop.arrange("UPDATE documents SET forgotten_at = now()")
    let_time_pass(shop)
    delete_orphans(shop)
    assert objects(shop) == []


def test_document_uploaded_again_during_forgetting_stays(shop: Shop) -> None:
    """The bytes are written, then the periodic task forgets the old row, then the new row is written."""
    buy(shop, 2)
    stamp(shop, "first", "Surat")
    let_time_pass(shop)
    taken = shop.do(
        shop.container.of(StampingService)._uploads.store(shop.account, upload("Surat"))
    )
    forget(shop)
    delete_condemned(shop, timedelta(minutes=59))
    keep = "SELECT document_keep(%s, %s, %s, %s, %s, %s)"
    shop.do(shop.container.database.call(keep, shop.account, taken.sha256, *taken.about))
    delete_condemned(shop)
    content = shop.do(shop.container.of(DocumentService).content(shop.account, taken.sha256))
    assert content == letter("Surat")
    again = stamp(shop, "second", "Surat")
    resume(shop)
    assert again.state == "delivered"
    shop.assert_books_hold()


def test_locked_document_does_not_block_forgetting_of_others(shop: Shop) -> None:
    import psycopg  # noqa: PLC0415

    buy(shop, 3)
    for name in ("Surat", "Ijazah", "Kuasa"):
        stamp(shop, name, name)
    let_time_pass(shop)
    with psycopg.connect(shop.container.settings.process.database_url) as connection:
        shop.arrange("UPDATE documents SET kept_until = now() - interval '1 day'")
        connection.execute("SELECT 1 FROM documents WHERE name = 'Surat.pdf' FOR UPDATE")
        shop.do(shop.container.of(DocumentService).forget_old())
    left = shop.rows("SELECT name FROM documents WHERE forgotten_at IS NULL")
    assert left == [{"name": "Surat.pdf"}]
    assert len(kept_objects(shop)) == 1
