"""The bench of the console: its list of complaints, and its bulk orders."""

from collections import Counter

import psycopg

from bench.desk import answered, filling, truth
from bench.desk.states import STATES
from meterai.kit.serial import Serial
from tests.support.shop import Shop
from tests.support.till import Till

COUNT = 1_000


def test_two_hundred_complaints_have_known_states_and_mostly_answers() -> None:
    every = list(answered.scripted())
    assert len(every) == len({one.words for one in every}) == 200
    assert {one.state for one in every} == STATES.keys()
    assert sum(bool(one.answers) for one in every) >= 180
    assert sum(not one.answers for one in every) >= 10
    assert {one.about for one in every} <= {"", "order", "stamping"}


def test_every_answer_that_may_be_true_is_judged() -> None:
    codes = {code for one in answered.scripted() for code in one.answers}
    assert codes <= truth._JUDGES.keys()


def test_state_of_complaint_is_as_named(till: Till) -> None:
    found = {}
    for name in ("executed", "stopped", "late", "refund_settled", "charged_back", "not_paid"):
        behind = STATES[name](till)
        till.shop.set_issuing(is_open=True)
        found[name] = till.rows("SELECT state FROM orders WHERE order_id = %s", behind.order)
    states = {name: rows[0]["state"] for name, rows in found.items()}
    assert states == {
        "executed": "executed",
        "stopped": "paid",
        "late": "withdrawn",
        "refund_settled": "returned",
        "charged_back": "denied",
        "not_paid": "placed",
    }


def test_false_answer_is_detected(till: Till) -> None:
    behind = STATES["executed"](till)
    row = till.rows("SELECT paid_at FROM orders WHERE order_id = %s", behind.order)[0]
    counted = {"quantity": 3, "unused": 3, "affixed": 0, "held": 0, "returned": 0}
    told = counted | {"paid_at": row["paid_at"].isoformat()}
    assert truth.fault_of(till, behind, "stamps_ready", told) == ""
    for change in ({"unused": 2}, {"quantity": 4}, {"paid_at": "2024-09-01T00:00:00+00:00"}):
        assert truth.fault_of(till, behind, "stamps_ready", told | change)
    assert truth.fault_of(till, behind, "stamps_used", told)
    assert truth.fault_of(till, behind, "paid_once", {"amount": "Rp1"})
    assert truth.fault_of(till, behind, "unheard_of", {})


def test_bulk_orders_are_complete_and_found_by_every_name(shop: Shop) -> None:
    samples, _ = filling.fill(shop.container.database.url, COUNT)
    with psycopg.connect(shop.container.database.url) as owner:
        states = Counter(row[0] for row in owner.execute("SELECT state FROM orders"))
        assert states == {"executed": 900, "returned": 40, "lapsed": 40, "placed": 20}
        counted = owner.execute(
            "SELECT (SELECT count(*) FROM captures), (SELECT count(*) FROM stamp_lots),"
            " (SELECT count(*) FROM refunds), (SELECT count(*) FROM email_directory)"
        ).fetchone()
        assert counted == (940, 900, 40, 102)  # including the account of the shop
        [(difference,)] = owner.execute("SELECT sum(debit - credit) FROM legs").fetchall()
        assert difference == 0
        for sample in samples:
            [(account,)] = owner.execute(
                "SELECT account_id FROM email_directory WHERE email = %s",
                [sample.names["mail address"]],
            ).fetchall()
            [(of,)] = owner.execute(
                "SELECT 'acc_' || lower(compact(account_id)) FROM orders"
                " WHERE 'ord_' || lower(compact(order_id)) = %s",
                [sample.names["order"]],
            ).fetchall()
            assert of == sample.account
            assert owner.execute(
                "SELECT 1 FROM accounts WHERE account_id = %s", [account]
            ).fetchall()
            if serial := sample.names.get("serial"):
                assert str(Serial(serial)) == serial
    assert {"order", "mail address", "bank reference", "refund number", "serial", "SHA-256"} <= {
        name for sample in samples for name in sample.names
    }
