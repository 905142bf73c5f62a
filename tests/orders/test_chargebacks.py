"""Chargebacks, whole or in part, before or after the payment: covered from their own payment."""

from uuid import UUID

import psycopg
import pytest

from meterai.plumbing.db.sql_files import migrations
from tests.support.shop import FEE, PRICE, BankRecord, Paid, Shop

UNIT = PRICE + FEE


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """A shop whose bank keeps its own record, for comparison."""
    shop.bank = BankRecord()
    return shop


def bought(shop: Shop, quantity: int = 1, more: int = 0) -> tuple[UUID, Paid]:
    order = shop.place(quantity)
    paid = shop.pay(order, more)
    shop.work()
    return order, paid


def charged_back(shop: Shop, paid: Paid, amount: int | None = None) -> None:
    assert shop.charge_back(paid, amount) == "denied"
    shop.work()
    shop.assert_books_hold()


def later(shop: Shop, kind: str) -> None:
    """Postpone a job behind later ones."""
    shop.arrange("UPDATE jobs SET run_at = now() + interval '5 minutes' WHERE kind = %s", kind)


def causes(shop: Shop) -> list[tuple[str, str, int]]:
    rows = shop.rows("SELECT cause, state, amount FROM refunds ORDER BY refund_id")
    return [(row["cause"], row["state"], row["amount"]) for row in rows]


def carry_out_refunds(shop: Shop) -> None:
    for refund in shop.refunds():
        shop.send(refund)
        shop.settle(refund)
    shop.work()
    shop.assert_books_hold()


# -- stamps that nobody has paid for ---------------------------------------------------------------


def test_released_stamp_of_a_charged_back_lot_is_retired(shop: Shop) -> None:
    order, paid = bought(shop)
    stamping = shop.reserve(1)
    assert stamping is not None
    charged_back(shop, paid)
    assert shop.money(order) == {
        "captured": UNIT,
        "charged_back": UNIT,
        "executed": UNIT,
        "loss": UNIT,
    }
    shop.fail(stamping)
    assert shop.balance().available == 0
    assert shop.reserve(1) is None
    shop.work()
    assert shop.money(order) == {"captured": UNIT, "charged_back": UNIT}
    shop.assert_books_hold()


def test_only_stamps_of_the_charged_back_lot_are_retired(shop: Shop) -> None:
    first, paid = bought(shop)
    second, _ = bought(shop)
    stamping = shop.reserve(2)
    assert stamping is not None
    charged_back(shop, paid)
    shop.fail(stamping)
    assert shop.balance().available == 1
    shop.work()
    assert shop.money(second) == {"captured": UNIT, "executed": UNIT}
    assert shop.money(first) == {"captured": UNIT, "charged_back": UNIT}
    shop.assert_books_hold()


# -- parts ----------------------------------------------------------------------------------------


def test_partial_chargeback_takes_only_stamps_of_its_payment(shop: Shop) -> None:
    order, paid = bought(shop, 3)
    charged_back(shop, paid, 4_000)
    assert shop.state(order) == "executed"
    assert shop.balance().available == 2
    assert causes(shop) == [("remainder", "requested", UNIT - 4_000)]
    carry_out_refunds(shop)
    assert shop.money(order) == {
        "captured": 3 * UNIT,
        "charged_back": 4_000,
        "executed": 2 * UNIT,
        "refunded": UNIT - 4_000,
    }


def test_chargeback_of_a_part_of_one_stamp_ends_the_order_and_refunds_the_rest(shop: Shop) -> None:
    order, paid = bought(shop)
    charged_back(shop, paid, 4_000)
    assert shop.state(order) == "denied"
    assert shop.balance().available == 0
    carry_out_refunds(shop)
    assert shop.money(order) == {
        "captured": UNIT,
        "charged_back": 4_000,
        "refunded": UNIT - 4_000,
    }


def test_chargeback_of_a_part_of_affixed_stamps_is_our_loss(shop: Shop) -> None:
    order, paid = bought(shop)
    stamping = shop.reserve(1)
    assert stamping is not None
    shop.deliver(stamping)
    charged_back(shop, paid, 4_000)
    assert shop.money(order) == {
        "captured": UNIT,
        "charged_back": 4_000,
        "executed": UNIT,
        "loss": 4_000,
    }
    assert shop.state(order) == "executed"


@pytest.mark.parametrize("state", ["requested", "refused"])
def test_refund_without_an_open_call_is_stopped_and_its_rest_refunded(
    shop: Shop, state: str
) -> None:
    order, _ = bought(shop)
    second = shop.pay(order)
    shop.work()
    [refund] = shop.refunds()
    if state == "refused":
        shop.send(refund)
        shop.refuse(refund)
    charged_back(shop, second, 4_000)
    assert causes(shop) == [("double", "void", UNIT), ("double", "requested", UNIT - 4_000)]
    carry_out_refunds(shop)
    assert shop.money(order) == {
        "captured": 2 * UNIT,
        "charged_back": 4_000,
        "executed": UNIT,
        "refunded": UNIT - 4_000,
    }


def test_sent_refund_is_stopped_when_the_bank_refuses_it(shop: Shop) -> None:
    order, _ = bought(shop)
    second = shop.pay(order)
    shop.work()
    [refund] = shop.refunds()
    shop.send(refund)
    charged_back(shop, second, 4_000)
    assert shop.money(order)["loss"] == 4_000, "perhaps it is being paid"
    shop.refuse(refund)
    shop.work()
    assert causes(shop) == [("double", "void", UNIT), ("double", "requested", UNIT - 4_000)]
    carry_out_refunds(shop)
    assert "loss" not in shop.money(order)


def test_stopped_refund_that_the_bank_paid_is_booked(shop: Shop) -> None:
    order, _ = bought(shop)
    second = shop.pay(order)
    shop.work()
    [refund] = shop.refunds()
    shop.send(refund)
    charged_back(shop, second, 4_000)
    shop.refuse(refund)
    shop.work()
    assert shop.settle_whatever(refund) == "settled"
    shop.work()
    shop.assert_books_hold()
    assert causes(shop) == [("double", "settled", UNIT), ("double", "void", UNIT - 4_000)]
    assert shop.money(order) == {
        "captured": 2 * UNIT,
        "charged_back": 4_000,
        "executed": UNIT,
        "refunded": UNIT,
        "loss": 4_000,
    }


def test_chargeback_after_a_refund_is_a_loss(shop: Shop) -> None:
    order, paid = bought(shop)
    shop.ask_back(order)
    carry_out_refunds(shop)
    charged_back(shop, paid)
    assert shop.state(order) == "returned"
    assert shop.money(order) == {
        "captured": UNIT,
        "charged_back": UNIT,
        "refunded": UNIT,
        "loss": UNIT,
    }


# -- documents ------------------------------------------------------------------------------------


def test_unbegun_documents_are_dropped_and_the_rest_refunded(shop: Shop) -> None:
    order = shop.place_documents([1, 1])
    paid = shop.pay(order)
    shop.work_once()
    later(shop, "order_paid")
    charged_back(shop, paid, 4_000)
    shop.work_off()
    assert shop.state(order) == "denied"
    rows = shop.rows("SELECT state FROM stampings")
    assert [row["state"] for row in rows] == ["dropped", "dropped"]
    assert causes(shop) == [("remainder", "requested", 2 * UNIT - 4_000)]


def test_documents_under_way_go_on_and_one_that_fails_covers_the_loss(shop: Shop) -> None:
    order = shop.place_documents([1, 1])
    paid = shop.pay(order)
    shop.work()
    charged_back(shop, paid, 4_000)
    stamped, spoilt = shop.stampings
    shop.deliver(stamped)
    shop.fail(spoilt)
    shop.work()
    assert shop.state(order) == "executed"
    assert causes(shop) == [("remainder", "requested", UNIT - 4_000)]
    carry_out_refunds(shop)
    assert shop.money(order) == {
        "captured": 2 * UNIT,
        "charged_back": 4_000,
        "executed": UNIT,
        "refunded": UNIT - 4_000,
    }


# -- before we have heard of the payment ----------------------------------------------------------


def test_won_chargeback_is_booked_once_and_refunded(shop: Shop) -> None:
    order, paid = bought(shop, 2)
    for state in ("denied", "returned"):  # the second time only a refund is under way
        charged_back(shop, paid)
        assert shop.state(order) == state
        for _ in range(2):
            shop.win(paid)
            shop.work()
            shop.assert_books_hold()
        assert shop.state(order) == "returning"
        assert shop.money(order) == {"captured": 2 * UNIT, "in_flight": 2 * UNIT}
    assert causes(shop) == [("restored", "void", 2 * UNIT), ("restored", "requested", 2 * UNIT)]
    carry_out_refunds(shop)
    assert shop.money(order) == {"captured": 2 * UNIT, "refunded": 2 * UNIT}
    assert shop.state(order) == "returned"


def test_reversed_part_of_a_refund_is_refunded_again(shop: Shop) -> None:
    order, _ = bought(shop, 2)
    shop.ask_back(order)
    shop.work()
    carry_out_refunds(shop)
    [first] = shop.refunds()
    for made in (15_000, 15_000, 20_000, 0):
        shop.reverse(first, made)
        shop.work()
        shop.assert_books_hold()
    assert causes(shop) == [
        ("asked", "settled", 2 * UNIT),
        ("restored", "requested", 2 * UNIT - 15_000),
        ("restored", "requested", 15_000),
    ]
    assert shop.state(order) == "returning"
    assert shop.money(order) == {"captured": 2 * UNIT, "in_flight": 2 * UNIT}
    for refund in shop.refunds()[1:]:
        shop.send(refund)
        shop.settle(refund)
    shop.work()
    shop.assert_books_hold()
    assert shop.state(order) == "returned"
    assert shop.money(order) == {"captured": 2 * UNIT, "refunded": 2 * UNIT}


def test_chargeback_is_booked_before_or_after_its_payment_is_settled(shop: Shop) -> None:
    order = shop.place(1)
    paid = shop.pay(order)
    assert shop.charge_back(paid, 4_000) == "denied"
    shop.overtake(0)
    shop.work_off()
    assert causes(shop) == [("short", "requested", UNIT - 4_000)]
    shop.assert_books_hold()


# -- notifications that name no payment -----------------------------------------------------------


def test_unnamed_chargeback_of_several_payments_moves_nothing(shop: Shop) -> None:
    order, paid = bought(shop)
    second = shop.pay(order)
    shop.work()
    before = shop.money(order)
    assert shop.charge_back(paid, named=False) == "ambiguous"
    shop.work()
    assert shop.money(order) == before
    charged_back(shop, paid)
    assert shop.charge_back(second, named=False) == "denied", "only the second is left"
    shop.work()
    shop.assert_books_hold()


# -- an installation with data --------------------------------------------------------------------


def test_books_of_earlier_versions_are_corrected_by_migration(server: str, template: str) -> None:
    name = "test_of_older_books"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    url = server.replace("/postgres?", f"/{name}?")
    every = list(migrations())
    try:
        with psycopg.connect(url) as connection:
            for file, text in every:
                if file >= "0011":
                    break
                connection.execute(text.encode())
            account = play_the_attack(connection)
            for file, text in every:
                if file >= "0011":
                    connection.execute(text.encode())
            left: dict[str, int] = dict(
                connection.execute(
                    "SELECT book, posted FROM balances WHERE account_id = %s", [account]
                ).fetchall()
            )
            assert left["buyer_funds"] == UNIT, "the other order's money is there again"
            assert left["stamps_available"] == 0, "and the free stamp is gone"
            lots = connection.execute(
                "SELECT issued, held, affixed, returned FROM stamp_lots ORDER BY lot_id"
            ).fetchall()
            assert lots == [(1, 0, 0, 1), (1, 0, 0, 1)]
            losses = connection.execute(
                "SELECT taken_back, posted, lost FROM chargebacks ORDER BY attempt_id"
            ).fetchall()
            assert losses == [(UNIT, UNIT, 0), (UNIT, UNIT, 0)]
            [(loss,)] = connection.execute(
                "SELECT sum(debit - credit)::bigint FROM legs WHERE book = 'denied_loss'"
            ).fetchall()
            assert loss == 0
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def play_the_attack(connection: "psycopg.Connection[tuple[object, ...]]") -> UUID:
    """Run the functions of an earlier version as an attacker: a free stamp, and money of another order."""
    account, other = UUID(int=1), UUID(int=90)
    run = connection.execute
    for number, order in enumerate((UUID(int=10), UUID(int=20)), start=1):
        attempt, stamping, payment = UUID(int=order.int + 1), UUID(int=order.int + 2), f"P{number}"
        buy(connection, account, order, attempt, payment)
        serial = f"{number:022}"
        run(
            "INSERT INTO documents (account_id, sha256, name, bytes, pages, kept_until)"
            " VALUES (%s, sha256(%s), 'surat.pdf', 1, 1, now())",
            [account, serial.encode()],
        )
        run(
            "SELECT stamping_reserve(%s, %s, %s, %s, sha256(%s), '[{}]', %s, 900, 60)",
            [account, stamping, serial, serial.encode(), serial.encode(), [serial]],
        )
        run("SELECT payment_deny(%s, %s, %s, %s)", [account, attempt, payment, UNIT])
        run("SELECT refund_denied(%s, %s, %s, %s, %s)", [account, order, attempt, payment, UNIT])
        run("SELECT stamping_fail(%s, %s, 'document_broken')", [account, stamping])
    run("UPDATE issuing SET is_open = false")
    buy(connection, account, other, UUID(int=91), "P9")
    run(
        "SELECT refund_unused(%s, %s, %s, 'asked', 'asked', 'RF', now())",
        [account, UUID(int=10), UUID(int=99)],
    )
    return account


def buy(
    connection: "psycopg.Connection[tuple[object, ...]]",
    account: UUID,
    order: UUID,
    attempt: UUID,
    payment: str,
) -> None:
    connection.execute(
        "SELECT order_place(%s, %s, %s, 'x', 'stamps', 1, %s, %s, 900, 900, %s, %s, 0)",
        [account, order, str(order), PRICE, FEE, attempt, str(attempt)],
    )
    connection.execute(
        "SELECT payment_capture(%s, %s, %s, %s, 'notification')", [account, attempt, payment, UNIT]
    )
    connection.execute(
        "SELECT order_settle(%s, %s, %s, %s, %s)", [account, order, attempt, payment, UNIT]
    )
