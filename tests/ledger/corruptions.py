"""Corruptions of rows of ledger, and the invariants that must find each."""

from tests.support.corrupting import BALANCES, BOOKS, ENTRIES, LEG, NIL, corruption, entry

CORRUPTIONS = (
    corruption(
        "a balanced entry from duty to bank",
        entry("refund_settled", "duty_payable", "bank_clearing", 10_000, "%(quota.order)s"),
        ENTRIES,
        BOOKS,
    ),
    corruption(
        "a balanced entry of a reason nobody knows",
        entry("correction", "duty_payable", "service_fee", 10_000, "%(quota.order)s"),
        ENTRIES,
    ),
    corruption(
        "a balanced entry about nothing",
        entry("correction", "duty_payable", "bank_clearing", 10_000, "gen_random_uuid()"),
        ENTRIES,
    ),
    corruption(
        "a loss that was none",
        entry("refund_void", "denied_loss", "bank_clearing", 10_500, "%(quota.order)s"),
        ENTRIES,
        BOOKS,
    ),
    corruption(
        "stamps from nothing",
        entry("stamps_issued", "stamps_issued", "stamps_available", 5, "%(quota.order)s")
        + "; UPDATE balances SET posted = posted + 5"
        " WHERE book = 'stamps_available' AND account_id = %(account)s",
        ENTRIES,
        BOOKS,
        "stamp_books_agree_with_lots",
    ),
    corruption(
        "the entry of a capture is gone",
        "DELETE FROM legs WHERE entry_id = 'captured:' ||"
        " %(quota.attempt)s || ':' || %(quota.payment)s; DELETE FROM entries WHERE entry_id ="
        " 'captured:' || %(quota.attempt)s || ':' || %(quota.payment)s",
        ENTRIES,
        BOOKS,
        BALANCES,
    ),
    corruption(
        "the legs of an entry are gone",
        "DELETE FROM legs WHERE entry_id = 'issued:' || %(quota.order)s",
        ENTRIES,
        "books_balance_per_unit",
    ),
    corruption(
        "the rupiah legs of an entry are gone",
        "DELETE FROM legs WHERE unit = 'IDR' AND entry_id = 'issued:' || %(quota.order)s",
        ENTRIES,
        BALANCES,
    ),
    corruption(
        "an entry is unbalanced",
        "UPDATE legs SET credit = credit + 1 WHERE book = 'duty_payable'"
        " AND entry_id = 'issued:' || %(quota.order)s",
        "books_balance_per_unit",
        ENTRIES,
    ),
    corruption(
        "duty moved to the fee",
        "UPDATE legs SET credit = credit + CASE book WHEN 'duty_payable'"
        " THEN -9000 ELSE 9000 END WHERE book IN ('duty_payable', 'service_fee') AND entry_id ="
        " 'issued:' || %(quota.order)s",
        ENTRIES,
        BOOKS,
    ),
    corruption(
        "an entry speaks of another order",
        "UPDATE entries SET subject = %(asked.order)s WHERE"
        " entry_id = 'issued:' || %(quota.order)s",
        ENTRIES,
        BOOKS,
    ),
    corruption(
        "an entry has another reason",
        "UPDATE entries SET reason = 'stamps_affixed' WHERE"
        " entry_id = 'issued:' || %(quota.order)s",
        ENTRIES,
    ),
    corruption(
        "an entry has another time",
        "UPDATE entries SET posted_at = posted_at - interval '1 day'"
        " WHERE entry_id = 'issued:' || %(quota.order)s",
        ENTRIES,
    ),
    corruption(
        "an entry has another name",
        "UPDATE legs SET entry_id = 'x' WHERE entry_id = 'issued:' ||"
        " %(quota.order)s; UPDATE entries SET entry_id = 'x' WHERE entry_id = 'issued:' ||"
        " %(quota.order)s",
        ENTRIES,
    ),
    corruption(
        "an entry is of another account",
        "UPDATE legs SET account_id = %(other)s WHERE entry_id"
        " = 'issued:' || %(quota.order)s; UPDATE entries SET account_id = %(other)s WHERE entry_id"
        " = 'issued:' || %(quota.order)s",
        ENTRIES,
        BALANCES,
    ),
    corruption(
        "an entry is posted twice",
        "INSERT INTO entries SELECT account_id, entry_id || '2',"
        " reason, subject, posted_at FROM entries WHERE entry_id = 'issued:' || %(quota.order)s;"
        " INSERT INTO legs SELECT account_id, entry_id || '2', book, unit, debit, credit FROM legs"
        " WHERE entry_id = 'issued:' || %(quota.order)s",
        ENTRIES,
        BALANCES,
    ),
    corruption(
        "a leg without its entry",
        LEG + "(%(account)s, 'nowhere', 'duty_payable', 'IDR', 5, 0)",
        "leg_is_of_an_entry_in_its_unit",
    ),
    corruption(
        "a leg in the wrong unit",
        "ALTER TABLE legs DROP CONSTRAINT leg_is_in_the_unit_of_its_book;"
        " UPDATE legs SET unit = 'STAMP' WHERE book = 'duty_payable'",
        "leg_is_of_an_entry_in_its_unit",
    ),
    corruption(
        "a leg on both sides",
        "ALTER TABLE legs DROP CONSTRAINT leg_is_one_sided; UPDATE legs SET"
        " debit = debit + 7, credit = credit + 7 WHERE book = 'duty_payable'",
        "leg_is_of_an_entry_in_its_unit",
    ),
    corruption(
        "a balance is raised",
        "UPDATE balances SET posted = posted + 1 WHERE book = 'stamps_available'",
        BALANCES,
        "stamp_books_agree_with_lots",
    ),
    corruption(
        "money on its way back is forgotten",
        "UPDATE balances SET posted = posted - 10500 WHERE book = 'refunds_payable' AND account_id = %(account)s",
        BALANCES,
        "money_in_flight_is_explained",
        "captured_is_executed_refunded_or_in_flight",
    ),
    corruption("a balance is gone", "DELETE FROM balances WHERE book = 'buyer_funds'", BALANCES),
    corruption(
        "a balance of nobody",
        f"INSERT INTO balances VALUES ({NIL}, 'buyer_funds', 10000, 0)",
        BALANCES,
    ),
    corruption(
        "a balance below its holds",
        "ALTER TABLE balances DROP CONSTRAINT balance_covers_its_holds;"
        " UPDATE balances SET held = posted + 1 WHERE book = 'stamps_available'",
        "no_balance_below_zero",
        "held_is_the_sum_of_open_holds",
    ),
    corruption(
        "a hold is larger",
        "UPDATE holds SET amount = amount + 1 WHERE hold_id = %(reserved.stamping)s",
        "held_is_the_sum_of_open_holds",
        "stamping_agrees_with_its_hold",
    ),
    corruption(
        "a hold is released quietly",
        "UPDATE holds SET state = 'voided', resolved_at = now() WHERE"
        " hold_id = %(reserved.stamping)s",
        "held_is_the_sum_of_open_holds",
        "stamping_agrees_with_its_hold",
    ),
    corruption(
        "a hold and its balance are released",
        "UPDATE holds SET state = 'expired', resolved_at ="
        " now() WHERE hold_id = %(reserved.stamping)s; UPDATE balances SET held = held - 2 WHERE"
        " book = 'stamps_available' AND account_id = %(account)s",
        "stamping_agrees_with_its_hold",
    ),
    corruption(
        "a hold is gone",
        "DELETE FROM holds WHERE hold_id = %(one.stamping)s",
        "stamping_agrees_with_its_hold",
    ),
    corruption(
        "a hold of nothing",
        "INSERT INTO holds (account_id, hold_id, book, amount, subject, state,"
        " resolved_at) VALUES (%(account)s, gen_random_uuid(), 'stamps_available', 1, 'x',"
        " 'voided', now())",
        "stamping_agrees_with_its_hold",
    ),
    corruption(
        "a hold in another book",
        "UPDATE holds SET book = 'stamps_ordered' WHERE hold_id = %(one.stamping)s",
        "stamping_agrees_with_its_hold",
    ),
    corruption(
        "a hold was resolved at another time",
        "UPDATE holds SET resolved_at = resolved_at +"
        " interval '1 hour' WHERE hold_id = %(one.stamping)s",
        "stamping_agrees_with_its_hold",
    ),
    corruption(
        "money in suspense of nothing",
        entry("money_suspended", "bank_clearing", "suspense", 7_000, "gen_random_uuid()"),
        ENTRIES,
    ),
    corruption(
        "a write-off of nothing",
        entry("break_written_off", "written_off", "bank_clearing", 7_000, "gen_random_uuid()"),
        ENTRIES,
    ),
)
