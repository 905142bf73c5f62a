"""A document of a draft is stored and examined once from its upload to its seal, and others cannot delete it."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from meterai import sealing
from meterai.documents import DocumentService, DocumentUnavailable, Removal, content_name
from meterai.drafts import Draft, DraftFile, DraftService, Uploads, known_content, store
from meterai.drafts.forgetting import Forgetting
from meterai.drafts.model import hash_of
from meterai.kit.ids import new_id, read
from meterai.plumbing.objects import ObjectStore
from meterai.sealing import Placement
from meterai.stamping import StampingService, Upload
from tests.support.pdf import pdf
from tests.support.shop import Shop
from tests.support.stamping_calls import resume, states
from tests.support.store import delete_condemned, objects, sweep
from tests.support.stored import forget_documents, let_time_pass

PLACE = Placement(1, 60.0, 60.0, 80.0)


class Counted:
    """Counts of written objects, read objects and examinations."""

    def __init__(self) -> None:
        self.puts: Counter[str] = Counter()
        self.gets: Counter[str] = Counter()
        self.examinations = 0

    def of_store(self, patch: pytest.MonkeyPatch) -> None:
        """Count reads and writes of every object store."""
        put, get = ObjectStore.put_from_thread, ObjectStore.get_from_thread

        def counting_put(objects: ObjectStore, name: str, content: bytes) -> None:
            self.puts[name] += 1
            put(objects, name, content)

        def counting_get(objects: ObjectStore, name: str) -> bytes | None:
            self.gets[name] += 1
            return get(objects, name)

        patch.setattr(ObjectStore, "put_from_thread", counting_put)
        patch.setattr(ObjectStore, "get_from_thread", counting_get)

    def of_sealing(self, patch: pytest.MonkeyPatch) -> None:
        """Count examinations."""
        examining = sealing.examining

        def counting(*given: Any) -> Any:
            self.examinations += 1
            return examining(*given)

        patch.setattr(sealing, "examining", counting)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    found = Counted()
    found.of_store(monkeypatch)
    found.of_sealing(monkeypatch)
    return found


def drafts(shop: Shop) -> DraftService:
    return shop.container.of(DraftService)


def opened(shop: Shop, account: UUID | None = None) -> Draft:
    draft, token = drafts(shop).fresh(account or shop.account, "198.51.100.7")
    shop.do(shop.container.database.once(store.add_draft, draft, hash_of(token)))
    return draft


def placed(shop: Shop, draft: Draft, name: str, content: bytes | None = None) -> DraftFile:
    sent = pdf(words=name) if content is None else content
    uploads = shop.container.of(Uploads)
    file = shop.do(uploads.add_whole(draft, f"{name}.pdf", sent))
    return shop.do(drafts(shop).place(draft, file, [PLACE]))


def uploads_of(files: Sequence[DraftFile]) -> list[Upload]:
    return [Upload(one.name, known_content(one), one.placements) for one in files]


def ordered(shop: Shop, draft: Draft, *files: DraftFile, is_finished: bool = True) -> UUID:
    """Place an order as the button of the last page does."""
    service = shop.container.of(StampingService)
    made = shop.do(service.order(shop.account, draft.order_key, uploads_of(files)))
    order = read("ord", made.id)
    shop.placed.append(order)
    if is_finished:
        shop.do(drafts(shop).finish(draft, order, files))
    return order


def paid(shop: Shop, order: UUID) -> None:
    shop.pay(order)
    shop.work()
    resume(shop)
    shop.work()


def name_of(file: DraftFile) -> str:
    assert file.sha256 is not None
    return content_name(file.sha256)


def forget_draft(shop: Shop, draft: Draft) -> None:
    """Delete the draft after its time."""
    shop.arrange(
        "UPDATE drafts SET created_at = now() - interval '2 days', expires_at = now() WHERE draft_id = %s",
        draft.id,
    )
    assert shop.do(shop.container.of(Forgetting).forget_old()) == 1


# -- once ------------------------------------------------------------------------------------------


def test_order_stores_and_examines_its_document_once(shop: Shop, counted: Counted) -> None:
    draft = opened(shop)
    file = placed(shop, draft, "Surat")
    read_before = counted.gets[name_of(file)]
    order = ordered(shop, draft, file)
    assert counted.gets[name_of(file)] == read_before, "an order reads no byte"
    paid(shop, order)
    assert states(shop) == {"delivered": 1}
    assert counted.puts[name_of(file)] == 1
    assert counted.examinations == 1
    assert counted.gets[name_of(file)] == read_before + 1, "for its seal"
    shop.assert_books_hold()


def test_document_examined_by_other_rules_is_examined_again(shop: Shop, counted: Counted) -> None:
    draft = opened(shop)
    file = placed(shop, draft, "Surat")
    shop.arrange("UPDATE draft_files SET rules = 0")
    file = shop.do(drafts(shop).file(draft, file.id))
    paid(shop, ordered(shop, draft, file))
    assert states(shop) == {"delivered": 1}
    assert counted.examinations == 2


def test_order_of_document_without_bytes_is_refused(shop: Shop) -> None:
    draft = opened(shop)
    file = placed(shop, draft, "Surat")
    [path] = objects(shop)
    path.unlink()
    with pytest.raises(DocumentUnavailable):
        ordered(shop, draft, file)
    assert shop.rows("SELECT 1 FROM orders") == []


# -- one content, several owners ---------------------------------------------------------------------


def test_crash_between_order_and_finish_leaves_both_and_loses_nothing(shop: Shop) -> None:
    draft = opened(shop)
    file = placed(shop, draft, "Surat")
    order = ordered(shop, draft, file, is_finished=False)
    let_time_pass(shop)
    forget_draft(shop, draft)
    delete_condemned(shop)
    sweep(shop)
    paid(shop, order)
    assert states(shop) == {"delivered": 1}
    forget_documents(shop, shop.account)
    delete_condemned(shop)
    assert objects(shop) == []


def test_file_taken_out_during_order_is_stamped(shop: Shop) -> None:
    draft = opened(shop)
    file = placed(shop, draft, "Surat")
    let_time_pass(shop)
    shop.do(drafts(shop).take_out(draft, file.id))
    delete_condemned(shop, timedelta(minutes=59))
    order = ordered(shop, draft, file)
    delete_condemned(shop)
    paid(shop, order)
    assert states(shop) == {"delivered": 1}


def test_document_stays_while_others_with_same_bytes_are_deleted(shop: Shop) -> None:
    content = pdf(words="sama")
    ours = opened(shop)
    order = ordered(shop, ours, placed(shop, ours, "Surat", content))
    for _ in range(3):
        theirs = opened(shop, new_id())
        file = placed(shop, theirs, "Salinan", content)
        let_time_pass(shop)
        shop.do(drafts(shop).take_out(theirs, file.id))
        delete_condemned(shop)
        sweep(shop)
    paid(shop, order)
    assert states(shop) == {"delivered": 1}
    [stamping] = shop.rows("SELECT stamping_id, sha256_original FROM stampings")
    kept = shop.container.of(DocumentService).content(shop.account, stamping["sha256_original"])
    assert shop.do(kept) == content


def test_concurrent_orders_and_deletions_lose_no_document(shop: Shop) -> None:
    """Each draft is ordered while its content is already condemned through another row and due for deletion."""
    files = []
    for number in range(6):
        content, theirs, ours = pdf(words=f"sama {number}"), opened(shop, new_id()), opened(shop)
        file = placed(shop, theirs, "Salinan", content)
        files.append((ours, placed(shop, ours, f"Surat {number}", content)))
        shop.do(drafts(shop).take_out(theirs, file.id))
    let_time_pass(shop)
    shop.arrange("UPDATE condemned_objects SET due_at = now() - interval '1 second'")

    async def all_at_once() -> None:
        service, removal = shop.container.of(StampingService), shop.container.of(Removal)
        orders = [
            service.order(shop.account, draft.order_key, uploads_of([file]))
            for draft, file in files
        ]
        await asyncio.gather(*orders, *(removal.delete_condemned() for _ in range(4)))

    shop.do(all_at_once())
    delete_condemned(shop)
    assert {name_of(file) for _, file in files} <= {one.name for one in objects(shop)}
