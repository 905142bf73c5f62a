"""Batches for staff: found, described, listed without progress, and named by the audit."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from meterai.batches import BatchService
from meterai.batches.knows import KNOWS, WORK
from meterai.batches.model import BATCH_SUBJECT, STILL_SECONDS
from meterai.kit.ids import new_id, show
from meterai.kit.subjects import Subject, SubjectKind
from meterai.plumbing.db.database import ReadTx
from tests.support.shop import Shop


@pytest.fixture
def batch(shop: Shop) -> UUID:
    """A batch under way, with one delivered and one waiting row."""
    made = new_id()
    shop.arrange(
        "INSERT INTO batches (account_id, batch_id, idempotency_key, request_hash, reference, state, started_at)"
        " VALUES (%s, %s, 'k', '\\x00', 'gaji-11', 'working', now())",
        shop.account,
        made,
    )
    for number in (1, 2):
        shop.arrange(
            "INSERT INTO batch_rows (account_id, batch_id, number, identity, content, document, wishes, quantity, facts, state,"
            " code, ended_at) VALUES (%s, %s, %s, %s, %s, 'file:a', '[]', 1, '{}', %s, %s, %s)",
            shop.account,
            made,
            number,
            bytes([number]) * 32,
            bytes([number]) * 32,
            "refused" if number == 1 else "waiting",
            "row_unread" if number == 1 else None,
            datetime.now(UTC) if number == 1 else None,
        )
    return made


def ask(shop: Shop, question: Any) -> Any:
    async def look() -> Any:
        async with shop.container.database.reading() as tx:
            return await question(tx)

    return shop.do(look())


def listed(shop: Shop) -> Any:
    [work] = WORK
    now = datetime.now(UTC)
    return ask(shop, lambda tx: work.waiting(tx, shop.container.settings, now, 10))


def make_stalled(shop: Shop, seconds: float) -> None:
    """Move the batch into the past, as if no row had ended for `seconds` seconds."""
    shop.arrange("UPDATE batches SET started_at = started_at - make_interval(secs => %s)", seconds)
    shop.arrange("UPDATE batches SET made_at = made_at - make_interval(secs => %s)", seconds)
    shop.arrange("UPDATE batch_rows SET ended_at = ended_at - make_interval(secs => %s)", seconds)


def test_batch_is_found_by_number_and_by_reference_with_its_history(
    shop: Shop, batch: UUID
) -> None:
    shown = show("bat", batch)
    about = Subject(BATCH_SUBJECT.kind, shown, shop.account)

    async def find(tx: ReadTx) -> None:
        for text in (shown, "gaji-11"):
            assert list(await KNOWS.find(tx, text, 10)) == [about]
        assert not list(await KNOWS.find(tx, "gaji-12", 10))
        told = await KNOWS.tell(tx, about)
        assert [one.word for one in told] == ["batch_made", "batch_started"]
        assert (told[1].facts["waiting"], told[1].facts["refused"]) == (1, 1)
        [of_account] = await KNOWS.tell(
            tx, Subject(SubjectKind.ACCOUNT, show("acc", shop.account), shop.account)
        )
        assert of_account.about == about

    ask(shop, find)


def test_batch_without_progress_is_in_the_work_list(shop: Shop, batch: UUID) -> None:
    service = shop.container.of(BatchService)
    make_stalled(shop, STILL_SECONDS - 60)
    assert not listed(shop)
    make_stalled(shop, 120)
    [item] = listed(shop)
    assert item.about.shown == show("bat", batch)
    assert item.facts["open"] == 1
    shop.do(service.measure())
    shop.arrange("UPDATE batch_rows SET ended_at = now() WHERE number = 1")
    assert not listed(shop)
