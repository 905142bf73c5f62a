"""Page of an order: true in every state and language, with a next step."""

import html
import itertools
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from markupsafe import escape

from meterai.accounts import AccountService
from meterai.apps.rooms import pages_of
from meterai.kit.ids import new_id
from meterai.ledger import MoneyMove
from meterai.orders import OrderKind, OrderState, OrderView
from meterai.orders.service import MoneyView
from meterai.pages import Site, rendered
from meterai.pages.rendering import aloud
from meterai.payments import Stage, Way, payee
from meterai.plumbing.messages import LANGUAGES, format_datetime, translate
from meterai.portal.order_text import QR_USUALLY_WITHIN, OrderNow, order_text
from meterai.portal.pages import qr_drawing
from meterai.portal.routes import routes
from meterai.refunds import RefundAccount, RefundCause, RefundState, RefundView
from meterai.stamping import Stamping, StampingState, may_reorder
from meterai.stamps import Lot
from standins.bank.qris import NATIONAL_MERCHANT_ID, DynamicQr, payload
from tests.support.pages import application, asked_by_somebody
from tests.support.shown import HOSTILE, NOW, TOTAL, money, order, refund, stamping

QR = "00020101"
OF_STAMPS = (OrderKind.STAMPS, OrderKind.DOCUMENTS)  # a deposit is money without stamps
EARLIER, LATER = NOW - timedelta(seconds=1), NOW + timedelta(hours=1)
PARTS = ("captured", "charged_back", "executed", "refunded", "in_flight", "loss")


@pytest.fixture(scope="module")
def app() -> Litestar:
    return application(routes, Site(*pages_of()), AccountService)


@pytest.fixture(params=LANGUAGES)
def asked(app: Litestar, request: pytest.FixtureRequest) -> Any:
    """Return a request of a signed-in person, in each language."""
    return asked_by_somebody(app, request.param)


def order_main(
    asked: Any,
    one: OrderView,
    *,
    documents: Sequence[Stamping] = (),
    refunds: Sequence[RefundView] = (),
    lot: Lot | None = None,
    **more: Any,
) -> str:
    """Return the main part of an order's page, a moment after it was placed."""
    now = more.pop("now", EARLIER)
    is_issuing = more.pop("is_issuing", True)
    issued = lot or (where() if is_issuing else None)
    is_covered = more.pop("is_covered", False)
    this = OrderNow(
        one,
        now,
        documents,
        refunds,
        lot=issued,
        is_issuing=is_issuing,
        is_covered=is_covered,
    )
    qr = this.qr_content
    facts = {
        "this": this,
        "told": order_text(this),
        "moves": [MoneyMove("payment_captured", NOW, TOTAL)],
        "now": now,
        "qr": qr_drawing(qr) if qr else None,
        "payee": None,
        "instructions": None,
        "bank_said": "",
        "zipped": len(documents),
        "may_reorder": may_reorder(one, documents),
        "may_change": True,
        "unit_now": one.unit_price + one.service_fee,
        "sells": None,
    }
    main = rendered(asked, "portal/order_main.html", facts | more)
    page = {**facts, "main": main, "version": '"1"', "reload_seconds": 5}
    assert main in rendered(asked, "portal/order.html", page | more)
    return main


def where(*, affixed: int = 0, returned: int = 0) -> Lot:
    """Return the counts of two stamps of an order; those not named are unused."""
    return Lot(new_id(), 2, 0, affixed, returned)


def headline(main: str) -> str:
    [found] = re.findall(r"<h1>(.*?)</h1>", main)
    return str(found)


# Every state, with each possible distribution of its money.
MONEY: dict[OrderState, list[MoneyView]] = {
    OrderState.PLACED: [money(), money(captured=5_000, in_flight=5_000)],
    OrderState.PAID: [money(captured=TOTAL, in_flight=TOTAL)],
    OrderState.EXECUTED: [
        money(captured=TOTAL, executed=TOTAL),
        money(captured=TOTAL, executed=10_500, in_flight=10_500),
        money(captured=TOTAL, executed=10_500, refunded=10_500),
        money(captured=2 * TOTAL, executed=TOTAL, refunded=TOTAL),
    ],
    OrderState.LAPSED: [money(), money(captured=5_000, refunded=5_000)],
    OrderState.WITHDRAWN: [money(), money(captured=TOTAL, in_flight=TOTAL)],
    OrderState.RETURNING: [money(captured=TOTAL, in_flight=TOTAL)],
    OrderState.RETURNED: [
        money(captured=TOTAL, refunded=TOTAL),
        money(captured=TOTAL, charged_back=TOTAL),
    ],
    OrderState.CHARGED_BACK: [
        money(captured=TOTAL, charged_back=TOTAL),
        money(captured=TOTAL, charged_back=TOTAL, executed=TOTAL, loss=TOTAL),
        money(captured=TOTAL, charged_back=4_000, refunded=17_000),
    ],
}
PAID = MONEY[OrderState.PAID][0]
CASES = [(state, sums) for state, of_state in MONEY.items() for sums in of_state]
NOT_PAID = {"id": "Anda belum membayar|tidak membayar apa pun|Belum ada uang masuk"}
NOT_PAID["en"] = "You have not paid|have not paid anything|No money received"


@pytest.mark.parametrize("kind", OrderKind)
@pytest.mark.parametrize(("state", "sums"), CASES)
@pytest.mark.parametrize("with_qr", [True, False])
def test_order_page_is_true_in_every_state(
    asked: Any, state: OrderState, sums: MoneyView, kind: OrderKind, with_qr: bool
) -> None:
    language = asked.cookies["language"]
    if with_qr and state != OrderState.PLACED:
        return
    documents = [stamping(one) for one in StampingState] if kind == OrderKind.DOCUMENTS else []
    causes = [(one, cause) for one in RefundState for cause in RefundCause]
    one = order(state, kind, QR if with_qr else None, sums)
    for refunds in ([], [refund(*pair) for pair in causes]):
        returned = sum(one.stamps for one in refunds if one.cause == RefundCause.ASKED)
        lot = Lot(new_id(), 2 + returned, 0, 0, returned)
        main = order_main(asked, one, documents=documents, refunds=refunds, lot=lot)
        assert not re.search(
            r"\b(?:page|state|refund)\.\w|\{|\bundefined\b", main.replace("{minutes}", "")
        )
        assert HOSTILE not in main
        assert headline(main)
        # A payment is never denied, and a missing payment is never confirmed.
        assert not (sums.captured and re.search(NOT_PAID[language], main))
        assert sums.captured or not re.search('<table class="money"', main)
        # Every row of the card is a sum of the books, and together they are the captured sum.
        rows = dict(re.findall(r'<tr class="(\w+)">.*?<td>Rp([\d.]+)</td>', main, re.DOTALL))
        shown = {part: int(rows.get(part, "0").replace(".", "")) for part in PARTS}
        if sums.captured:
            assert shown == {part: getattr(sums, part) for part in PARTS}
        # A text about a QR is shown only with a QR.
        words = re.sub(r"<[^>]*>", " ", main)
        speaks = re.search(r"\bQR\b", words.replace(new_qr(language), ""))
        assert bool(speaks) <= (with_qr or state == OrderState.PLACED)
        assert ("<svg" in main) == with_qr
        # The page never waits for a payment that cannot come or has come.
        waits = translate("state.stamping.waiting", language)
        has_come = translate("state.order.paid", language) in headline(main)
        is_open = state == OrderState.PLACED and not has_come
        assert not documents or (f">{waits}<" in main) == is_open


def new_qr(language: str) -> str:
    return translate("page.order.reorder.stamps", language)


@pytest.mark.parametrize("kind", OF_STAMPS)
@pytest.mark.parametrize("state", [OrderState.LAPSED, OrderState.WITHDRAWN])
def test_lapsed_order_can_be_reordered_with_one_button(
    asked: Any, kind: OrderKind, state: OrderState
) -> None:
    one, waits = order(state, kind), [stamping(StampingState.WAITING)]
    main = order_main(asked, one, documents=waits if kind == OrderKind.DOCUMENTS else ())
    assert f'action="/orders/{one.id}/reorder"' in main
    assert 'class="button" href="/' not in main
    assert "Rp99.000" not in main
    assert "Rp99.000" in order_main(
        asked, one, documents=waits if kind == OrderKind.DOCUMENTS else (), unit_now=99_000
    ), "at another price than the page shows of the earlier order"
    # Documents no longer kept are uploaded again.
    gone = [replace(waits[0], is_forgotten=True)]
    main = order_main(asked, one, documents=gone)
    assert "/reorder" not in main
    assert f'href="{"/buy" if kind == OrderKind.STAMPS else "/stamp"}"' in main


def test_payable_order_shows_payment_instructions(asked: Any) -> None:
    one = order(OrderState.PLACED, OrderKind.DOCUMENTS, QR)
    main, language = order_main(asked, one), asked.cookies["language"]
    assert headline(main) == translate("page.order.headline.pay", language, total="Rp21.000")
    assert f'href="/orders/{one.id}/qr.png"' in main
    assert f'action="/orders/{one.id}/paid"' in main
    assert f'data-end="{NOW.isoformat()}"' in main
    assert format_datetime(NOW, language) in main, "without scripts too"
    for outcome in ("not_yet", "unsure"):
        said = escape(translate(f"page.order.asked.{outcome}", language))
        assert said not in main
        assert said in order_main(asked, one, bank_said=outcome)


@pytest.mark.parametrize("kind", OF_STAMPS)
def test_order_page_promises_nothing_while_issuing_is_stopped(asked: Any, kind: OrderKind) -> None:
    language = asked.cookies["language"]
    placed, paid = order(OrderState.PLACED, kind, QR), order(OrderState.PAID, kind, None, PAID)
    assert paid.refund_due_at is not None
    stopped = escape(translate("page.order.placed.stopped", language))
    soon = escape(translate(f"page.order.placed.{kind}", language))
    for is_issuing in (True, False):
        main = order_main(asked, placed, is_issuing=is_issuing)
        assert (stopped in main, soon in main) == (not is_issuing, is_issuing)
        assert is_issuing or main.index(stopped) < main.index('class="qr"'), "before it is paid"
        main = order_main(asked, paid, is_issuing=is_issuing)
        words = {"id": "biasanya dalam beberapa detik", "en": "usually within a few seconds"}
        assert (words[language] in main) == is_issuing
        assert format_datetime(paid.refund_due_at, language) in main
        main = order_main(
            asked, paid, is_issuing=is_issuing, documents=[stamping(StampingState.WAITING)]
        )
        assert (translate("state.stamping.reserved", language) in main) == is_issuing
        assert (translate("page.document.on_hold", language) in main) == (not is_issuing)


def test_late_qr_is_not_promised_within_seconds(asked: Any) -> None:
    one, language = order(OrderState.PLACED, OrderKind.STAMPS), asked.cookies["language"]
    assert translate("page.order.opening", language) in order_main(asked, one)
    one = msgspec.structs.replace(one, placed_at=EARLIER - QR_USUALLY_WITHIN)
    main = order_main(asked, one)
    [lead] = re.findall(r'class="lead">(.*?)</p>', main)
    assert format_datetime(NOW, language) in lead, "until when we go on"


def test_short_payment_is_shown_while_another_is_requested(asked: Any) -> None:
    sums = money(captured=5_000, in_flight=5_000)
    language = asked.cookies["language"]
    main = order_main(asked, order(OrderState.PLACED, OrderKind.STAMPS, None, sums))
    came = translate("page.order.came.goes", language, amount="Rp5.000")
    assert came in main
    assert translate("page.order.opening_again", language) in main
    main = order_main(asked, order(OrderState.PLACED, OrderKind.STAMPS, QR, sums))
    assert came in main
    assert translate("page.order.not_paid_yet", language) in main


def test_paid_order_asks_for_no_second_payment(asked: Any) -> None:
    sums = money(captured=TOTAL, in_flight=TOTAL)
    one = order(OrderState.PLACED, OrderKind.STAMPS, None, sums)
    main = order_main(asked, one, is_covered=True)
    assert headline(main) == translate("state.order.paid", asked.cookies["language"])
    assert "/withdraw" not in main
    assert "/paid" not in main


PLACES = ("held", "affixed", "given_back", "taken")
COUNTS = [counts for counts in itertools.product(range(3), repeat=4) if sum(counts) <= 3]


@pytest.mark.parametrize("counts", COUNTS)
def test_order_page_shows_where_each_stamp_is(asked: Any, counts: tuple[int, ...]) -> None:
    """Three stamps: counts of held, affixed, given back and charged back."""
    of = dict(zip(PLACES, counts, strict=True))
    language = asked.cookies["language"]
    one = msgspec.structs.replace(order(OrderState.EXECUTED, OrderKind.STAMPS), quantity=3)
    given = [msgspec.structs.replace(refund(RefundState.SENT, RefundCause.ASKED), stamps=1)] * of[
        "given_back"
    ]
    lot = Lot(new_id(), 3, of["held"], of["affixed"], of["given_back"] + of["taken"])
    facts = of | {"unused": lot.free, "quantity": 3}
    main = html.unescape(order_main(asked, one, lot=lot, refunds=given))
    all_used = translate("page.order.used_up", language)
    assert (all_used in main) == (of["affixed"] == 3)
    if of["affixed"] < 3:
        for place in ("unused", *PLACES):
            said = translate(f"page.order.stamps.{place}", language, **facts)
            assert (said in main) == bool(facts[place])
    used = translate("page.order.headline.used_up", language)
    assert (headline(main) == used) == (of["affixed"] == 3)


@pytest.mark.parametrize(
    ("state", "sums", "word"),
    [
        (OrderState.CHARGED_BACK, MONEY[OrderState.CHARGED_BACK][0], "denied"),
        (OrderState.CHARGED_BACK, MONEY[OrderState.CHARGED_BACK][1], "denied.stamped"),
        (OrderState.CHARGED_BACK, MONEY[OrderState.CHARGED_BACK][2], "denied.in_part"),
        (OrderState.RETURNED, MONEY[OrderState.RETURNED][1], "returned.by_the_bank"),
        (OrderState.RETURNED, MONEY[OrderState.RETURNED][0], "returned.by_the_provider"),
    ],
)
def test_charged_back_order_shows_one_sentence(
    asked: Any, state: OrderState, sums: MoneyView, word: str
) -> None:
    one = order(state, OrderKind.STAMPS, None, sums)
    main = order_main(asked, msgspec.structs.replace(one, refund_due_at=None))
    assert translate(f"page.order.{word}", asked.cookies["language"]) in main


def waits(state: str = "") -> RefundView:
    """A refund that waits for an account. `state` is the state of the account that its buyer named."""
    account = RefundAccount(state=state, bank="BCA", last="7890") if state else None
    stage = Stage.WAITING_FOR_ACCOUNT
    return refund(
        RefundState.REQUESTED, RefundCause.LATE, way=Way.CLAIM, stage=stage, account=account
    )


@pytest.mark.parametrize(
    ("late", "why"),
    [
        (refund(RefundState.SENT, RefundCause.ASKED), ""),
        (refund(RefundState.REFUSED, RefundCause.ASKED), ""),
        (refund(RefundState.REQUESTED, RefundCause.ASKED, compensation=2_000), ""),
        (waits(), ".waits"),
        (waits("refused"), ".waits"),
        (waits("held"), ".held"),
    ],
)
def test_overdue_refund_shows_cause_next_step_and_complaint_link(
    asked: Any, late: RefundView, why: str
) -> None:
    one = order(OrderState.RETURNING, OrderKind.STAMPS)
    more = "Rp2.000" if late.compensation else ""
    said = translate(f"page.refund.late{why}", asked.cookies["language"], compensation=more)
    main = order_main(asked, one, refunds=[late], now=LATER)
    assert main.count(said) == 1
    assert f'href="/complaints/new?order={late.order_id}"' in main
    assert said not in order_main(asked, one, refunds=[late])
    done = refund(RefundState.SETTLED, RefundCause.ASKED)
    assert said not in order_main(asked, one, refunds=[done], now=LATER)


SHOWN = "BCA \u2022\u2022\u2022\u2022 7890"


@pytest.mark.parametrize("state", ["held", "refused"])
def test_held_or_refused_account_is_shown_as_such(asked: Any, state: str) -> None:
    language = asked.cookies["language"]
    one = order(OrderState.RETURNING, OrderKind.STAMPS)
    main = order_main(asked, one, refunds=[waits(state)])
    assert headline(main) == translate(f"page.order.headline.account_{state}", language)
    for said in (
        f"page.order.returning.account_{state}",
        f"stage.refund.waiting_for_account.{state}",
        f"page.refund.waiting_for_account_means.{state}",
    ):
        assert translate(said, language, account=SHOWN) in main
    assert translate("stage.refund.waiting_for_account", language) not in main
    assert ('href="/refunds/account"' in main) == (state == "refused")


def test_qr_page_shows_the_payee(asked: Any) -> None:
    """The payee comes from EMV tags 59 and 51, so that a payer can compare it with the banking application."""
    text = payload(DynamicQr(TOTAL, "R1", "12345678", "METERAI NUSANTARA", "T1"))
    found = payee(text)
    assert found == ("METERAI NUSANTARA", NATIONAL_MERCHANT_ID)
    one = order(OrderState.PLACED, OrderKind.STAMPS, text)
    main = order_main(asked, one, payee=found)
    assert "<strong>QRIS</strong> METERAI NUSANTARA<br>NMID" in main
    assert str(aloud(NATIONAL_MERCHANT_ID)) in main
    assert payee("not a QR") is None
    assert "<strong>QRIS</strong></p>" in order_main(asked, one)


def test_refused_refund_has_no_headline_of_a_returning_one(asked: Any) -> None:
    language = asked.cookies["language"]
    declined = refund(RefundState.REFUSED, RefundCause.LATE)
    one = order(OrderState.RETURNING, OrderKind.STAMPS)
    main = order_main(asked, one, refunds=[declined])
    assert f"<h1>{translate('page.order.headline.refund_refused', language)}</h1>" in main
    for said in ("page.refund.refused_means", "page.refund.ask", "stage.refund.refused"):
        assert translate(said, language) in main
    for calm in ("page.order.returning", "state.order.returning", "page.refund.nothing_to_do"):
        assert translate(calm, language) not in main


def test_chargeback_is_followed_by_no_refund(asked: Any) -> None:
    said = translate("page.order.no_refund_follows", asked.cookies["language"])
    for sums in MONEY[OrderState.CHARGED_BACK]:
        assert main_says(asked, OrderState.CHARGED_BACK, sums).count(said) == 1
    assert said not in main_says(asked, OrderState.RETURNING, MONEY[OrderState.RETURNING][0])


def main_says(asked: Any, state: OrderState, sums: MoneyView) -> str:
    return order_main(asked, order(state, OrderKind.STAMPS, None, sums))
