"""Drafts: their owners, their files, and their removal."""

from datetime import timedelta

import msgspec
import pytest

from meterai.documents import content_name
from meterai.drafts import Draft, DraftFile, DraftService, FileNotReady, FileState, Uploads, store
from meterai.drafts.forgetting import Forgetting
from meterai.drafts.holdings import STRANGERS_SHARE, Holdings
from meterai.drafts.model import (
    MARK_LIVES,
    PART_BYTES_MAX,
    UNFINISHED_LIVES,
    DraftFull,
    NetworkFull,
    PartSizeWrong,
    StrangersFull,
    UploadLengthInconsistent,
    UploadOffsetMismatch,
    hash_of,
    is_sign_in_mark,
    sign_in_mark,
)
from meterai.drafts.uploads import EXAMINATIONS_MAX
from meterai.kit.clock import SystemClock
from meterai.kit.ids import new_id
from meterai.kit.refusal import NotFound
from meterai.sealing import DocumentTooLarge, Placement, PlacementOutsidePage
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


def test_file_with_pages_smaller_than_stamp_is_refused_by_name(shop: Shop) -> None:
    draft, _ = opened(shop)
    small = pdf().replace(b"595 842", b"050 050")
    file = add(shop, draft, "kartu", small)
    assert (file.state, file.refusal) == (FileState.REFUSED, "pages_too_small")


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


def test_drafts_of_network_are_limited(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    limited(shop, monkeypatch, drafts_per_network_max=1)
    opened(shop)
    draft, token = drafts(shop).fresh(None, NETWORK)
    with pytest.raises(NetworkFull):
        shop.do(uploads(shop).create(draft, "a.pdf", 1000, token=token))


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
