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
from tests.support.shown import HOSTILE, NOW, order, refund, stamping


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
