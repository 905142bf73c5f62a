"""Steps of the work on a batch: files of a draft, work of a dead worker, accounts without stamps."""

import secrets
from collections.abc import Sequence
from uuid import UUID

import msgspec
import pytest

from meterai.accounts import AccountService, OrganizationService, Role
from meterai.accounts.members import give_role
from meterai.accounts.model import MemberLimitReached
from meterai.batches import BatchService
from meterai.batches.intake import ReceivedFile, listed
from meterai.batches.model import Batch, BatchState, RowState
from meterai.batches.reading import json_rows
from meterai.batches.work import BatchWork
from meterai.drafts import FILE_KIND, DraftService, Uploads
from meterai.kit.ids import new_id, show
from meterai.plumbing.db.database import Tx
from meterai.stamping import ReadyRow, RowStamping, StampingService
from tests.support.pdf import pdf
from tests.support.shop import TESTER, Shop
from tests.support.stamping_calls import buy

PLACE = {"page": 1, "x": 60, "y": 60, "width": 70}


class Dying(BatchWork):
    """Worker that is killed after it reserved."""

    async def _seal(self, batch: Batch, rows: Sequence[ReadyRow]) -> None:
        """Do nothing: the worker is dead."""


def worker(shop: Shop, kind: type[BatchWork] = BatchWork) -> BatchWork:
    """A worker of batches."""
    container = shop.container
    return kind(container.database, container.of(RowStamping), container.settings)


def filled(shop: Shop, *rows: object, **files: bytes) -> UUID:
    """An open batch; `files` by their names without the ending."""
    batches = shop.container.of(BatchService)
    batch = shop.do(batches.make(shop.account, secrets.token_hex(8), None))
    came = [ReceivedFile(f"{name}.pdf", content) for name, content in files.items()]
    shop.do(batches.intake.take(batch, listed(came)))
    lines = b"\n".join(msgspec.json.encode(row) for row in rows)
    shop.do(batches.add_rows(shop.account, batch.id, json_rows(lines)))
    return batch.id


def made(shop: Shop, *rows: object, **files: bytes) -> UUID:
    """A started batch."""
    batch = filled(shop, *rows, **files)
    starts(shop, batch)
    return batch


def starts(
    shop: Shop, batch: UUID, member: UUID | None = None, *, orders: bool = False
) -> BatchState:
    """Start a batch, by a member of its organization or by a key of the account."""
    batches = shop.container.of(BatchService)
    return shop.do(
        batches.start(shop.account, batch, member, method=None, orders=orders)
    ).batch.state


def letters(count: int) -> tuple[list[object], dict[str, bytes]]:
    """`count` rows, each with its own document, and the documents."""
    files = {f"surat{number}": pdf(words=secrets.token_hex(4)) for number in range(count)}
    return [{"file": f"{name}.pdf", "placement": PLACE} for name in files], files


def rows_of(shop: Shop, batch: UUID) -> list[tuple[RowState, str | None]]:
    """State and code of each row."""
    batches = shop.container.of(BatchService)
    found = shop.do(batches.rows(shop.account, batch, 0, 100))
    return [(row.state, row.code) for row in found]


def state(shop: Shop, batch: UUID) -> tuple[BatchState, int]:
    """State of a batch, and the number of its stamped rows."""
    batches = shop.container.of(BatchService)
    details = shop.do(batches.details(shop.do(batches.load(shop.account, batch))))
    return details.batch.state, details.counts.delivered


def test_row_names_a_file_of_the_draft(shop: Shop) -> None:
    buy(shop, 1)
    container = shop.container
    draft, token = container.of(DraftService).fresh(shop.account, "192.0.2.1")
    content = pdf(words=secrets.token_hex(4))
    file = shop.do(container.of(Uploads).add_whole(draft, "draf.pdf", content, token=token))
    batch = made(
        shop,
        {"upload": show(FILE_KIND, file.id), "placement": PLACE},
        {"upload": show(FILE_KIND, UUID(int=7)), "placement": PLACE},
    )
    shop.do(worker(shop).worker_pool().once())
    assert state(shop, batch) == (BatchState.FINISHED, 1)
    shop.work()


def test_rows_of_dead_worker_are_ended_by_the_next(shop: Shop) -> None:
    buy(shop, 2)
    files = {name: pdf(words=secrets.token_hex(4)) for name in ("a", "b")}
    batch = made(shop, *({"file": f"{name}.pdf", "placement": PLACE} for name in files), **files)
    shop.do(worker(shop, Dying).worker_pool().once())
    assert state(shop, batch) == (BatchState.WORKING, 0)
    shop.call("UPDATE stampings SET leased_until = now() WHERE state = 'reserved'")
    shop.call("UPDATE batch_rows SET leased_until = now() WHERE batch_id = %s", batch)
    shop.do(shop.container.of(StampingService).resume())
    shop.do(worker(shop).worker_pool().once())
    assert state(shop, batch) == (BatchState.FINISHED, 2)
    shop.work()


def test_batch_within_its_time_is_not_cancelled(shop: Shop) -> None:
    batches = shop.container.of(BatchService)
    batch = shop.do(batches.make(shop.account, secrets.token_hex(8), None))
    assert shop.do(batches.give_up()) == 0
    assert state(shop, batch.id) == (BatchState.OPEN, 0)


def test_batch_whose_stamps_were_taken_waits_and_continues(shop: Shop) -> None:
    buy(shop, 1)
    names = ("c", "d")
    files = {name: pdf(words=secrets.token_hex(4)) for name in names}
    first = made(shop, {"file": "c.pdf", "placement": PLACE}, c=files["c"])
    shop.call("UPDATE batches SET state = 'open', started_at = NULL WHERE batch_id = %s", first)
    second = made(shop, {"file": "d.pdf", "placement": PLACE}, d=files["d"])
    shop.call("UPDATE batches SET state = 'working', started_at = now() WHERE batch_id = %s", first)
    shop.do(worker(shop).worker_pool().once())
    shop.do(worker(shop).worker_pool().once())
    found = {state(shop, first)[0], state(shop, second)[0]}
    assert found == {BatchState.FINISHED, BatchState.WAITING_FOR_STAMPS}
    buy(shop, 1)
    shop.do(shop.container.of(BatchService).go_on())
    shop.do(worker(shop).worker_pool().once())
    assert {state(shop, first)[0], state(shop, second)[0]} == {BatchState.FINISHED}
    shop.work()


def test_row_not_sealed_in_time_returns_its_stamp(shop: Shop) -> None:
    buy(shop, 2)
    rows, files = letters(2)
    batch = made(shop, *rows, **files)
    shop.do(worker(shop, Dying).worker_pool().once())
    shop.call(
        "UPDATE stampings SET leased_until = now(), requested_at = requested_at - interval '2 days',"
        " due_at = due_at - interval '2 days' WHERE state = 'reserved'"
    )
    shop.call("UPDATE batch_rows SET leased_until = now() WHERE batch_id = %s", batch)
    shop.do(shop.container.of(StampingService).resume())
    shop.do(worker(shop).worker_pool().once())
    assert rows_of(shop, batch) == [(RowState.FAILED, "not_in_time")] * 2
    assert state(shop, batch) == (BatchState.FINISHED, 0)
    # The stamps are free for another batch, and a failed row holds none.
    again = made(shop, *rows, **files)
    shop.do(worker(shop).worker_pool().once())
    assert state(shop, again) == (BatchState.FINISHED, 2)
    shop.work()
    shop.assert_books_hold()


@pytest.mark.parametrize(
    ("days", "is_waiting"), [(8, False), (31, True)], ids=["not started", "without stamps"]
)
def test_overdue_batch_is_cancelled(shop: Shop, days: int, is_waiting: bool) -> None:
    rows, files = letters(2)
    batch = filled(shop, *rows, **files)
    if is_waiting:
        assert starts(shop, batch, orders=True) is BatchState.WAITING_FOR_STAMPS
    batches = shop.container.of(BatchService)

    def passes(count: int) -> None:
        shop.arrange(
            "UPDATE batches SET made_at = made_at - make_interval(days => %s),"
            " started_at = started_at - make_interval(days => %s) WHERE batch_id = %s",
            count,
            count,
            batch,
        )

    passes(days - 2)
    assert shop.do(batches.give_up()) == 0
    passes(2)
    assert shop.do(batches.give_up()) == 1
    assert state(shop, batch) == (BatchState.CANCELLED, 0)
    assert rows_of(shop, batch) == [(RowState.CANCELLED, None)] * 2
    assert shop.do(batches.give_up()) == 0
    buy(shop, 2)
    shop.do(batches.go_on())
    assert starts(shop, batch) is BatchState.CANCELLED
    shop.work()
    shop.assert_books_hold()


class Clerk:
    """A member of an organization with a limit of stamps. The shop's own commands act for the organization."""

    def __init__(self, shop: Shop, limit: int) -> None:
        self.shop = shop
        container = shop.container
        owner = shop.do(
            container.of(AccountService).create(f"{new_id().hex}@example.id", actor=TESTER)
        )
        self.person, shop.account = shop.account, new_id()
        made = container.of(OrganizationService).make(shop.account, owner, "PT Contoh", "", "")
        shop.do(made)

        async def give(tx: Tx) -> None:
            await give_role(tx, shop.account, self.person, Role.CLERK, limit, actor=TESTER)

        shop.do(container.database.run(give))

    @property
    def used(self) -> int:
        """Stamps that the clerk used this month."""
        service = self.shop.container.of(OrganizationService)
        members = self.shop.do(service.members(self.shop.account))
        return next(one.stamps_used for one in members if one.person == self.person)


def test_batch_beyond_limit_of_member_is_not_started(shop: Shop) -> None:
    clerk = Clerk(shop, limit=3)
    buy(shop, 10)
    rows, files = letters(4)
    batch = filled(shop, *rows, **files)
    with pytest.raises(MemberLimitReached) as refused:
        starts(shop, batch, clerk.person)
    assert (refused.value.needed, refused.value.left) == (4, 3)
    assert state(shop, batch) == (BatchState.OPEN, 0)
    # The organization itself, which has no limit, may start the batch.
    assert starts(shop, batch) is BatchState.WORKING
    shop.do(worker(shop).worker_pool().once())
    assert state(shop, batch) == (BatchState.FINISHED, 4)
    assert clerk.used == 0
    shop.work()
    shop.assert_books_hold()
