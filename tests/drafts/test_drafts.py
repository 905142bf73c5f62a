"""Drafts: their owners, their files, and their removal."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from meterai.documents import content_name
from meterai.drafts import Draft, DraftFile, DraftService, FileNotReady, FileState, Uploads, store
from meterai.drafts.examination import CHECKED_AT_ONCE
from meterai.drafts.forgetting import Forgetting
from meterai.drafts.holdings import STRANGERS_SHARE, Holdings
from meterai.drafts.model import (
    EMPTY_LIVES,
    MARK_LIVES,
    PART_BYTES_MAX,
    UNFINISHED_LIVES,
    DraftFull,
    DraftsFull,
    DraftTooLarge,
    NetworkFull,
    PartSizeWrong,
    StrangersFull,
    UploadCompleted,
    UploadLengthInconsistent,
    UploadOffsetMismatch,
    duplicates,
    hash_of,
    is_sign_in_mark,
    sign_in_mark,
)
from meterai.drafts.uploads import EXAMINATIONS_MAX, LATER_AT_ONCE
from meterai.kit.clock import SystemClock
from meterai.kit.ids import new_id
from meterai.kit.refusal import NotFound
from meterai.sealing import DocumentTooLarge, ExaminationBusy, Placement, PlacementOutsidePage
from tests.support.pdf import pdf
from tests.support.shop import Shop
from tests.support.store import Ahead, delete_condemned, kept_objects, objects, sweep
from tests.support.stored import let_time_pass

NETWORK = "198.51.100.7"
PLACE = Placement(1, 60, 60, 80)


def drafts(shop: Shop) -> DraftService:
    return shop.container.of(DraftService)


def uploads(shop: Shop) -> Uploads:
    return shop.container.of(Uploads)


def opened(shop: Shop, *, signed_in: bool = False) -> tuple[Draft, str]:
    draft, token = drafts(shop).fresh(shop.account if signed_in else None, NETWORK)
    shop.do(shop.container.database.once(store.add_draft, draft, hash_of(token)))
    return draft, token


def add(shop: Shop, draft: Draft, name: str = "Surat", content: bytes | None = None) -> DraftFile:
    sent = pdf(words=name) if content is None else content
    return shop.do(uploads(shop).add_whole(draft, f"{name}.pdf", sent))


def ahead_of(shop: Shop, by: timedelta) -> Forgetting:
    """The removal of drafts, run at a later time."""
    files = shop.container.of(Forgetting)._files
    return Forgetting(shop.container.database, files, Ahead(by))


def large(name: str) -> bytes:
    """A document of several parts."""
    return pdf(words=name) + b"\n%" + b"x" * (2 * PART_BYTES_MAX) + b"\n%%EOF\n"


def test_good_file_is_ready_and_stored_as_one_object(shop: Shop) -> None:
    draft, _ = opened(shop)
    file = add(shop, draft, content=large("Surat"))
    assert file.state in (FileState.READY, FileState.REPAIRED)
    assert file.pages == 1
    assert file.sizes[0].width > 0
    assert len(kept_objects(shop)) == 1
    assert shop.do(drafts(shop).content(file)).startswith(b"%PDF")


def test_unstampable_file_has_reason_and_no_object(shop: Shop) -> None:
    draft, _ = opened(shop)
    file = add(shop, draft, "foto", b"\x89PNG" + b"x" * 2000)
    assert (file.state, file.refusal) == (FileState.REFUSED, "not_a_pdf")
    assert kept_objects(shop) == []
    with pytest.raises(FileNotReady):
        shop.do(drafts(shop).place(draft, file, [PLACE]))


def test_file_with_pages_smaller_than_stamp_is_refused_by_name(shop: Shop) -> None:
    draft, _ = opened(shop)
    small = pdf().replace(b"595 842", b"050 050")
    file = add(shop, draft, "kartu", small)
    assert (file.state, file.refusal) == (FileState.REFUSED, "pages_too_small")


def test_empty_file_is_refused_at_creation(shop: Shop) -> None:
    draft, _ = opened(shop)
    file = shop.do(uploads(shop).create(draft, "kosong.pdf", 0))
    assert (file.state, file.refusal) == (FileState.REFUSED, "file_empty")


def test_file_examined_while_draft_is_ordered_leaves_no_object(shop: Shop) -> None:
    draft, _ = opened(shop, signed_in=True)
    shop.do(drafts(shop).finish(draft, new_id(), []))
    with pytest.raises(NotFound):
        add(shop, draft)
    assert kept_objects(shop) == []


def test_draft_without_account_opens_to_its_browser_alone(shop: Shop) -> None:
    draft, token = opened(shop)
    assert shop.do(drafts(shop).current(token, None)) == draft
    assert shop.do(drafts(shop).current("another", None)) is None
    assert shop.do(drafts(shop).current("", None)) is None
    assert not shop.do(drafts(shop).waits_for_owner(token))


def adopt(shop: Shop, token: str) -> None:
    """Adopt the files for a signed-in account by the button."""
    shop.do(drafts(shop).adopt(token, shop.account))


def test_signed_in_visitor_does_not_adopt_files_of_browser(shop: Shop) -> None:
    draft, token = opened(shop)
    file = add(shop, draft)
    for _ in range(2):
        found = shop.do(drafts(shop).current(token, shop.account))
        assert found is not None
        assert (found.id, found.owner) == (draft.id, None)
    assert shop.do(drafts(shop).files_apart(token, shop.account)) == [file]
    assert shop.do(drafts(shop).current("", shop.account)) is None, "on another device"
    mine, _ = opened(shop, signed_in=True)
    found = shop.do(drafts(shop).current(token, shop.account))
    assert found is not None
    assert found.id == mine.id, "what is the account's comes first"


def test_sign_in_from_page_of_files_adopts_them(shop: Shop) -> None:
    draft, token = opened(shop)
    other, strange = opened(shop)
    now = SystemClock().now()
    for wrong in (
        "",
        ".",
        "9" * 30,
        sign_in_mark(strange, now),
        sign_in_mark(token, now - MARK_LIVES - timedelta(seconds=2)),
        sign_in_mark(token, now + timedelta(minutes=5)),
        sign_in_mark(token, now) + "0",
    ):
        shop.do(drafts(shop).adopt_by_mark(token, shop.account, wrong))
        assert shop.do(drafts(shop).current("", shop.account)) is None, wrong
    shop.do(drafts(shop).adopt_by_mark(token, shop.account, drafts(shop).mark(token)))
    found = shop.do(drafts(shop).current("", shop.account))
    assert found is not None
    assert found.id == draft.id
    assert shop.do(drafts(shop).current(strange, None)) == other
    assert not is_sign_in_mark(sign_in_mark("", now), "", now), "without a draft there is no mark"


def test_adoption_by_button_merges_drafts_without_loss(shop: Shop) -> None:
    of_account, _ = opened(shop, signed_in=True)
    first = add(shop, of_account, "satu")
    strange, token = opened(shop)
    second = add(shop, strange, "dua")
    assert shop.do(drafts(shop).files_apart(token, shop.account)) == [second]
    adopt(shop, token)
    assert shop.do(drafts(shop).files_apart(token, shop.account)) == []
    made = shop.do(drafts(shop).current(token, shop.account))
    assert made is not None
    assert made.owner == shop.account
    assert [one.id for one in shop.do(drafts(shop).files(made))] == [first.id, second.id]
    assert shop.do(drafts(shop).current("", shop.account)) == made, "from another device"
    assert shop.do(drafts(shop).current(token, None)) is None, "nobody but the account"
    assert shop.do(drafts(shop).current(token, new_id())) is None


def test_file_of_another_draft_is_not_found(shop: Shop) -> None:
    mine, _ = opened(shop)
    other, _ = opened(shop)
    file = add(shop, other)
    with pytest.raises(NotFound):
        shop.do(drafts(shop).file(mine, file.id))
    shop.do(drafts(shop).take_out(mine, file.id))
    assert shop.do(drafts(shop).file(other, file.id)) == file


def test_part_continues_at_end_of_last_one(shop: Shop) -> None:
    draft, _ = opened(shop)
    content = large("Surat")
    file = shop.do(uploads(shop).create(draft, "Surat.pdf", len(content)))
    part = content[:PART_BYTES_MAX]
    after = shop.do(uploads(shop).append(draft, file, 0, part))
    assert after.received == PART_BYTES_MAX
    # Two senders have the same offset: one part is stored, and the other sender gets the new offset.
    with pytest.raises(UploadOffsetMismatch) as wrong:
        shop.do(uploads(shop).append(draft, file, 0, part))
    assert wrong.value.offset == PART_BYTES_MAX
    with pytest.raises(UploadOffsetMismatch):
        shop.do(uploads(shop).append(draft, after, 5, part))
    assert len(kept_objects(shop)) == 1, "the part of the one that lost is gone"
    rest = len(content) - PART_BYTES_MAX
    with pytest.raises(UploadLengthInconsistent):
        shop.do(uploads(shop).append(draft, after, PART_BYTES_MAX, b"x" * (rest + 1)))
    with pytest.raises(PartSizeWrong):
        shop.do(uploads(shop).append(draft, after, PART_BYTES_MAX, b"tiny"))
    with pytest.raises(PartSizeWrong):
        shop.do(uploads(shop).append(draft, after, PART_BYTES_MAX, part + b"x"))


def test_complete_file_refuses_parts(shop: Shop) -> None:
    draft, _ = opened(shop)
    file = add(shop, draft)
    with pytest.raises(UploadCompleted):
        shop.do(uploads(shop).append(draft, file, file.received, b"more"))


def test_unexamined_file_is_examined_by_worker(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    draft, _ = opened(shop)
    content = pdf(words="Surat")
    file = shop.do(uploads(shop).create(draft, "Surat.pdf", len(content)))

    async def dies(*_: object) -> None:
        raise SystemError("the process dies behind the statement that took the last part")

    monkeypatch.setattr(uploads(shop), "_examine", dies)
    with pytest.raises(SystemError):
        shop.do(uploads(shop).append(draft, file, 0, content))
    monkeypatch.undo()
    assert shop.do(drafts(shop).file(draft, file.id)).state == FileState.EXAMINING
    assert shop.do(uploads(shop).examine_due()) == 0, "it may live, and examine it"
    shop.arrange("UPDATE draft_files SET leased_until = now() - interval '1 second'")
    assert shop.do(uploads(shop).examine_due()) == 1
    assert shop.do(drafts(shop).file(draft, file.id)).state == FileState.READY
    assert shop.do(uploads(shop).examine_due()) == 0


def waiting(shop: Shop, draft: Draft, *names: str) -> None:
    """Store whole files of a draft without an examination."""
    for name in names:
        content = pdf(words=name)
        file = shop.do(uploads(shop).create(draft, name, len(content)))
        shop.arrange(
            "UPDATE draft_files SET state = 'examining', leased_until = now() - interval '1 hour',"
            " received = bytes WHERE file_id = %s",
            file.id,
        )


def leased(shop: Shop, count: int) -> list[str]:
    """Lease files, and return their names."""
    now = SystemClock().now()
    lease = shop.container.database.once
    found = shop.do(lease(store.to_examine, now + timedelta(minutes=1), now, count))
    return [one.name for one in found]


def test_draft_with_many_files_does_not_delay_others(shop: Shop) -> None:
    crowd, _ = opened(shop)
    waiting(shop, crowd, *(f"ramai {number}" for number in range(12)))
    beside, _ = opened(shop)  # from the same address
    waiting(shop, beside, "tetangga")
    other, _ = drafts(shop).fresh(None, "203.0.113.9")
    shop.do(shop.container.database.once(store.add_draft, other, hash_of("another")))
    waiting(shop, other, "lain")
    first = leased(shop, 2)
    assert "lain" in first, "each network has a turn"
    assert "tetangga" in first + leased(shop, 2), "and in it each draft"


def test_leased_files_are_as_many_as_are_examined(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft, _ = opened(shop)
    waiting(shop, draft, *(f"{number}" for number in range(5)))
    asked: list[str] = []

    async def noted(file: DraftFile, network: str) -> None:
        asked.append(network)

    monkeypatch.setattr(uploads(shop), "_examine", noted)
    assert shop.do(uploads(shop).examine_due()) == LATER_AT_ONCE
    assert asked == [NETWORK] * LATER_AT_ONCE
    free = shop.rows("SELECT 1 FROM draft_files WHERE leased_until < now()")
    assert len(free) == 5 - LATER_AT_ONCE


def test_file_whose_examination_fails_repeatedly_is_refused(shop: Shop) -> None:
    draft, _ = opened(shop)
    waiting(shop, draft, "hilang.pdf")
    # one part of the file is lost
    shop.arrange("UPDATE draft_files SET parts = ARRAY[%s::uuid]", new_id())
    [before] = shop.do(drafts(shop).files(draft))
    pauses = []
    for _ in range(EXAMINATIONS_MAX + 1):
        assert shop.do(uploads(shop).examine_due()) == 1
        [row] = shop.rows("SELECT leased_until - now() AS pause FROM draft_files")
        pauses.append(row["pause"])
        shop.arrange("UPDATE draft_files SET leased_until = now() - interval '1 second'")
    assert pauses[3] > timedelta(seconds=10) > pauses[0], "more and more seldom"
    [file] = shop.do(drafts(shop).files(draft))
    assert (file.id, file.state, file.refusal) == (
        before.id,
        FileState.REFUSED,
        "file_not_examined",
    )
    assert shop.do(uploads(shop).examine_due()) == 0


def test_wait_for_slot_does_not_count_as_examination(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft, _ = opened(shop)

    async def busy(*_: object) -> None:
        raise ExaminationBusy("all the time")

    monkeypatch.setattr(uploads(shop)._examination, "examine", busy)
    file = add(shop, draft)
    for _ in range(3):
        shop.arrange("UPDATE draft_files SET leased_until = now() - interval '1 second'")
        shop.do(uploads(shop).examine_due())
    assert shop.do(drafts(shop).file(draft, file.id)).examinations == 0
    monkeypatch.undo()
    shop.arrange("UPDATE draft_files SET leased_until = now() - interval '1 second'")
    shop.do(uploads(shop).examine_due())
    assert shop.do(drafts(shop).file(draft, file.id)).state == FileState.READY


def test_repeated_file_is_recognised(shop: Shop) -> None:
    draft, _ = opened(shop)
    content = pdf(words="Surat")  # made once, since the document contains its time of creation
    first, again = add(shop, draft, "Surat", content), add(shop, draft, "Salinan", content)
    assert duplicates([first, again]) == {again.id: first}


def test_placement_is_checked_and_done_draft_is_unchanged(shop: Shop) -> None:
    draft, token = opened(shop, signed_in=True)
    file = add(shop, draft)
    with pytest.raises(PlacementOutsidePage):
        shop.do(drafts(shop).place(draft, file, [Placement(1, 5000, 60, 80)]))
    placed = shop.do(drafts(shop).place(draft, file, [PLACE]))
    assert placed.placements == (PLACE,)
    assert placed.version == file.version + 1
    order = new_id()
    shop.do(drafts(shop).finish(draft, order, [file]))
    ordered = shop.do(drafts(shop).file(draft, file.id))
    with pytest.raises(FileNotReady):
        shop.do(drafts(shop).place(draft, ordered, [PLACE]))
    shop.do(drafts(shop).take_out(draft, file.id))
    assert shop.do(drafts(shop).current(token, shop.account)) is None
    done = shop.do(drafts(shop).ordered(shop.account, draft.id))
    assert done is not None
    assert done.order == order
    assert shop.do(drafts(shop).ordered(new_id(), draft.id)) is None, "of another account"


def test_files_added_during_order_move_to_new_draft(shop: Shop) -> None:
    draft, token = opened(shop, signed_in=True)
    content = pdf(words="satu")
    file, later = add(shop, draft, "satu", content), add(shop, draft, "dua")
    half = shop.do(uploads(shop).create(draft, "tiga.pdf", 1000))
    add(shop, draft, "salinan", content)  # the same content again
    add(shop, draft, "foto", b"\x89PNG" + b"x" * 2000)
    shop.do(drafts(shop).place(draft, file, [PLACE]))
    shop.do(drafts(shop).finish(draft, new_id(), [file]))
    goes_on = shop.do(drafts(shop).current(token, shop.account))
    assert goes_on is not None
    left = {one.name for one in shop.do(drafts(shop).files(goes_on))}
    assert left == {later.name, half.name}
    of_order = shop.do(drafts(shop).files(draft))
    assert [(one.id, one.state) for one in of_order] == [(file.id, FileState.ORDERED)]
    assert later.sha256 is not None
    assert {content_name(later.sha256)} == {one.name for one in kept_objects(shop)}
    with pytest.raises(NotFound):
        shop.do(uploads(shop).create(draft, "empat.pdf", 1000))


def test_ordered_files_count_for_no_limit(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    draft, _ = opened(shop, signed_in=True)
    content = large("Surat")
    file = add(shop, draft, content=content)
    shop.do(drafts(shop).place(draft, file, [PLACE]))
    shop.do(drafts(shop).finish(draft, new_id(), [file]))
    sweep(shop, timedelta(hours=2))
    assert kept_objects(shop) == [], "no document wants it"
    with pytest.raises(FileNotReady):
        shop.do(drafts(shop).content(shop.do(drafts(shop).file(draft, file.id))))
    room = len(content)
    limited(
        shop,
        monkeypatch,
        draft_bytes_per_network_max=room,
        drafts_bytes_max=int(room / STRANGERS_SHARE) + 1,
        drafts_per_network_max=1,
    )
    other, token = drafts(shop).fresh(None, NETWORK)
    again = shop.do(uploads(shop).add_whole(other, "Surat.pdf", content, token=token))
    assert again.is_usable


def test_token_of_merged_draft_leads_to_merged_draft(shop: Shop) -> None:
    _, oldest = opened(shop)
    mine, device = opened(shop, signed_in=True)
    strange, token = opened(shop)
    file = add(shop, strange)
    adopt(shop, token)
    adopt(shop, oldest)  # both are merged into this older draft
    for one in (token, device, oldest):
        assert shop.do(drafts(shop).waits_for_owner(one)), "signing in leads back to it"
    kept = shop.do(drafts(shop).current(token, shop.account))
    assert kept is not None
    assert kept.id not in (strange.id, mine.id)
    assert shop.do(drafts(shop).ordered(shop.account, strange.id)) is None
    shop.do(drafts(shop).place(kept, file, [PLACE]))
    order = new_id()
    shop.do(drafts(shop).finish(kept, order, [file]))
    for earlier in (strange, mine):  # a page of the draft may still be open somewhere
        done = shop.do(drafts(shop).ordered(shop.account, earlier.id))
        assert done is not None
        assert done.order == order
    assert not shop.do(drafts(shop).waits_for_owner(token))


def test_token_alone_adds_nothing_to_draft_of_account(shop: Shop) -> None:
    draft, token = opened(shop)
    add(shop, draft)
    adopt(shop, token)
    with pytest.raises(NotFound):
        shop.do(uploads(shop).create(draft, "lain.pdf", 1000))
    assert shop.do(drafts(shop).waits_for_owner(token)), "who signs in finds it again"
    assert not shop.do(drafts(shop).waits_for_owner("another"))


def test_unordered_draft_is_forgotten_in_time(shop: Shop) -> None:
    old, token = opened(shop)
    content = pdf(words="dua kali")
    add(shop, old, "sama", content)
    add(shop, old, "lain")
    young, _ = opened(shop)
    kept = add(shop, young, "sama", content)
    shop.arrange(
        "UPDATE drafts SET created_at = now() - interval '2 days', expires_at = now() WHERE draft_id = %s",
        old.id,
    )
    assert shop.do(drafts(shop).current(token, None)) is None
    forgetting = shop.container.of(Forgetting)
    assert shop.do(forgetting.forget_old()) == 1
    assert shop.do(forgetting.forget_old()) == 0
    assert [row["file_id"] for row in shop.rows("SELECT file_id FROM draft_files")] == [kept.id]
    let_time_pass(shop)
    delete_condemned(shop, timedelta(minutes=59))
    assert len(objects(shop)) == 2, "whoever took it over has an hour for its row"
    delete_condemned(shop)
    assert kept.sha256 is not None
    assert [one.name for one in objects(shop)] == [content_name(kept.sha256)]
    assert shop.do(drafts(shop).content(kept)) == content


def test_objects_without_file_are_deleted_when_old(shop: Shop) -> None:
    draft, _ = opened(shop)
    file = add(shop, draft)
    lost = add(shop, draft, "hilang")
    shop.arrange("DELETE FROM draft_files WHERE file_id = %s", lost.id)
    sweep(shop)
    assert len(kept_objects(shop)) == 2, "they are young: their rows may be on the way"
    sweep(shop, timedelta(hours=2))
    assert len(kept_objects(shop)) == 1
    assert len(objects(shop)) == 2, "it is condemned and stays for a while"
    delete_condemned(shop)
    assert len(objects(shop)) == 1
    assert shop.do(drafts(shop).content(file))


def test_too_large_file_and_too_many_files_are_refused(shop: Shop) -> None:
    draft, _ = opened(shop)
    with pytest.raises(DocumentTooLarge):
        shop.do(uploads(shop).create(draft, "a.pdf", uploads(shop).file_bytes_max + 1))
    for number in range(20):
        shop.do(uploads(shop).create(draft, f"{number}.pdf", 100))
    with pytest.raises(DraftFull):
        shop.do(uploads(shop).create(draft, "one more.pdf", 100))


def limited(shop: Shop, monkeypatch: pytest.MonkeyPatch, **limits: int) -> None:
    """Set these limits for the uploads of this shop."""
    mine = msgspec.structs.replace(uploads(shop)._limits, **limits)
    monkeypatch.setattr(uploads(shop), "_limits", mine)
    monkeypatch.setattr(uploads(shop), "_holdings", Holdings(shop.container.database, mine))


PART = b"%PDF-" + b"x" * (PART_BYTES_MAX - 5)


def test_announced_bytes_count_for_no_limit(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    room = 4 * PART_BYTES_MAX
    limited(shop, monkeypatch, draft_bytes_per_network_max=room)
    greedy, _ = opened(shop)
    for number in range(15):
        shop.do(uploads(shop).create(greedy, f"{number}.pdf", room))
    honest, _ = opened(shop)
    assert add(shop, honest, content=large("Surat")).is_usable
    with pytest.raises(NetworkFull):
        (
            shop.do(uploads(shop).create(honest, "besar.pdf", room)),
            "what cannot come in is said at once",
        )


@pytest.mark.parametrize("limit", ["draft_bytes_per_network_max", "drafts_bytes_max"])
def test_part_beyond_limit_is_refused(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    draft, _ = opened(shop)
    files = [
        shop.do(uploads(shop).create(draft, f"{number}.pdf", 2 * PART_BYTES_MAX))
        for number in range(2)
    ]
    share = STRANGERS_SHARE if limit == "drafts_bytes_max" else 1
    limited(shop, monkeypatch, **{limit: int(2 * PART_BYTES_MAX / share) + 1})
    first, second = (shop.do(uploads(shop).append(draft, one, 0, PART)) for one in files)
    for one in (first, second):
        with pytest.raises((NetworkFull, StrangersFull)):
            shop.do(uploads(shop).append(draft, one, PART_BYTES_MAX, PART))
    assert len(kept_objects(shop)) == 2, "what is refused is not stored"
    shop.do(drafts(shop).take_out(draft, second.id))
    limited(shop, monkeypatch, **{limit: int(2 * PART_BYTES_MAX / share) + 1})
    shop.do(uploads(shop).append(draft, first, PART_BYTES_MAX, PART))


def test_received_bytes_of_draft_stay_within_limit(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(shop, monkeypatch, draft_bytes_max=2 * PART_BYTES_MAX)
    draft, _ = opened(shop)
    first, second = (
        shop.do(uploads(shop).create(draft, f"{name}.pdf", 2 * PART_BYTES_MAX)) for name in "ab"
    )
    first = shop.do(uploads(shop).append(draft, first, 0, PART))
    second = shop.do(uploads(shop).append(draft, second, 0, PART))
    with pytest.raises(DraftTooLarge):
        shop.do(uploads(shop).append(draft, first, PART_BYTES_MAX, PART))
    shop.do(drafts(shop).take_out(draft, second.id))
    shop.do(uploads(shop).append(draft, first, PART_BYTES_MAX, PART))


def test_draft_is_created_with_first_file_or_not_at_all(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft, token = drafts(shop).fresh(None, NETWORK)
    limited(shop, monkeypatch, draft_bytes_max=999)
    with pytest.raises(DraftTooLarge):
        shop.do(uploads(shop).create(draft, "a.pdf", 1000, token=token))
    assert shop.rows("SELECT draft_id FROM drafts") == []
    file = shop.do(uploads(shop).create(draft, "a.pdf", 999, token=token))
    found = shop.do(drafts(shop).current(token, None))
    assert found is not None
    assert shop.do(drafts(shop).files(found)) == [file]


def test_drafts_of_network_are_limited(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    limited(shop, monkeypatch, drafts_per_network_max=1)
    opened(shop)
    draft, token = drafts(shop).fresh(None, NETWORK)
    with pytest.raises(NetworkFull):
        shop.do(uploads(shop).create(draft, "a.pdf", 1000, token=token))


def test_networks_of_one_48_have_thrice_the_drafts_of_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(shop, monkeypatch, drafts_per_network_max=1)

    def begin(network: str) -> None:
        draft, token = drafts(shop).fresh(None, network)
        shop.do(uploads(shop).create(draft, "a.pdf", 1000, token=token))

    for number in range(3):
        begin(f"2001:db8:1:{number << 8:x}::/64")
    with pytest.raises(NetworkFull):
        begin("2001:db8:1:700::/64")
    begin("2001:db8:2::/64")


def test_networks_of_one_48_hold_thrice_the_bytes_of_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(shop, monkeypatch, draft_bytes_per_network_max=PART_BYTES_MAX)

    def send(network: str) -> None:
        draft, token = drafts(shop).fresh(None, network)
        file = shop.do(uploads(shop).create(draft, "a.pdf", PART_BYTES_MAX, token=token))
        shop.do(uploads(shop).append(draft, file, 0, PART))

    for number in range(3):
        send(f"2001:db8:1:{number << 8:x}::/64")
    with pytest.raises(NetworkFull):
        send("2001:db8:1:700::/64")
    send("2001:db8:2::/64")


def test_account_has_room_in_full_network(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    content = large("Surat")
    limited(
        shop,
        monkeypatch,
        drafts_per_network_max=1,
        draft_bytes_per_network_max=len(content),
        account_bytes_min=len(content),
    )
    full, _ = opened(shop)
    add(shop, full, content=content)
    draft, token = drafts(shop).fresh(shop.account, NETWORK)
    mine = shop.do(uploads(shop).add_whole(draft, "Surat.pdf", content, token=token))
    assert mine.is_usable
    with pytest.raises(NetworkFull):
        shop.do(uploads(shop).create(draft, "b.pdf", len(content)))


def test_account_has_room_when_strangers_filled_theirs(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = large("Surat")
    limited(shop, monkeypatch, drafts_bytes_max=int(len(content) / STRANGERS_SHARE) + 1)
    strange, token = opened(shop)
    add(shop, strange, content=content)
    with pytest.raises(StrangersFull):
        shop.do(uploads(shop).create(strange, "b.pdf", 1000))
    draft, own = drafts(shop).fresh(shop.account, NETWORK)
    assert shop.do(uploads(shop).add_whole(draft, "c.pdf", pdf(), token=own)).is_usable
    with pytest.raises(DraftsFull):
        shop.do(uploads(shop).create(draft, "d.pdf", len(content)))
    adopt(shop, token)
    limited(shop, monkeypatch, drafts_bytes_max=int(len(content) / STRANGERS_SHARE) + 1)
    other, token = drafts(shop).fresh(None, NETWORK)
    again = shop.do(uploads(shop).create(other, "e.pdf", 1000, token=token))
    assert again.size == 1000, "what became an account's fills no room of strangers"


def test_draft_of_account_does_not_count_for_network(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(shop, monkeypatch, drafts_per_network_max=1)
    opened(shop, signed_in=True)
    draft, token = drafts(shop).fresh(None, NETWORK)
    shop.do(uploads(shop).create(draft, "a.pdf", 1000, token=token))


def test_file_without_bytes_is_forgotten_soon(shop: Shop) -> None:
    empty, _ = opened(shop)
    shop.do(uploads(shop).create(empty, "kosong.pdf", 1000))
    used, _ = opened(shop)
    kept = add(shop, used)
    shop.do(uploads(shop).create(used, "kosong.pdf", 1000))
    later = ahead_of(shop, EMPTY_LIVES)
    assert shop.do(later.forget_old()) == 3, "two files and a draft"
    assert [row["file_id"] for row in shop.rows("SELECT file_id FROM draft_files")] == [kept.id]
    assert [row["draft_id"] for row in shop.rows("SELECT draft_id FROM drafts")] == [used.id]


def test_unfinished_file_is_deleted_an_hour_after_its_last_part(shop: Shop) -> None:
    draft, _ = opened(shop)
    whole = add(shop, draft)
    left, goes_on = (
        shop.do(uploads(shop).create(draft, f"{name}.pdf", 3 * PART_BYTES_MAX)) for name in "ab"
    )
    for one in (left, goes_on):
        one = shop.do(uploads(shop).append(draft, one, 0, PART))
        assert one.expires_at(draft) <= one.last_part_at + UNFINISHED_LIVES
    shop.arrange("UPDATE draft_files SET last_part_at = last_part_at - interval '50 minutes'")
    goes_on = shop.do(drafts(shop).file(draft, goes_on.id))
    shop.do(uploads(shop).append(draft, goes_on, PART_BYTES_MAX, PART))
    assert shop.do(shop.container.of(Forgetting).forget_old()) == 0
    later = ahead_of(shop, timedelta(minutes=10))
    assert shop.do(later.forget_old()) == 1
    assert {one.id for one in shop.do(drafts(shop).files(draft))} == {whole.id, goes_on.id}
    assert len(kept_objects(shop)) == 3, "its bytes are gone"
    with pytest.raises(NotFound):
        shop.do(drafts(shop).file(draft, left.id))


def test_use_prolongs_draft_up_to_maximum(shop: Shop) -> None:
    draft, token = opened(shop)
    add(shop, draft)
    found = shop.do(drafts(shop).current(token, None))
    assert found is not None
    lives = timedelta(seconds=drafts(shop)._settings.draft_lives_seconds)
    assert found.expires_at > draft.created_at + lives - timedelta(minutes=1)

    def used_after(time: timedelta) -> timedelta:
        shop.arrange(
            "UPDATE drafts SET created_at = created_at - %s, expires_at = now() + interval '1 hour'",
            time,
        )
        again = shop.do(drafts(shop).current(token, None))
        assert again is not None
        return again.expires_at - SystemClock().now()

    assert used_after(timedelta(hours=20)) > lives - timedelta(minutes=1)
    left = used_after(timedelta(hours=36))  # 56 hours after the draft began: 16 are left
    assert timedelta(hours=15) < left <= timedelta(hours=16)


def test_document_for_placement_check_is_loaded_in_its_turn(shop: Shop) -> None:
    loaded = 0

    async def crowd() -> None:
        is_open = asyncio.Event()

        async def load() -> bytes:
            nonlocal loaded
            loaded += 1
            await is_open.wait()
            return pdf()

        check = drafts(shop)._examination.check
        many = [asyncio.create_task(check(f"network {at}", load, [PLACE])) for at in range(6)]
        for _ in range(200):
            await asyncio.sleep(0)  # long enough for all callers to ask
        assert loaded == CHECKED_AT_ONCE
        is_open.set()
        await asyncio.gather(*many)

    shop.do(crowd())
    assert loaded == 6
