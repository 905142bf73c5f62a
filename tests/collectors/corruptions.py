"""Corruptions of rows of collectors, and the invariants that must find each."""

from tests.support.corrupting import ENTRIES, IN_THE_WORLD, corruption

OWED = "collectors_owe_what_they_drew"
DRAWN = "draw_pays_its_attempt"
CONFIRMED = "collector_deposit_is_confirmed_once"
COLLECTOR = "collector_is_as_staff_said"
REPORTS = "collector_reports_are_in_the_trail"

CORRUPTIONS = (
    corruption(
        "a draw of more than its attempt",
        "UPDATE credit_draws SET amount = amount + 10000 WHERE draw_id = %(draw.draw)s",
        DRAWN,
        OWED,
        ENTRIES,
    ),
    corruption(
        "a draw pays the fee of a seller",
        "ALTER TABLE orders DROP CONSTRAINT seller_fee_is_part_of_the_fee;"
        " UPDATE orders SET seller_fee = 500 WHERE order_id = %(draw.order)s",
        DRAWN,
        "order_was_sold_by_a_seller",
        IN_THE_WORLD,
    ),
    corruption(
        "a draw that paid waits",
        "UPDATE credit_draws SET state = 'waiting', taken_at = NULL, month = NULL WHERE draw_id = %(draw.draw)s",
        DRAWN,
        OWED,
        ENTRIES,
    ),
    corruption(
        "a draw ended before it was made",
        "UPDATE credit_draws SET ended_at = made_at - interval '1 hour' WHERE draw_id = %(no_draw.draw)s",
        DRAWN,
    ),
    corruption(
        "credit came back that no refund gave",
        "UPDATE credit_returns SET amount = amount - 1",
        "credit_that_came_back_was_a_refund",
        OWED,
        ENTRIES,
    ),
    corruption(
        "a refund of a draw is owed still",
        "DELETE FROM credit_returns",
        "credit_that_came_back_was_a_refund",
        OWED,
        ENTRIES,
    ),
    corruption(
        "a month owes less than was drawn",
        "UPDATE collector_months SET drawn = drawn - 10000",
        OWED,
    ),
    corruption(
        "a month was deposited by nothing",
        "UPDATE collector_months SET deposited = deposited + 10000",
        OWED,
    ),
    corruption(
        "a deposit that nobody confirmed",
        "UPDATE collector_deposits SET state = 'confirmed', confirmed_at = now() WHERE state = 'told'",
        CONFIRMED,
        OWED,
        ENTRIES,
    ),
    corruption(
        "a deposit was taken back before it was told",
        "UPDATE collector_deposits SET withdrawn_at = told_at - interval '1 hour' WHERE state = 'withdrawn'",
        CONFIRMED,
    ),
    corruption(
        "a collector that staff closed draws",
        "UPDATE collectors SET state = 'open', closed_at = NULL WHERE account_id = %(closed.collector)s",
        COLLECTOR,
    ),
    corruption(
        "a collector that nobody approved",
        "DELETE FROM audit_events WHERE action = 'collector_approved'",
        COLLECTOR,
    ),
    corruption(
        "a collector is back at its older terms",
        "UPDATE collectors c SET terms_id = (SELECT min(terms_id::text)::uuid FROM collector_terms t"
        " WHERE t.account_id = c.account_id) WHERE account_id = %(open.collector)s",
        COLLECTOR,
    ),
    corruption(
        "a collector need not say what its documents are",
        "DELETE FROM facts_demanded",
        COLLECTOR,
    ),
    corruption(
        "a return of a month that its collector did not tell",
        "INSERT INTO collector_reports (account_id, month, receipt, reported_on)"
        " VALUES (%(open.collector)s, '2026-01-01', 'S-2', '2026-02-10')",
        REPORTS,
    ),
    corruption(
        "a return of a month is gone",
        "DELETE FROM collector_reports WHERE account_id = %(open.collector)s",
        REPORTS,
    ),
    corruption(
        "a document of a collector says less than it did",
        "UPDATE stamping_facts SET party_name = NULL WHERE stamping_id = %(told.stamping)s",
        "facts_are_told_where_demanded",
    ),
)
