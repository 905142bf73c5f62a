"""Corruptions of rows of orders, and the invariants that must find each."""

from tests.support.corrupting import BOOKS, ENTRIES, TIMES, corruption

# A thousand stamps for the price of one; all columns of the order agree.
_CHEAP = (
    "UPDATE orders SET quantity = total / {price}, unit_price = {price}, service_fee = {fee},"
    " total = total / {price} * ({price} + {fee}) WHERE order_id = %(quota.order)s;"
    " UPDATE stamp_lots l SET issued = o.quantity, unit_price = o.unit_price,"
    " service_fee = o.service_fee FROM orders o"
    " WHERE l.lot_id = o.order_id AND o.order_id = %(quota.order)s;"
    " UPDATE payment_attempts SET amount = (SELECT total FROM orders WHERE order_id ="
    " %(quota.order)s) WHERE subject = %(quota.order)s"
)
TERMS = "order_is_sold_at_the_terms_in_force"
_PAID = "paid_at = now(), due_at = now() + make_interval(secs => due_seconds), paid_attempt ="

CORRUPTIONS = (
    corruption(
        "a thousand stamps for the price of ten",
        _CHEAP.format(price=10, fee=0),
        TERMS,
    ),
    corruption(
        "a price that was written into the terms",
        "INSERT INTO sale_terms VALUES (10, 0, '2025-01-01'); " + _CHEAP.format(price=10, fee=0),
        TERMS,
    ),
    corruption(
        "a deposit with a fee",
        "UPDATE orders SET service_fee = 500, total = quantity * (unit_price + 500) WHERE order_id = %(open.deposit)s",
        TERMS,
    ),
    corruption("a fee that never was", _CHEAP.format(price=10_000, fee=0), TERMS),
    corruption(
        "a fee that came later",
        "UPDATE sale_terms SET since = now() + interval '1 hour' WHERE service_fee = 500",
        TERMS,
    ),
    corruption(
        "a larger total",
        "UPDATE orders SET quantity = quantity + 1, total = total + 10500 WHERE"
        " order_id = %(quota.order)s",
        "orders_issue_what_was_paid",
        ENTRIES,
    ),
    corruption(
        "a lower price",
        "UPDATE orders SET unit_price = 1, total = quantity * (1 + service_fee)"
        " WHERE order_id = %(quota.order)s",
        "orders_issue_what_was_paid",
        ENTRIES,
    ),
    corruption(
        "a total that is no sum",
        "ALTER TABLE orders DROP CONSTRAINT order_total_is_the_sum;"
        " UPDATE orders SET total = 1 WHERE order_id = %(quota.order)s",
        "order_belongs_to_somebody",
    ),
    corruption(
        "an order is of another kind",
        "UPDATE orders SET kind = 'documents' WHERE order_id = %(quota.order)s",
        "orders_issue_what_was_paid",
        "stamping_is_of_its_order",
    ),
    corruption(
        "a placed order is executed",
        f"UPDATE orders SET state = 'executed', {_PAID}"
        " %(placed.attempt)s, paid_payment = 'X', closed_at = now() WHERE order_id ="
        " %(placed.order)s",
        "paid_order_has_its_capture",
        "orders_issue_what_was_paid",
    ),
    corruption(
        "a placed order counts as paid",
        f"UPDATE orders SET state = 'paid', {_PAID}"
        " %(placed.attempt)s, paid_payment = 'X' WHERE order_id = %(placed.order)s",
        "paid_order_has_its_capture",
        BOOKS,
    ),
    corruption(
        "an executed order is placed",
        "UPDATE orders SET state = 'placed', paid_at = NULL, due_at"
        " = NULL, paid_attempt = NULL, paid_payment = NULL, closed_at = NULL WHERE order_id ="
        " %(quota.order)s",
        "orders_issue_what_was_paid",
        "no_money_lies_about",
    ),
    corruption(
        "an executed order was withdrawn",
        "UPDATE orders SET state = 'withdrawn', paid_at = NULL,"
        " due_at = NULL, paid_attempt = NULL, paid_payment = NULL WHERE order_id ="
        " %(quota.order)s",
        "orders_issue_what_was_paid",
        "no_money_lies_about",
    ),
    corruption(
        "an executed order is returned",
        "UPDATE orders SET state = 'returned' WHERE order_id = %(quota.order)s",
        "order_stands_where_its_refunds_do",
    ),
    corruption(
        "an executed order is paid again",
        "UPDATE orders SET state = 'paid', closed_at = NULL WHERE order_id = %(quota.order)s",
        "orders_issue_what_was_paid",
    ),
    corruption(
        "a returning order is executed",
        "UPDATE orders SET state = 'executed' WHERE order_id = %(asked.order)s",
        "order_stands_where_its_refunds_do",
    ),
    corruption(
        "a returning order is returned",
        "UPDATE orders SET state = 'returned' WHERE order_id = %(asked.order)s",
        "order_stands_where_its_refunds_do",
    ),
    corruption(
        "a returned order is returning",
        "UPDATE orders SET state = 'returning' WHERE order_id = %(returned.order)s",
        "order_stands_where_its_refunds_do",
    ),
    corruption(
        "a denied order is executed",
        "UPDATE orders SET state = 'executed' WHERE order_id = %(denied.order)s",
        "paid_order_has_its_capture",
        "order_stands_where_its_refunds_do",
    ),
    corruption(
        "an executed order is denied",
        "UPDATE orders SET state = 'denied' WHERE order_id = %(quota.order)s",
        "paid_order_has_its_capture",
    ),
    corruption(
        "a paid order is executed without stamps",
        "UPDATE orders SET state = 'executed', closed_at = now() WHERE order_id = %(paid.order)s",
        "orders_issue_what_was_paid",
    ),
    corruption(
        "a paid order's money is forgotten",
        "UPDATE orders SET state = 'returned', closed_at = now() WHERE order_id = %(paid.order)s",
        "order_stands_where_its_refunds_do",
    ),
    corruption(
        "a key stands for a stamping that nobody made",
        "UPDATE stamping_keys SET stampings = stampings || gen_random_uuid()",
        "key_stands_for_its_stampings",
    ),
    corruption(
        "an order of documents is executed with one of them open",
        "UPDATE orders SET state = 'executed', closed_at = now() WHERE order_id = %(begun.order)s",
        "stamping_is_of_its_order",
    ),
    corruption(
        "an order of documents is not closed",
        "UPDATE orders SET state = 'paid', closed_at = NULL WHERE order_id = %(partly.order)s",
        "paid_documents_are_taken_up",
    ),
    corruption(
        "an order is due next year",
        "UPDATE orders SET due_at = due_at + interval '1 year' WHERE order_id = %(paid.order)s",
        "order_times_are_in_order",
    ),
    corruption(
        "an order is due next year by its terms",
        "UPDATE orders SET due_seconds = 86400 * 365,"
        " due_at = paid_at + interval '365 days' WHERE order_id = %(paid.order)s",
        "order_times_are_in_order",
    ),
    corruption(
        "an order is past due",
        "UPDATE orders SET due_at = now() - interval '1 hour' WHERE order_id = %(paid.order)s",
        "work_is_done_in_time",
    ),
    corruption(
        "an order can be paid for ever",
        "UPDATE orders SET lapses_at = now() + interval '1 year' WHERE order_id = %(placed.order)s",
        "order_times_are_in_order",
        "attempts_are_of_orders",
    ),
    corruption(
        "an order does not lapse",
        "UPDATE orders SET lapses_at = now() - interval '1 hour',"
        " placed_at = now() - interval '2 hours' WHERE order_id = %(placed.order)s",
        "work_is_done_in_time",
    ),
    corruption(
        "an order was closed before it was paid",
        "UPDATE orders SET closed_at = paid_at - interval"
        " '1 hour' WHERE order_id = %(quota.order)s",
        "order_times_are_in_order",
    ),
    corruption(
        "an order is from the future",
        "UPDATE orders SET placed_at = now() + interval '1 year' WHERE order_id = %(placed.order)s",
        "order_times_are_in_order",
    ),
    corruption(
        "an executed order was never closed",
        "UPDATE orders SET closed_at = NULL WHERE order_id = %(quota.order)s",
        "order_times_are_in_order",
    ),
    corruption(
        "an order is gone",
        "DELETE FROM orders WHERE order_id = %(quota.order)s",
        "orders_issue_what_was_paid",
        ENTRIES,
        "attempts_are_of_orders",
    ),
    corruption(
        "an unpaid order is gone",
        "DELETE FROM orders WHERE order_id = %(placed.order)s",
        "attempts_are_of_orders",
    ),
    corruption(
        "an order of nobody",
        "UPDATE orders SET account_id = gen_random_uuid() WHERE order_id = %(placed.order)s",
        "order_belongs_to_somebody",
        "attempts_are_of_orders",
    ),
    corruption(
        "an account is gone",
        "DELETE FROM accounts WHERE account_id = %(account)s",
        "order_belongs_to_somebody",
        "address_finds_its_account",
    ),
    corruption(
        "an order is due later, and its terms say so",
        "UPDATE orders SET due_seconds = due_seconds + 31536000, due_at = due_at + interval '1 year' WHERE state = 'paid'",
        TIMES,
    ),
)
