"""One timeline of everything that happened to a subject, and what the search box finds."""

from uuid import UUID

import pytest

from meterai.kit.ids import show
from meterai.kit.subjects import Subject, SubjectKind
from tests.support.shop import PRICE
from tests.support.till import Till, paid_body
from tests.support.timelines import search, sentences, timeline_of, words


def test_order_is_told_from_its_placing_to_its_execution(till: Till) -> None:
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


def test_second_payment_and_a_short_one_say_so(till: Till) -> None:
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
def test_text_that_names_nothing_finds_nothing(till: Till, text: str) -> None:
    assert search(till.shop, text) == []


def test_item_in_suspense_is_told_with_the_order_it_speaks_of(till: Till) -> None:
    order, attempt, _ = till.order()
    reference = till.reference(attempt)
    till.notify(paid_body(reference, "P7", "not a sum"))
    [item] = till.rows("SELECT item_id FROM suspense_items")
    about = Subject(SubjectKind.SUSPENSE, show("sus", item["item_id"]))
    assert search(till.shop, about.shown) == [about]
    assert about in search(till.shop, reference)
    assert about in search(till.shop, "P7")
    told = timeline_of(till.shop, _order(till, order))
    assert [one.about for one in told if one.word == "suspense_opened"] == [about]
    assert "suspense_opened" not in words(told)  # staff alone see it
    assert "suspense_opened" in words(timeline_of(till.shop, about), for_staff=True)


def _order(till: Till, order: UUID) -> Subject:
    return Subject(SubjectKind.ORDER, show("ord", order), till.shop.account)
