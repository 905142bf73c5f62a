"""Page of a document, and the history of an account."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from litestar import Litestar

from meterai.accounts import AccountService
from meterai.apps.rooms import pages_of
from meterai.kit.ids import read, show
from meterai.orders import OrderKind, OrderState, OrderView
from meterai.pages import Site, rendered
from meterai.plumbing.messages import LANGUAGES, format_datetime, translate
from meterai.portal.order_text import OrderNow
from meterai.portal.routes import routes
from meterai.portal.routes.history import entries
from meterai.refunds import RefundCause, RefundState, RefundView
from meterai.stamping import Stamping, StampingState
from meterai.stamping.model import shown
from meterai.stamps import Lot, StampBalance
from tests.support.pages import application, asked_by_somebody
from tests.support.shown import HOSTILE, NOW, TOTAL, money, order, refund, stamping


@pytest.fixture(scope="module")
def app() -> Litestar:
    return application(routes, Site(*pages_of()), AccountService)


@pytest.fixture(params=LANGUAGES)
def asked(app: Litestar, request: pytest.FixtureRequest) -> Any:
    """Return a request of a signed-in person, in each language."""
    return asked_by_somebody(app, request.param)


def stamping_page(
    asked: Any, one: Stamping, of: OrderView | None = None, *, is_issuing: bool = True
) -> str:
    is_covered = of is not None and of.money.captured >= of.total
    this = OrderNow(of, NOW, lot=None, is_issuing=is_issuing, is_covered=is_covered) if of else None
    facts = {
        "stamping": shown(one),
        "order": of,
        "state": this.state_of(one) if this else one.state,
        "is_on_hold": bool(this and this.is_on_hold),
    }
    return rendered(asked, "portal/stamping.html", facts)


@pytest.mark.parametrize("of", [None, *OrderState])
@pytest.mark.parametrize("state", StampingState)
def test_page_of_a_stamping_is_true_in_every_state(
    asked: Any, state: StampingState, of: OrderState | None
) -> None:
    """A document waits for payment only while its order can be paid; in a paid order it is shown as reserved."""
    language = asked.cookies["language"]
    one = None if of is None else order(of, OrderKind.DOCUMENTS)
    text = stamping_page(asked, stamping(state), one)
    is_over = of not in (None, OrderState.PLACED, OrderState.PAID, OrderState.EXECUTED)
    waits = state == StampingState.WAITING
    is_paid = of in (OrderState.PAID, OrderState.EXECUTED)
    of_order = StampingState.DROPPED if is_over else StampingState.RESERVED if is_paid else state
    told = of_order if waits else state
    assert translate(f"state.stamping.{told}", language) in text
    assert not is_over or translate("page.stamping.waiting", language) not in text
    assert HOSTILE not in text
    assert not re.search(r"page\.|\{", text)
    in_account = translate("page.stamping.failed", language) in text
    assert in_account == (state == StampingState.FAILED and of is None)


def test_paid_document_waits_while_issuing_is_stopped(asked: Any) -> None:
    language = asked.cookies["language"]
    paid = order(OrderState.PAID, OrderKind.DOCUMENTS)
    assert paid.refund_due_at is not None
    number = read("ord", paid.id)
    found = [
        stamping(StampingState.WAITING, order=number, name=name) for name in ("a.pdf", "b.pdf")
    ]
    due = format_datetime(paid.refund_due_at, language)
    for is_issuing in (True, False):
        one = stamping_page(asked, found[0], paid, is_issuing=is_issuing)
        told = translate(
            f"page.stamping.{'reserved.of_order' if is_issuing else 'on_hold'}", language, due=due
        )
        assert told in one
        for text in (one, my_stamps(asked, [paid], found, is_issuing=is_issuing)):
            assert (translate("state.stamping.reserved", language) in text) == is_issuing
            assert (translate("page.document.on_hold", language) in text) == (not is_issuing)


def test_sentences_of_a_document_have_their_time(asked: Any) -> None:
    """Before its stamps are held, a document of a paid order has no due time of its own."""
    paid = order(OrderState.PAID, OrderKind.DOCUMENTS)
    one = replace(stamping(StampingState.WAITING, order=read("ord", paid.id)), due_at=None)
    assert paid.refund_due_at is not None
    due = format_datetime(paid.refund_due_at, asked.cookies["language"])
    for is_issuing in (True, False):
        [lead] = re.findall(
            r'class="lead">(.*?)</p>', stamping_page(asked, one, paid, is_issuing=is_issuing)
        )
        assert due in lead


def test_page_of_a_document_describes_its_delta(asked: Any) -> None:
    one = stamping(StampingState.DELIVERED, name="Surat.pdf")
    text = stamping_page(asked, one)
    assert f'data-delta="/stampings/{show("stg", one.id)}/delta"' in text
    assert 'data-name="Surat-bermeterai.pdf"' in text
    assert f'data-original="{"00" * 32}" data-stamped="{"00" * 32}"' in text
    # The delta fits only the repaired file, which no device has.
    assert "data-delta" not in stamping_page(asked, replace(one, is_repaired=True))


@pytest.mark.parametrize("is_repaired", [True, False])
def test_repaired_document_is_shown_as_such(asked: Any, is_repaired: bool) -> None:
    one = replace(stamping(StampingState.DELIVERED), is_repaired=is_repaired)
    language = asked.cookies["language"]
    text = stamping_page(asked, one)
    assert (translate("page.stamping.repaired", language) in text) == is_repaired
    short = translate("page.stamping.repaired.short", language)
    assert (short in my_stamps(asked, stampings=[one])) == is_repaired


def my_stamps(
    asked: Any,
    orders: Sequence[OrderView] = (),
    stampings: Sequence[Stamping] = (),
    refunds: Sequence[RefundView] = (),
    lots: Mapping[UUID, Lot] | None = None,
    *,
    is_issuing: bool = True,
    **more: object,
) -> str:
    issued = [one for one in orders if is_issuing or one.state != OrderState.PAID]
    bought = {read("ord", one.id): Lot(read("ord", one.id), 2, 0, 2, 0) for one in issued}
    every = bought | dict(lots or {})
    paid = [one.id for one in orders if one.money.captured >= one.total]
    found = entries(orders, stampings, refunds, every, paid, NOW, is_issuing=is_issuing)
    facts = {
        "entries": found,
        "is_first": True,
        "older": None,
        "balance": StampBalance(3, 1, 7),
        "now": NOW,
    }
    return rendered(asked, "portal/history.html", facts | more)


def test_history_is_newest_first_with_documents_under_their_order(asked: Any) -> None:
    placed = order(OrderState.EXECUTED, OrderKind.DOCUMENTS)
    later = replace(
        stamping(StampingState.DELIVERED, at=NOW + timedelta(hours=1)),
        id=UUID(int=read("ord", placed.id).int + 1),  # ids are ordered by time
    )
    found = entries([placed], [later], [], {}, (), NOW, is_issuing=True)
    assert [entry.this and entry.this.order for entry in found] == [None, placed]
    older = show("old", found[-1].id)
    text = my_stamps(asked, [placed], [later], older=older)
    assert text.index("/stampings/") < text.index(f"/orders/{placed.id}")
    assert f'href="/history?before={older}"' in text


def test_download_link_shows_its_end(asked: Any) -> None:
    one, language = stamping(StampingState.DELIVERED), asked.cookies["language"]
    said = format_datetime(one.kept_until, language)
    for text in (stamping_page(asked, one), my_stamps(asked, stampings=[one])):
        assert said in text
    view = shown(one)
    assert (view.document_until, view.document_url is None) == (one.kept_until, False)
    gone = replace(one, is_forgotten=True)
    assert shown(gone).document_until is None
    for text in (stamping_page(asked, gone), my_stamps(asked, stampings=[gone])):
        assert said not in text


@pytest.mark.parametrize("is_paid", [True, False])
def test_arrived_payment_is_not_waited_for(asked: Any, is_paid: bool) -> None:
    """Between a payment and its execution, and between the end of the time to pay and the expiry of the order."""
    sums = money(captured=TOTAL, in_flight=TOTAL) if is_paid else money()
    placed = order(OrderState.PLACED, OrderKind.DOCUMENTS, None, sums)
    one = stamping(StampingState.WAITING, order=read("ord", placed.id))
    text, language = my_stamps(asked, [placed], [one]), asked.cookies["language"]
    said = translate(f"state.order.{'paid' if is_paid else 'lapsed'}", language)
    assert f">{said}</span>" in text
    assert translate("state.order.placed", language) not in text
    of_document = translate("state.stamping.waiting", language)
    assert (of_document in stamping_page(asked, one, placed)) == (not is_paid)


def test_sums_of_a_listed_order_add_up(asked: Any) -> None:
    sums = money(captured=TOTAL, charged_back=TOTAL, executed=TOTAL, loss=TOTAL)
    text = my_stamps(asked, [order(OrderState.CHARGED_BACK, OrderKind.STAMPS, None, sums)])
    assert translate("page.money.loss", asked.cookies["language"]) in text


def test_history_begins_with_the_balance(asked: Any) -> None:
    words = {"id": "3 meterai siap dipakai", "en": "3 stamps are ready to use"}
    text, language = my_stamps(asked), asked.cookies["language"]
    assert words[language] in text
    assert translate("page.history.empty", language) in text
    assert words[language] not in my_stamps(asked, is_first=False)


def test_order_is_listed_by_its_file_names(asked: Any) -> None:
    placed = order(OrderState.EXECUTED, OrderKind.DOCUMENTS)
    number = read("ord", placed.id)
    names = ("Surat.pdf", "Ijazah.pdf", "Kuasa.pdf")
    found = [stamping(StampingState.DELIVERED, order=number, name=name) for name in names]
    several = {"id": "Surat.pdf dan 2 dokumen lain", "en": "Surat.pdf and 2 other documents"}
    text, language = my_stamps(asked, [placed], found), asked.cookies["language"]
    assert f">{several[language]}</a></h2>" in text
    assert ">Surat.pdf</a></h2>" in my_stamps(asked, [placed], found[:1])
    done = {"id": "3 dokumen sudah bermeterai", "en": "3 documents are stamped"}
    assert done[language] in text


def test_unused_stamps_are_refunded_with_confirmation(asked: Any) -> None:
    bought = order(OrderState.EXECUTED, OrderKind.STAMPS)
    number = read("ord", bought.id)
    text = my_stamps(asked, [bought], lots={number: Lot(number, 2, 0, 0, 0)})
    assert f'action="/orders/{bought.id}/give-back"' in text
    assert "Rp21.000" in text
    used = {number: Lot(number, 2, 1, 1, 0)}
    assert "/give-back" not in my_stamps(asked, [bought], lots=used)
    charged_back = msgspec.structs.replace(bought, state=OrderState.CHARGED_BACK)
    assert "/give-back" not in my_stamps(
        asked, [charged_back], lots={number: Lot(number, 2, 0, 0, 0)}
    )


@pytest.mark.parametrize("state", OrderState)
@pytest.mark.parametrize("kind", OrderKind)
def test_order_in_every_state_is_listed(asked: Any, state: OrderState, kind: OrderKind) -> None:
    one = order(state, kind)
    number = read("ord", one.id)
    made = [stamping(StampingState.WAITING, order=number), stamping(StampingState.FAILED)]
    back = msgspec.structs.replace(
        refund(RefundState.SENT, RefundCause.NOT_STAMPED), order_id=one.id
    )
    text = my_stamps(asked, [one], made, [back])
    assert "RF1" in text
    assert HOSTILE not in text
    assert not re.search(r"page\.|state\.|\{", text)
