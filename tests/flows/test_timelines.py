"""One timeline of all happenings of a subject, and the results of the search box."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from meterai.kit.ids import new_id, show
from meterai.kit.serial import Serial
from meterai.kit.subjects import Subject, SubjectKind
from meterai.notifications.model import JOB_SUBJECT
from meterai.plumbing.observe.exchange import EXCHANGE, Exchange
from meterai.refunds.model import REFUND_SUBJECT
from meterai.room.timelines import line
from tests.support.shop import PRICE, Shop
from tests.support.till import Till, paid_body
from tests.support.timelines import OFFERS, search, sentences, timeline_of, words


def test_timeline_of_an_order_goes_from_placement_to_execution(till: Till) -> None:
    order, attempt, qr = till.order(2)
    number = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    told = timeline_of(till.shop, _order(till, order))
    assert [one for one in words(told) if one.startswith(("order_", "payment_"))] == [
        "order_placed",
        "payment_instructed",
        "payment_captured",
        "order_paid",
        "order_executed",
    ]
    assert [one.at for one in told] == sorted(one.at for one in told)
    read = "\n".join(sentences(told))
    assert number in read
    assert f"Rp{2 * PRICE:,}".replace(",", ".") in read
    assert till.reference(attempt) in read
    assert sentences(told, "id") != sentences(told, "en")


def test_second_and_short_payments_are_named_as_such(till: Till) -> None:
    order, attempt, _ = till.order(2)
    reference = till.reference(attempt)
    till.notify(paid_body(reference, "P1", f"{PRICE}.00"))
    till.notify(paid_body(reference, "P2", f"{2 * PRICE}.00"))
    till.notify(paid_body(reference, "P3", f"{2 * PRICE}.00"))
    told = words(timeline_of(till.shop, _order(till, order)))
    assert [one for one in told if one.startswith("payment_captured")] == [
        "payment_captured_short",
        "payment_captured",
        "payment_captured_again",
    ]


def test_order_is_found_by_every_number_it_has(till: Till) -> None:
    order, attempt, qr = till.order()
    number = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    there = till.attempt(attempt)["provider_reference"]
    shown = show("ord", order)
    for text in (shown, shown.upper(), f"  {shown} ", number, there, till.reference(attempt)):
        assert search(till.shop, text) == [_order(till, order)], text


@pytest.mark.parametrize(
    "text", ["", " ", "ord_", "ord_" + "z" * 26, "\0", "a\0b", "%", "'; --", "x" * 10_000_000]
)
def test_unknown_text_finds_nothing(till: Till, text: str) -> None:
    assert search(till.shop, text) == []


def _order(till: Till, order: UUID) -> Subject:
    return Subject(SubjectKind.ORDER, show("ord", order), till.shop.account)


def test_refund_is_in_the_timeline_of_its_order_and_found_by_its_numbers(till: Till) -> None:
    order, _, qr = till.order()
    till.control("pay", qr_content=qr)
    till.ask()
    till.shop.ask_back(order)
    till.shop.work()
    till.send_refunds()
    [row] = till.rows("SELECT refund_id, refund_no, provider_refund_no FROM refunds")
    about = Subject(REFUND_SUBJECT.kind, show("rfd", row["refund_id"]), till.shop.account)
    for text in (about.shown, row["refund_no"], row["provider_refund_no"]):
        assert search(till.shop, text) == [about], text
    told = timeline_of(till.shop, _order(till, order))
    assert [one for one in words(told) if one.startswith(("refund_", "stamps_"))] == [
        "stamps_issued",
        "refund_begun",
        "refund_sent",
        "refund_settled",
    ]
    assert "trail_line" in words(told, for_staff=True)  # shows who requested it
    mine = timeline_of(till.shop, about)
    assert {"refund_begun", "refund_sent", "refund_settled"} <= set(words(mine))
    assert _order(till, order) in [one.about for one in mine]
    sentences(told)
    sentences(mine, "id")


def test_documents_of_an_order_are_in_its_timeline_and_found(shop: Shop) -> None:
    order = shop.place_documents([1, 1])
    shop.pay(order)
    shop.work()
    delivered, failed = shop.stampings
    shop.deliver(delivered)
    shop.fail(failed)
    shop.work()
    told = timeline_of(shop, Subject(SubjectKind.ORDER, show("ord", order), shop.account))
    assert {"stamping_asked", "stamping_delivered", "stamping_failed", "refund_begun"} <= set(
        words(told)
    )
    read = "\n".join(sentences(told))
    [row] = shop.rows("SELECT * FROM stampings WHERE stamping_id = %s", delivered)
    about = Subject(SubjectKind.STAMPING, show("stg", delivered), shop.account)
    for text in (about.shown, row["sha256_original"].hex(), row["sha256_stamped"].hex().upper()):
        assert search(shop, text) == [about], text
    serial = shop.rows("SELECT serial FROM stamps WHERE stamping_id = %s", delivered)[0]["serial"]
    assert serial in read.replace(" ", "")
    stamp = Subject(SubjectKind.SERIAL, serial, shop.account)
    grouped = Serial(serial).grouped()
    for text in (serial, serial.lower(), grouped, grouped.replace(" ", "\u00a0")):
        assert search(shop, text) == [stamp], text
    mine = words(timeline_of(shop, stamp))
    assert {"stamp_issued", "stamp_reserved", "stamp_affixed", "stamping_delivered"} <= set(mine)


def test_acts_of_a_request_are_found_by_its_id(shop: Shop) -> None:
    order = shop.place(2)
    shop.pay(order)
    shop.work()

    async def ask() -> None:
        before = EXCHANGE.set(Exchange(b"a-request-of-4711"))
        await shop.asking_back(order)
        EXCHANGE.reset(before)

    shop.do(ask())
    about = Subject(SubjectKind.ORDER, show("ord", order), shop.account)
    assert search(shop, "a-request-of-4711") == [about]
    lines = [one for one in timeline_of(shop, about) if one.word == "trail_line"]
    assert [one.facts["request"] for one in lines] == ["a-request-of-4711"]
    assert search(shop, "another-request") == []


def test_given_up_mail_and_job_are_found_and_listed(shop: Shop) -> None:
    mail, job = new_id(), new_id()
    shop.arrange(
        "INSERT INTO mails (account_id, mail_id, cause_key, template, language, recipient, facts, state, last_fault)"
        " VALUES (%s, %s, 'x', 'refund_settled', 'id', 'a@example.id', '{}', 'given_up', '550 no')",
        shop.account,
        mail,
    )
    shop.arrange(
        "INSERT INTO dead_jobs (account_id, job_id, handler, kind, facts, created_at, tries, fault)"
        " VALUES (%s, %s, 'notifications.tell', 'order_executed', '{}', now(), 12, '<b>boom</b>')",
        shop.account,
        job,
    )
    for identifier, word in ((mail, "mail_given_up"), (job, "job_failed")):
        about = Subject(JOB_SUBJECT.kind, str(identifier), shop.account)
        assert search(shop, str(identifier)) == [about]
        assert words(timeline_of(shop, about), for_staff=True) == [word]
    now = datetime.now(UTC)

    async def waiting(name: str) -> list[str]:
        async with shop.container.database.reading() as tx:
            found = await OFFERS.work[name].waiting(tx, shop.container.settings, now, 10)
        return [one.about.shown for one in found]

    assert shop.do(waiting("mails")) == [str(mail)]
    assert shop.do(waiting("jobs")) == [str(job)]
    shop.arrange("DELETE FROM mails; DELETE FROM dead_jobs")


def test_work_lists_have_waiting_items_most_urgent_first(shop: Shop) -> None:
    shop.set_issuing(is_open=False)
    late, soon = shop.place(1), shop.place(2)
    for order in (soon, late):
        shop.pay(order)
    shop.work()
    due = datetime.now(UTC) + timedelta(minutes=15)

    async def waiting(name: str, at: datetime) -> list[tuple[str, datetime | None]]:
        async with shop.container.database.reading() as tx:
            found = await OFFERS.work[name].waiting(tx, shop.container.settings, at, 10)
        return [(one.about.shown, one.due) for one in found]

    assert shop.do(waiting("money_in_flight", datetime.now(UTC))) == []  # its time is not over yet
    found = shop.do(waiting("money_in_flight", due - timedelta(minutes=6)))
    assert [shown for shown, _ in found] == [show("ord", soon), show("ord", late)]
    shop.refund_overdue(soon)
    [(shown, due_at)] = shop.do(waiting("refunds", due))
    assert shown.startswith("rfd_")
    assert due_at is not None
    shop.set_issuing(is_open=True)


def test_names_with_markup_are_shown_as_text(shop: Shop) -> None:
    order = shop.place_documents([1])
    shop.arrange("UPDATE documents SET name = '<script>alert(1)</script>{total}.pdf'")
    told = timeline_of(shop, Subject(SubjectKind.ORDER, show("ord", order), shop.account))
    read = [one for one in (line(one, "en").sentence for one in told) if "alert" in one]
    assert "<script>alert(1)</script>{total}.pdf" in read[0]  # escaped by the page that shows it
