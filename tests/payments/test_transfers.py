"""Transfers to buyers: planned, sent once, looked up at their bank."""

from collections.abc import Iterator

import psycopg
import pytest

from meterai import payments
from meterai.kit.money import Rupiah
from meterai.payments.adapters.snap.provider import SnapProvider
from meterai.payments.refunds import store as refund_store
from tests.support.shop import PRICE
from tests.support.till import Till, open_till
from tests.support.transferring import (
    ANI,
    CLOSED,
    HERE,
    SETTINGS,
    floating,
    follow,
    name,
    plan,
    refunds,
    run,
    send,
    sent,
    to_an_account,
    transfers,
    weigh,
)


@pytest.fixture(scope="module")
def open_one(
    server: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Till]:
    folder = tmp_path_factory.mktemp("transfers")
    database = f"test_{folder.name}_{abs(hash(folder)):x}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database} TEMPLATE {template} STRATEGY FILE_COPY")
        connection.execute(f"ALTER DATABASE {database} SET synchronous_commit = off")
    url = server.replace("/postgres?", f"/{database}?")
    with open_till(url, folder, **SETTINGS) as opened:
        yield opened
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {database} WITH (FORCE)")


@pytest.mark.parametrize("payee", [ANI, HERE], ids=["interbank", "intrabank"])
def test_refund_is_transferred_to_the_named_account(
    till: Till, payee: payments.RefundPayee
) -> None:
    to_an_account(till)
    plan(till)
    assert transfers(till) == [], "no account is named"
    before = len(sent(till))
    name(till, payee)
    plan(till)
    plan(till)
    assert transfers(till) == [("planned", PRICE, 0)]
    send(till)
    assert transfers(till) == [("settled", PRICE, 1)]
    assert refunds(till) == [("transfer", "settled", PRICE)]
    assert sent(till)[: len(sent(till)) - before] == [("00", PRICE)]
    assert till.book("refund_float") == PRICE
    send(till)
    assert len(sent(till)) == before + 1


def test_refunds_of_a_buyer_share_a_transfer(till: Till) -> None:
    for _ in range(3):
        to_an_account(till)
    name(till)
    plan(till)
    send(till)
    assert transfers(till) == [("settled", 3 * PRICE, 1)]
    assert refunds(till) == [("transfer", "settled", PRICE)] * 3


def test_unknown_outcome_is_queried_before_a_repeat(till: Till) -> None:
    to_an_account(till)
    name(till)
    plan(till)
    before = len(sent(till))
    till.control("faults", transfer_504_after_success=1)
    send(till)
    assert transfers(till) == [("sent", PRICE, 1)]
    assert refunds(till) == [("transfer", "sent", PRICE)]
    till.control("faults", transfer_status_500=1)
    send(till)
    assert transfers(till) == [("sent", PRICE, 2)]
    send(till)
    assert transfers(till) == [("settled", PRICE, 3)]
    assert len(sent(till)) == before + 1


def test_transfer_that_was_not_made_is_repeated_under_its_number(till: Till) -> None:
    to_an_account(till)
    name(till)
    plan(till)
    before = len(sent(till))
    till.control("faults", transfer_500=1)
    send(till)
    assert transfers(till) == [("sent", PRICE, 1)]
    send(till)
    assert transfers(till) == [("settled", PRICE, 2)]
    assert len(sent(till)) == before + 1


def test_transfer_under_way_is_accepted_and_settles_later(till: Till) -> None:
    to_an_account(till)
    name(till)
    plan(till)
    till.control("faults", transfers_pending=1, transfer_settles_after_seconds=1)
    send(till)
    assert transfers(till) == [("accepted", PRICE, 1)]
    assert refunds(till) == [("transfer", "accepted", PRICE)]
    send(till)
    assert transfers(till)[0][0] in ("accepted", "settled")
    while transfers(till)[0][0] != "settled":
        send(till)
    assert refunds(till) == [("transfer", "settled", PRICE)]


def test_account_refused_by_its_bank_must_be_named_again(till: Till) -> None:
    to_an_account(till)
    name(till, CLOSED)
    plan(till)
    send(till)
    assert transfers(till) == [("refused", PRICE, 1)]
    assert refunds(till) == [("claim", "requested", PRICE)]
    assert run(till, payments.current_payee) is None
    assert run(till, payments.owed_by_claim).sum == Rupiah(PRICE)
    name(till)
    plan(till)
    send(till)
    assert [one[0] for one in transfers(till)] == ["refused", "settled"]
    follow(till)
    assert [one[0] for one in transfers(till)] == ["refused", "settled"]
    assert till.book("refund_float") == PRICE


def test_refused_transfer_that_was_made_is_a_loss_if_another_was_sent(
    till: Till,
) -> None:
    to_an_account(till)
    name(till)
    plan(till)
    till.control("faults", transfers_to_nobody_and_made=1, made_after_seconds=0.1)
    send(till)
    assert transfers(till) == [("refused", PRICE, 1)]
    name(till)
    plan(till)
    send(till)
    assert till.book("refund_float") == PRICE
    while [one[0] for one in transfers(till)] != ["settled", "settled"]:
        follow(till)
    assert [one[0] for one in transfers(till)] == ["settled", "settled"]
    assert till.book("refund_float") == 2 * PRICE
    assert till.book("denied_loss") == -PRICE


def test_refused_transfer_that_was_made_settles_waiting_refunds(till: Till) -> None:
    to_an_account(till)
    name(till)
    plan(till)
    till.control("faults", transfers_to_nobody_and_made=1, made_after_seconds=0.1)
    send(till)
    assert refunds(till) == [("claim", "requested", PRICE)]
    while transfers(till)[0][0] == "refused":
        follow(till)
    assert transfers(till) == [("settled", PRICE, 1)]
    assert run(till, payments.current_payee) is not None
    assert refunds(till) == [("transfer", "settled", PRICE)]


def test_returned_transfer_causes_another_refund(till: Till) -> None:
    to_an_account(till)
    name(till)
    plan(till)
    send(till)
    [row] = till.rows("SELECT transfer_no FROM transfers")
    till.control("transfer-returned", number=row["transfer_no"])
    follow(till)
    assert transfers(till) == [("returned", PRICE, 1)]
    assert till.book("refund_float") == 0
    assert refunds(till) == [("transfer", "settled", PRICE), ("provider", "requested", PRICE)]
    assert run(till, payments.current_payee) is None


def test_unreached_bank_leaves_the_transfer_unchanged(till: Till) -> None:
    to_an_account(till)
    name(till)
    plan(till)
    outgoing = till.shop.container.of(payments.Rails).outgoing("bank")
    circuit = outgoing._circuit
    before = circuit.state
    circuit.state = type(before).OPEN
    circuit._opened_at = outgoing.clock()
    try:
        send(till)
        assert transfers(till) == [("planned", PRICE, 0)]
        plan(till)
        assert [one[0] for one in transfers(till)] == ["void"], "it may go by another bank"
        weigh(till)
        [row] = till.rows("SELECT last_answer, tries FROM refunds")
        assert (row["last_answer"], row["tries"]) == ("bank_away", 0)
    finally:
        circuit.state = before
    plan(till)
    send(till)
    assert [one[0] for one in transfers(till)] == ["void", "settled"]


def test_float_that_the_bank_finds_too_low_is_waited_for(till: Till) -> None:
    to_an_account(till)
    name(till)
    floating(till, 0)
    plan(till)
    send(till)
    assert transfers(till) == [("sent", PRICE, 1)]
    assert till.rows("SELECT rupiah FROM float_balances") == [{"rupiah": 0}]
    floating(till, 100 * PRICE)
    send(till)
    assert transfers(till) == [("settled", PRICE, 2)]


def test_settled_transfer_that_its_bank_no_longer_knows_is_an_item(till: Till) -> None:
    to_an_account(till)
    name(till)
    plan(till)
    send(till)
    till.shop.arrange("UPDATE transfers SET settled_at = settled_at - interval '25 hours'")
    till.answers("transfer-status", {"code": "40401", "times": 2})
    follow(till)
    assert till.suspended() == [("refund_not_in_record", 0)]
    follow(till)
    assert till.suspended() == []
    till.shop.arrange("UPDATE transfers SET settled_at = settled_at + interval '25 hours'")


def _asked_back(till: Till) -> None:
    order, _, qr = till.order()
    till.control("pay", qr_content=qr)
    till.ask()
    till.shop.ask_back(order)
    till.shop.work()


def test_repeated_final_refusal_reroutes_the_refund_to_a_transfer(till: Till) -> None:
    _asked_back(till)
    till.answers("refund", {"act": False, "code": "40300", "times": 2})
    till.send_refunds()
    assert refunds(till) == [("provider", "refused", PRICE)]
    till.answers("history-detail", {"body": ""})
    till.send_refunds()
    assert refunds(till) == [("provider", "sent", PRICE)], "nobody knows the record"
    till.send_refunds()
    assert refunds(till) == [("provider", "rerouted", PRICE), ("claim", "requested", PRICE)]
    name(till)
    plan(till)
    send(till)
    assert transfers(till) == [("settled", PRICE, 1)]
    assert (till.book("refund_float"), till.book("denied_loss")) == (PRICE, 0)


def test_transient_refusal_reroutes_nothing(till: Till) -> None:
    _asked_back(till)
    till.control("faults", refuse_refunds=3)
    for _ in range(3):
        till.send_refunds()
    assert refunds(till) == [("provider", "refused", PRICE)]


def test_refund_that_was_refused_and_made_is_settled_by_the_record(till: Till) -> None:
    _asked_back(till)
    till.answers("refund", {"code": "40300"})
    till.send_refunds()
    till.send_refunds()
    assert refunds(till) == [("provider", "settled", PRICE)]


def test_payment_older_than_its_window_waits_for_an_account(till: Till) -> None:
    _asked_back(till)
    name(till)  # for the refunds that waited
    window = till.shop.container.of(payments.Rails)
    kept, window._windows = window._windows, {"bank": 0.0}
    try:
        till.send_refunds()
    finally:
        window._windows = kept
    assert refunds(till) == [("claim", "requested", PRICE)]
    [row] = till.rows("SELECT tries, last_answer FROM refunds")
    assert (row["tries"], row["last_answer"]) == (0, None)


def test_refund_in_the_record_is_not_rerouted(till: Till) -> None:
    _asked_back(till)
    [refund] = till.shop.refunds()
    till.control("faults", refund_504_after_success=1)
    till.send_refunds()
    run(till, payments.reroute, refund)
    till.send_refunds()
    assert refunds(till) == [("provider", "settled", PRICE)]


def test_refund_whose_call_is_under_way_is_rerouted_after_it(till: Till) -> None:
    _asked_back(till)
    [refund] = till.shop.refunds()

    [leased] = till.do(till.shop.container.database.once(refund_store.lease_to_send, 60.0, 1))
    run(till, payments.reroute, refund)
    till.control("faults", refund_500=1)
    till.do(till.shop.container.of(payments.RefundSender)._send(leased))
    assert refunds(till) == [("provider", "sent", PRICE)]
    till.shop.arrange("UPDATE refunds SET reroute_at = requested_at")
    till.send_refunds()
    assert refunds(till) == [("provider", "rerouted", PRICE), ("claim", "requested", PRICE)]


def test_new_account_receives_transfers_planned_for_the_earlier_one(till: Till) -> None:
    to_an_account(till)
    name(till, CLOSED)
    plan(till)
    name(till)
    assert transfers(till) == [("void", PRICE, 0)]
    plan(till)
    send(till)
    assert [one[0] for one in transfers(till)] == ["void", "settled"]


def test_refused_account_must_be_named_again_for_every_refund(
    till: Till,
) -> None:
    to_an_account(till)
    name(till, CLOSED)
    plan(till)
    to_an_account(till)
    send(till)
    assert refunds(till) == [("claim", "requested", PRICE)] * 2


def test_final_refusal_of_a_transfer_that_its_bank_has_is_not_believed(till: Till) -> None:
    to_an_account(till)
    name(till)
    plan(till)
    till.answers("transfer-external", {"code": "40318"})
    send(till)
    assert transfers(till) == [("settled", PRICE, 1)]


def test_unknown_balance_stays_unchanged(till: Till) -> None:
    weigh(till)
    before = till.rows("SELECT rupiah, asked_at FROM float_balances")
    till.control("faults", balance_500=1)
    weigh(till)
    assert till.rows("SELECT rupiah, asked_at FROM float_balances") == before


@pytest.mark.parametrize(
    ("of_one", "of_day", "reason"),
    [(2 * PRICE, 10 * PRICE, "transfer_limit"), (10 * PRICE, 2 * PRICE, "transfer_day_limit")],
)
def test_money_beyond_a_limit_of_the_bank_waits_with_its_reason(
    till: Till, of_one: int, of_day: int, reason: str
) -> None:
    to_an_account(till, 3)
    for _ in range(2):
        to_an_account(till)
    name(till)
    own = till.shop.container.of(payments.Rails)._connected["bank"]
    assert isinstance(own, SnapProvider)
    assert own.payouts is not None
    kept = own.payouts.rupiah_max, own.payouts.rupiah_day_max
    own.payouts.rupiah_max, own.payouts.rupiah_day_max = of_one, of_day
    try:
        weigh(till)
        plan(till)
        assert transfers(till) == [("planned", 2 * PRICE, 0)], "those that fit go together"
        [row] = till.rows("SELECT last_answer FROM refunds WHERE transfer_id IS NULL")
        assert row["last_answer"] == reason
        send(till)
        plan(till)
        assert len(transfers(till)) == 1
    finally:
        own.payouts.rupiah_max, own.payouts.rupiah_day_max = kept
    plan(till)
    send(till)
    assert [one[1] for one in transfers(till)] == [2 * PRICE, 3 * PRICE]


def test_refunds_above_the_transfer_limit_use_two_transfers(till: Till) -> None:
    for _ in range(3):
        to_an_account(till)
    name(till)
    own = till.shop.container.of(payments.Rails)._connected["bank"]
    assert isinstance(own, SnapProvider)
    assert own.payouts is not None
    kept, own.payouts.rupiah_max = own.payouts.rupiah_max, 2 * PRICE
    try:
        plan(till)
        plan(till)
    finally:
        own.payouts.rupiah_max = kept
    assert [one[1] for one in transfers(till)] == [2 * PRICE, PRICE]
    send(till)
