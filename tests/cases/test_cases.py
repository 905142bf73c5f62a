"""Life of a case from complaint to end: by the person, by staff, by returned money, and by time."""

import asyncio
import io
from datetime import timedelta

import pytest
from PIL import Image

from meterai.cases import Matter
from meterai.cases.model import (
    UNSIGNED_MESSAGES_MAX,
    UNSIGNED_OPEN_MAX,
    UNSIGNED_PER_DAY_MAX,
    Case,
    CaseEvent,
    CaseOutcome,
    CaseOver,
    CaseState,
    Complaint,
    TooManyCases,
    TooManyPictures,
    address_account,
)
from meterai.cases.words import answer_text, timeline_lines
from meterai.kit.clock import WIB
from meterai.kit.ids import show
from meterai.kit.lifecycle import NotAllowedNow
from meterai.kit.refusal import NotFound
from meterai.plumbing.http.requests import IdempotencyKeyReused
from tests.cases.desk import PERSON, Desk

M, S = Matter, CaseState


def trail(desk: Desk) -> list[str]:
    """Acts in the trail about cases, sorted by name, since acts of one transaction share a time."""
    rows = desk.shop.rows(
        "SELECT action FROM audit_events WHERE action LIKE 'case_%%' ORDER BY action"
    )
    return [row["action"] for row in rows]


def test_complaint_is_answered_from_the_facts_at_once(desk: Desk) -> None:
    order = desk.executed(2)
    case = desk.complain(M.PAID_NOT_EXECUTED, order)
    assert (case.state, case.answer, case.about) == (S.ANSWERED, "stamps_ready", show("ord", order))
    assert case.facts_sha256 == desk.facts(order).digest
    said = answer_text(desk.again(case), "id")
    assert said is not None
    assert "Dari 2 meterai: 2 belum dipakai" in said.sentence
    assert "dikembalikan di halaman pesanan" in said.next
    assert said.link == f"/orders/{show('ord', order)}"
    [mail] = desk.mails()
    assert mail["template"] == "case_answered_from_facts"
    assert mail["recipient"] == desk.email
    assert "2 unused" in mail["facts"]["answer"]["en"]
    assert trail(desk) == ["case_answered_from_facts", "case_opened"]
    desk.shop.assert_books_hold()


def test_complaint_without_order_means_the_newest_whose_facts_fit(desk: Desk) -> None:
    meant = desk.paid_while_stopped()
    desk.shop.set_issuing(is_open=True)
    desk.shop.execute(meant)
    waiting = desk.placed()
    desk.shop.set_issuing(is_open=False)
    desk.shop.pay(waiting)
    desk.shop.work()
    desk.shop.set_issuing(is_open=True)
    desk.executed(1)
    assert desk.complain(M.PAID_NOT_EXECUTED).about == show("ord", waiting)


def test_person_accepts_the_answer(desk: Desk) -> None:
    case = desk.complain(M.QUOTA_LOST, desk.executed())
    desk.shop.do(desk.service.accept(case, actor=PERSON))
    done = desk.again(case)
    assert (done.state, done.outcome) == (S.CLOSED, CaseOutcome.ACCEPTED)
    assert done.closed_at is not None
    desk.shop.assert_books_hold()


def test_unhelpful_answer_goes_to_staff_with_a_due_time_in_working_hours(desk: Desk) -> None:
    case = desk.complain(M.QUOTA_LOST, desk.executed())
    desk.shop.do(desk.service.not_answered(case, "Hilang dua.", actor=PERSON))
    case = desk.again(case)
    assert case.state == S.OPEN
    assert case.due_at is not None
    due = case.due_at.astimezone(WIB)
    assert due.weekday() < 5
    assert 8 <= due.hour <= 16
    assert case.due_at - case.opened_at < timedelta(days=5)
    answered = desk.act(case, CaseEvent.ANSWERED)
    assert (answered.state, desk.again(case).owner) == (S.ANSWERED, desk.staff)
    assert [one.words for one in desk.told(case).messages][-2:] == ["Hilang dua.", "Halo."]
    assert desk.mails()[-1]["template"] == "case_answered"
    desk.shop.assert_books_hold()


def test_closed_case_is_reopened_once(desk: Desk) -> None:
    case = desk.complain(M.SOMETHING_ELSE)
    desk.act(case, CaseEvent.CLOSED, CaseOutcome.SOLVED)
    desk.say(case)
    assert desk.again(case).state == S.OPEN
    desk.act(case, CaseEvent.CLOSED, CaseOutcome.SOLVED)
    with pytest.raises(CaseOver):
        desk.say(case)
    with pytest.raises(NotAllowedNow):
        desk.act(case, CaseEvent.ANSWERED)
    desk.shop.assert_books_hold()


@pytest.mark.parametrize("is_asked", [False, True])
def test_case_without_reply_ends_after_its_time(desk: Desk, is_asked: bool) -> None:
    case = desk.complain(M.SOMETHING_ELSE if is_asked else M.QUOTA_LOST, desk.executed())
    if is_asked:
        desk.act(case, CaseEvent.ASKED)
    desk.pass_days(9)
    assert desk.shop.do(desk.service.close_silent()) == 0
    desk.pass_days(2)
    assert desk.shop.do(desk.service.close_silent()) == 1
    assert desk.again(case).outcome == CaseOutcome.SILENT
    assert desk.shop.do(desk.service.close_silent()) == 0


def test_case_ends_when_the_money_of_its_order_is_returned(desk: Desk) -> None:
    order = desk.executed(1)
    money, other = desk.complain(M.SOMETHING_ELSE, order), desk.complain(M.QUOTA_LOST, order)
    desk.shop.do(desk.service.not_answered(other, "", actor=PERSON))
    desk.shop.ask_back(order)
    desk.shop.work()
    desk.give_back("send")
    assert desk.again(other).state == S.OPEN
    desk.give_back("settle")
    done = desk.again(other)
    assert (done.state, done.outcome) == (S.CLOSED, CaseOutcome.MONEY_BACK)
    said = answer_text(done, "en")
    assert said is not None
    assert "has been returned to the account you paid from" in said.sentence
    assert desk.again(money).state == S.OPEN
    assert desk.mails()[-1]["template"] == "case_closed"
    desk.shop.assert_books_hold()


def test_complaint_of_same_matter_and_order_joins_the_open_case(desk: Desk) -> None:
    order = desk.executed(1)
    first = desk.complain(M.REFUND_WHERE, order)
    assert desk.complain(M.REFUND_WHERE, order).id == first.id
    assert desk.complain(M.PAID_TWICE, order).id != first.id
    desk.shop.ask_back(order)
    desk.shop.work()
    changed = desk.complain(M.REFUND_WHERE, order)
    assert (changed.id, desk.again(first).answer) == (first.id, "refund_on_its_way")
    assert desk.again(first).told == 3
    desk.shop.assert_books_hold()


def test_same_key_returns_same_case_and_refuses_another_complaint(desk: Desk) -> None:
    order = desk.executed(1)
    first = desk.complain(M.REFUND_WHERE, order, key="k1")
    assert desk.complain(M.REFUND_WHERE, order, key="k1").id == first.id
    assert desk.again(first).told == 1
    with pytest.raises(IdempotencyKeyReused):
        desk.complain(M.PAID_TWICE, order, key="k1")


def test_concurrent_complaints_with_same_key_are_one_case(
    desk: Desk,
) -> None:
    order = desk.executed(1)

    async def at_once(*matters: Matter) -> list[Case | BaseException]:
        work = (
            desk.service.complain(
                desk.shop.account,
                Complaint(matter, "Dua kali klik.", "id", show("ord", order), key=str(matters)),
                actor=PERSON,
            )
            for matter in matters
        )
        return await asyncio.gather(*work, return_exceptions=True)

    for matter in Matter:
        first, second = desk.shop.do(at_once(matter, matter))
        assert isinstance(first, Case), first
        assert isinstance(second, Case), second
        assert (first.id, desk.again(first).told) == (second.id, 1)
    for case in desk.shop.rows("SELECT case_id FROM cases"):
        one = desk.shop.do(desk.service.one(case["case_id"]))
        desk.act(one, CaseEvent.CLOSED, CaseOutcome.EXPLAINED)
    both = desk.shop.do(at_once(M.PAID_TWICE, M.QUOTA_LOST))
    assert {type(one) for one in both} == {Case, IdempotencyKeyReused}
    desk.shop.assert_books_hold()


def test_10000_complaints_of_one_address_make_one_case(desk: Desk) -> None:
    for number in range(40):
        desk.send("bom@example.id", M.PAID_NOT_EXECUTED, network=f"192.0.2.{number}")
    [row] = desk.shop.rows("SELECT case_id, times_told FROM cases")
    assert row["times_told"] == 40
    [kept] = desk.shop.rows("SELECT count(*) FROM case_messages")
    assert kept["count"] == UNSIGNED_MESSAGES_MAX
    assert len(desk.mails()) == 1
    for number in range(20):
        desk.send("bom@example.id", M.PAID_NOT_EXECUTED, network=f"198.51.100.{number}")
    with pytest.raises(TooManyCases):
        desk.send("bom@example.id", M.PAID_NOT_EXECUTED, network="203.0.113.1")
    assert desk.cases() == 1
    desk.shop.assert_books_hold()


def test_complaints_of_a_network_are_limited(desk: Desk) -> None:
    for number in range(60):
        desk.service.take_turn("203.0.113.9", f"a{number}@example.id")
    with pytest.raises(TooManyCases):
        desk.service.take_turn("203.0.113.9", "another@example.id")


# -- strangers -----------------------------------------------------------------------------------------


def test_complaint_about_an_order_of_another_account_reveals_nothing(desk: Desk) -> None:
    order = desk.executed(1)
    stranger = desk.other_account()
    case = desk.complain(M.PAID_NOT_EXECUTED, order, account=stranger)
    nowhere = desk.complain(
        M.PAID_NOT_EXECUTED, "ord_00000000000000000000000000", account=desk.other_account()
    )
    for one in (case, nowhere):
        assert (one.state, one.about, one.answer, one.order) == (S.OPEN, "", None, None)
    with pytest.raises(NotFound):
        desk.shop.do(desk.service.mine(desk.shop.account, case.id))
    told = desk.told(case).happenings
    assert [one.word for one in told if not one.for_staff] == ["case_complaint"]
    assert not [one for one in told if show("ord", order) in str(one.facts)]
    assert all(show("ord", order) not in str(mail["facts"]) for mail in desk.mails())


def test_unsigned_complaint_is_answered_by_mail_outside_the_account(
    desk: Desk,
) -> None:
    order = desk.executed(1)
    desk.send(desk.email.upper(), M.PAID_NOT_EXECUTED, order)
    [mail] = desk.mails()
    assert (mail["template"], mail["recipient"]) == ("case_answered_from_facts", desk.email)
    [row] = desk.shop.rows("SELECT account_id, case_id, about FROM cases")
    assert (row["account_id"], row["about"]) == (address_account(desk.email), show("ord", order))
    case = desk.shop.do(desk.service.mine(desk.shop.account, row["case_id"]))
    assert case.is_unsigned
    told_to_person = [one for one in desk.told(case).happenings if not one.for_staff]
    assert [one.word for one in told_to_person] == ["case_complaint", "case_facts"]
    desk.shop.do(desk.service.not_answered(case, "Belum.", actor=PERSON))
    assert desk.again(case).state == S.OPEN
    desk.shop.assert_books_hold()


def test_unsigned_complaints_and_mails_of_an_address_are_limited(desk: Desk) -> None:
    order = desk.executed(1)
    for matter in Matter:
        desk.send(desk.email, matter, order)
    assert desk.cases() == len(desk.mails()) == UNSIGNED_OPEN_MAX
    for _ in range(UNSIGNED_PER_DAY_MAX):
        for row in desk.shop.rows("SELECT case_id FROM cases WHERE state <> 'closed'"):
            case = desk.shop.do(desk.service.one(row["case_id"]))
            desk.act(case, CaseEvent.CLOSED, CaseOutcome.EXPLAINED)
        desk.send(desk.email, M.SOMETHING_ELSE)
    closed = [one for one in desk.mails() if one["template"] == "case_closed"]
    assert desk.cases() == len(desk.mails()) - len(closed) == UNSIGNED_PER_DAY_MAX


# -- files ---------------------------------------------------------------------------------------------


def picture(**more: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (1200, 800), "#2277aa").save(out, "JPEG", **more)
    return out.getvalue()


def test_picture_is_re_encoded_without_metadata(desk: Desk) -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    exif[0x0112] = 6  # rotated by 90 degrees
    webp = desk.shop.do(desk.service.redrawn(picture(exif=exif), "192.0.2.1"))
    assert b"secret place" not in webp
    with Image.open(io.BytesIO(webp)) as drawn:
        assert (drawn.format, drawn.width < drawn.height) == ("WEBP", True)
        assert not drawn.getexif()
    case = desk.complain(M.SOMETHING_ELSE, pictures=(webp,))
    [kept] = desk.told(case).pictures
    assert desk.shop.do(desk.service.picture(case, kept)) == webp
    desk.shop.assert_books_hold()


def test_more_pictures_than_a_case_keeps_are_refused(desk: Desk) -> None:
    webp = desk.shop.do(desk.service.redrawn(picture(), "192.0.2.1"))
    with pytest.raises(TooManyPictures):
        desk.complain(M.SOMETHING_ELSE, pictures=(webp,) * 4)
    assert desk.cases() == 0


def test_attached_document_selects_its_stamping(desk: Desk) -> None:
    desk.executed(2)
    stamping = desk.shop.reserve(1)
    assert stamping is not None
    desk.shop.deliver(stamping)
    desk.shop.work()
    [row] = desk.shop.rows("SELECT sha256_stamped, sha256_original FROM stampings")
    for digest in (row["sha256_stamped"], row["sha256_original"]):
        case = desk.complain(M.INVALID_AT_AGENCY, digest=bytes(digest))
        assert (case.about, case.answer) == (show("stg", stamping), "stamp_holds")
    assert desk.complain(M.FILE_MISSING, digest=b"0" * 32).about == ""


def test_serial_selects_its_stamping_and_a_failed_one_returns_its_stamp(desk: Desk) -> None:
    desk.executed(2)
    stamping = desk.shop.reserve(1)
    assert stamping is not None
    desk.shop.fail(stamping)
    desk.shop.work()
    case = desk.complain(M.STAMP_MISSING, show("stg", stamping))
    assert case.answer == "stamping_failed"
    said = answer_text(desk.again(case), "id")
    assert said is not None
    assert "Meterainya sudah kembali ke saldo" in said.next


# -- words ---------------------------------------------------------------------------------------------


def test_file_name_in_an_answer_is_quoted(desk: Desk) -> None:
    desk.executed(2)
    stamping = desk.shop.reserve(1)
    assert stamping is not None
    desk.shop.deliver(stamping)
    desk.shop.work()
    name = f"a” of 1 January is void. The operator owes “b{'c' * 100}.pdf"
    desk.shop.arrange("UPDATE documents SET name = %s", name)
    case = desk.complain(M.INVALID_AT_AGENCY, show("stg", stamping))
    shown = "a' of 1 January is void. The operator owes 'bcccccccccccccc…"
    for language, before in (("en", "ocument"), ("id", "okumen")):
        said = answer_text(case, language)
        assert said is not None
        sentences = [one.sentence for one in timeline_lines(desk.told(case).happenings, language)]
        named = [one for one in (said.sentence, *sentences) if "operator owes" in one]
        assert len(named) > 2
        for sentence in named:
            assert f"{before} “\u2068{shown}\u2069”" in sentence
