"""Ways to spoil an honest history, each with the promises that must be seen broken.

`history` names things (see tests/support/history.py); the SQL runs as the owner of the tables with
foreign keys off, as somebody would who wants to hide something, and checks are taken off where
they would be in the way.
"""

from dataclasses import dataclass

NIL = "'00000000-0000-0000-0000-000000000000'"
_LEG = "INSERT INTO legs (account_id, entry_id, book, unit, debit, credit) VALUES "


@dataclass(frozen=True)
class Corruption:
    """One way: what is done, and which invariants must say so."""

    name: str
    sql: str
    seen_by: frozenset[str]


def _c(name: str, sql: str, *seen_by: str) -> Corruption:
    return Corruption(name, sql, frozenset(seen_by))


def _entry(reason: str, book_from: str, book_to: str, amount: int, subject: str) -> str:
    unit = "STAMP" if book_from.startswith("stamps_") else "IDR"
    return (
        "INSERT INTO entries (account_id, entry_id, reason, subject)"
        f" VALUES (%(account)s, 'made-up', '{reason}', {subject});"
        f"{_LEG} (%(account)s, 'made-up', '{book_from}', '{unit}', {amount}, 0),"
        f" (%(account)s, 'made-up', '{book_to}', '{unit}', 0, {amount})"
    )


ENTRIES = "entries_are_what_their_causes_make"
BOOKS = "books_of_an_order_are_what_happened_to_it"
BALANCES = "balances_are_the_sums_of_their_legs"

LEDGER = [
    _c(
        "a balanced entry from duty to bank",
        _entry("refund_settled", "duty_payable", "bank_clearing", 10_000, "%(quota.order)s"),
        ENTRIES,
        BOOKS,
    ),
    _c(
        "a balanced entry of a reason nobody knows",
        _entry("correction", "duty_payable", "service_fee", 10_000, "%(quota.order)s"),
        ENTRIES,
    ),
    _c(
        "a balanced entry about nothing",
        _entry("correction", "duty_payable", "bank_clearing", 10_000, "gen_random_uuid()"),
        ENTRIES,
    ),
    _c(
        "a loss that was none",
        _entry("refund_void", "denied_loss", "bank_clearing", 10_500, "%(quota.order)s"),
        ENTRIES,
        BOOKS,
    ),
    _c(
        "stamps from nothing",
        _entry("stamps_issued", "stamps_issued", "stamps_available", 5, "%(quota.order)s")
        + "; UPDATE balances SET posted = posted + 5"
        " WHERE book = 'stamps_available' AND account_id = %(account)s",
        ENTRIES,
        BOOKS,
        "stamp_books_agree_with_lots",
    ),
    _c(
        "the entry of a capture is gone",
        "DELETE FROM legs WHERE entry_id = 'captured:' ||"
        " %(quota.attempt)s || ':' || %(quota.payment)s; DELETE FROM entries WHERE entry_id ="
        " 'captured:' || %(quota.attempt)s || ':' || %(quota.payment)s",
        ENTRIES,
        BOOKS,
        BALANCES,
    ),
    _c(
        "the legs of an entry are gone",
        "DELETE FROM legs WHERE entry_id = 'issued:' || %(quota.order)s",
        ENTRIES,
        "books_balance_per_unit",
    ),
    _c(
        "the rupiah legs of an entry are gone",
        "DELETE FROM legs WHERE unit = 'IDR' AND entry_id = 'issued:' || %(quota.order)s",
        ENTRIES,
        BALANCES,
    ),
    _c(
        "an entry is unbalanced",
        "UPDATE legs SET credit = credit + 1 WHERE book = 'duty_payable'"
        " AND entry_id = 'issued:' || %(quota.order)s",
        "books_balance_per_unit",
        ENTRIES,
    ),
    _c(
        "duty moved to the fee",
        "UPDATE legs SET credit = credit + CASE book WHEN 'duty_payable'"
        " THEN -9000 ELSE 9000 END WHERE book IN ('duty_payable', 'service_fee') AND entry_id ="
        " 'issued:' || %(quota.order)s",
        ENTRIES,
        BOOKS,
    ),
    _c(
        "an entry speaks of another order",
        "UPDATE entries SET subject = %(asked.order)s WHERE"
        " entry_id = 'issued:' || %(quota.order)s",
        ENTRIES,
        BOOKS,
    ),
    _c(
        "an entry has another reason",
        "UPDATE entries SET reason = 'stamps_affixed' WHERE"
        " entry_id = 'issued:' || %(quota.order)s",
        ENTRIES,
    ),
    _c(
        "an entry has another time",
        "UPDATE entries SET posted_at = posted_at - interval '1 day'"
        " WHERE entry_id = 'issued:' || %(quota.order)s",
        ENTRIES,
    ),
    _c(
        "an entry has another name",
        "UPDATE legs SET entry_id = 'x' WHERE entry_id = 'issued:' ||"
        " %(quota.order)s; UPDATE entries SET entry_id = 'x' WHERE entry_id = 'issued:' ||"
        " %(quota.order)s",
        ENTRIES,
    ),
    _c(
        "an entry is of another account",
        "UPDATE legs SET account_id = %(other)s WHERE entry_id"
        " = 'issued:' || %(quota.order)s; UPDATE entries SET account_id = %(other)s WHERE entry_id"
        " = 'issued:' || %(quota.order)s",
        ENTRIES,
        BALANCES,
    ),
    _c(
        "an entry is posted twice",
        "INSERT INTO entries SELECT account_id, entry_id || '2',"
        " reason, subject, posted_at FROM entries WHERE entry_id = 'issued:' || %(quota.order)s;"
        " INSERT INTO legs SELECT account_id, entry_id || '2', book, unit, debit, credit FROM legs"
        " WHERE entry_id = 'issued:' || %(quota.order)s",
        ENTRIES,
        BALANCES,
    ),
    _c(
        "a leg without its entry",
        _LEG + "(%(account)s, 'nowhere', 'duty_payable', 'IDR', 5, 0)",
        "leg_is_of_an_entry_in_its_unit",
    ),
    _c(
        "a leg in the wrong unit",
        "ALTER TABLE legs DROP CONSTRAINT leg_is_in_the_unit_of_its_book;"
        " UPDATE legs SET unit = 'STAMP' WHERE book = 'duty_payable'",
        "leg_is_of_an_entry_in_its_unit",
    ),
    _c(
        "a leg on both sides",
        "ALTER TABLE legs DROP CONSTRAINT leg_is_one_sided; UPDATE legs SET"
        " debit = debit + 7, credit = credit + 7 WHERE book = 'duty_payable'",
        "leg_is_of_an_entry_in_its_unit",
    ),
    _c(
        "a balance is raised",
        "UPDATE balances SET posted = posted + 1 WHERE book = 'stamps_available'",
        BALANCES,
        "stamp_books_agree_with_lots",
    ),
    _c(
        "money on its way back is forgotten",
        "UPDATE balances SET posted = posted - 10500 WHERE book = 'refunds_payable' AND account_id = %(account)s",
        BALANCES,
        "money_in_flight_is_explained",
        "captured_is_executed_refunded_or_in_flight",
    ),
    _c("a balance is gone", "DELETE FROM balances WHERE book = 'buyer_funds'", BALANCES),
    _c(
        "a balance of nobody",
        f"INSERT INTO balances VALUES ({NIL}, 'buyer_funds', 10000, 0)",
        BALANCES,
    ),
    _c(
        "a balance below its holds",
        "ALTER TABLE balances DROP CONSTRAINT balance_covers_its_holds;"
        " UPDATE balances SET held = posted + 1 WHERE book = 'stamps_available'",
        "no_balance_below_zero",
        "held_is_the_sum_of_open_holds",
    ),
    _c(
        "a hold is larger",
        "UPDATE holds SET amount = amount + 1 WHERE hold_id = %(reserved.stamping)s",
        "held_is_the_sum_of_open_holds",
        "stamping_agrees_with_its_hold",
    ),
    _c(
        "a hold is released quietly",
        "UPDATE holds SET state = 'voided', resolved_at = now() WHERE"
        " hold_id = %(reserved.stamping)s",
        "held_is_the_sum_of_open_holds",
        "stamping_agrees_with_its_hold",
    ),
    _c(
        "a hold and its balance are released",
        "UPDATE holds SET state = 'expired', resolved_at ="
        " now() WHERE hold_id = %(reserved.stamping)s; UPDATE balances SET held = held - 2 WHERE"
        " book = 'stamps_available' AND account_id = %(account)s",
        "stamping_agrees_with_its_hold",
    ),
    _c(
        "a hold is gone",
        "DELETE FROM holds WHERE hold_id = %(one.stamping)s",
        "stamping_agrees_with_its_hold",
    ),
    _c(
        "a hold of nothing",
        "INSERT INTO holds (account_id, hold_id, book, amount, subject, state,"
        " resolved_at) VALUES (%(account)s, gen_random_uuid(), 'stamps_available', 1, 'x',"
        " 'voided', now())",
        "stamping_agrees_with_its_hold",
    ),
    _c(
        "a hold in another book",
        "UPDATE holds SET book = 'stamps_ordered' WHERE hold_id = %(one.stamping)s",
        "stamping_agrees_with_its_hold",
    ),
    _c(
        "a hold was resolved at another time",
        "UPDATE holds SET resolved_at = resolved_at +"
        " interval '1 hour' WHERE hold_id = %(one.stamping)s",
        "stamping_agrees_with_its_hold",
    ),
]

_COPY = (
    "INSERT INTO captures SELECT account_id, %(placed.attempt)s, payment, amount, learned_by,"
    " captured_at, NULL FROM captures WHERE payment = %(quota.payment)s"
)
PAYMENTS = [
    _c(
        "the QR of another's attempt",
        "UPDATE payment_attempts SET (instructions, provider_reference) = (SELECT instructions,"
        " provider_reference FROM payment_attempts WHERE attempt_id = %(lapsed.attempt)s)"
        " WHERE attempt_id = %(placed.attempt)s",
        "qr_is_of_one_attempt",
    ),
    _c(
        "instructions of a kind nobody reads",
        'UPDATE payment_attempts SET instructions = \'{"kind": "letter"}\''
        " WHERE attempt_id = %(placed.attempt)s",
        "instructions_are_whole",
    ),
    _c(
        "another QR in the column of before",
        "UPDATE payment_attempts SET qr_content = instructions->>'content' || '0'"
        " WHERE attempt_id = %(placed.attempt)s",
        "instructions_are_whole",
    ),
    _c(
        "instructions from before their attempt",
        "UPDATE payment_attempts SET instructed_at = opened_at - interval '1 day'"
        " WHERE attempt_id = %(placed.attempt)s",
        "instructions_are_whole",
    ),
    _c(
        "a rail was taken out by nobody",
        "INSERT INTO rails_out (rail, reason) VALUES ('bank', 'x')",
        "rail_was_taken_out_by_an_operator",
    ),
    _c(
        "a rail was put back by nobody",
        "INSERT INTO audit_events (account_id, event_id, happened_at, actor, action, subject, facts)"
        " SELECT account_id, gen_random_uuid(), now(), actor, 'rail_taken_out', 'bank', '{}'"
        " FROM audit_events WHERE account_id = '00000000-0000-0000-0000-000000000000' LIMIT 1",
        "rail_was_taken_out_by_an_operator",
    ),
    _c(
        "an order can be paid until a time that no way to pay has",
        "UPDATE orders SET pay_until = lapses_at + interval '1 hour' WHERE order_id = %(placed.order)s",
        "attempts_are_of_orders",
    ),
    _c(
        "a method of another rail",
        "UPDATE payment_attempts SET method = 'card' WHERE attempt_id = %(placed.attempt)s",
        "attempt_has_a_method_of_its_rail",
    ),
    _c(
        "a QR nobody made",
        'UPDATE payment_attempts SET instructions = \'{"kind": "qr", "content": "q"}\','
        " instructed_at = now() WHERE attempt_id = %(opening.attempt)s",
        "qr_is_of_one_attempt",
    ),
    _c(
        "a capture is gone",
        "DELETE FROM captures WHERE payment = %(quota.payment)s",
        ENTRIES,
        BOOKS,
        "paid_order_has_its_capture",
        "attempt_agrees_with_its_payments",
    ),
    _c(
        "a capture of nothing",
        "INSERT INTO captures (account_id, attempt_id, payment, amount,"
        " learned_by) VALUES (%(account)s, %(placed.attempt)s, 'X1', 21000, 'question')",
        ENTRIES,
        "attempt_agrees_with_its_payments",
        "no_money_lies_about",
    ),
    _c(
        "a capture is larger",
        "UPDATE captures SET amount = amount + 10500 WHERE payment = %(quota.payment)s",
        ENTRIES,
        "no_money_lies_about",
    ),
    _c(
        "a capture is less than the total",
        "UPDATE captures SET amount = 1 WHERE payment = %(quota.payment)s",
        ENTRIES,
        "paid_order_has_its_capture",
        "no_money_lies_about",
    ),
    _c(
        "a payment has another number",
        "UPDATE captures SET payment = 'X2' WHERE payment = %(quota.payment)s",
        ENTRIES,
        "paid_order_has_its_capture",
    ),
    _c("one payment pays two orders", _COPY, "payment_counts_once"),
    _c(
        "one payment is in suspense too",
        "UPDATE suspense_items SET payment = %(quota.payment)s WHERE item_id = %(suspended.item)s",
        "payment_counts_once",
    ),
    _c(
        "one payment pays two accounts",
        "INSERT INTO payment_attempts (account_id, attempt_id, subject, reference, amount, state,"
        " instructions, instructed_at, provider_reference, opened_at, expires_at, leased_until, ask_at,"
        " asked) SELECT %(other)s, attempt_id, subject, reference, amount, state, instructions,"
        " instructed_at, provider_reference, opened_at, expires_at, leased_until, ask_at, asked"
        " FROM payment_attempts WHERE attempt_id ="
        " %(quota.attempt)s; INSERT INTO captures SELECT %(other)s, attempt_id, payment, amount,"
        " learned_by, captured_at, NULL FROM captures WHERE payment = %(quota.payment)s",
        "payment_counts_once",
        "attempts_are_of_orders",
        "reference_names_its_attempt",
    ),
    _c(
        "two orders name one payment",
        "UPDATE orders SET paid_attempt = %(quota.attempt)s,"
        " paid_payment = %(quota.payment)s WHERE order_id = %(excess.order)s",
        "paid_order_has_its_capture",
    ),
    _c(
        "a denial that was none",
        "UPDATE captures SET denied_at = now() WHERE payment = %(quota.payment)s",
        "no_money_lies_about",
        "paid_order_has_its_capture",
    ),
    _c(
        "a denial is hidden",
        "UPDATE captures SET denied_at = NULL WHERE payment = %(denied.payment)s",
        "no_money_lies_about",
    ),
    _c(
        "a real payment calls itself a denial's mark",
        "UPDATE captures SET learned_by = 'denial',"
        " denied_at = now() WHERE payment = %(quota.payment)s",
        ENTRIES,
        "paid_order_has_its_capture",
    ),
    _c(
        "a chargeback is moved to another order",
        "UPDATE chargebacks SET subject = %(quota.order)s WHERE payment = %(denied.payment)s",
        "chargeback_is_what_was_told_and_booked",
    ),
    _c(
        "a payment is made of a chargeback that overtook it",
        "INSERT INTO captures (account_id, attempt_id, payment, amount, learned_by)"
        " SELECT account_id, attempt_id, payment, taken_back, 'question' FROM chargebacks"
        " WHERE payment = 'OVERTAKEN'",
        ENTRIES,
        "no_money_lies_about",
    ),
    _c(
        "a payment before its attempt",
        "UPDATE captures SET captured_at = captured_at - interval"
        " '1 day' WHERE payment = %(quota.payment)s",
        "attempt_agrees_with_its_payments",
        ENTRIES,
    ),
    _c(
        "denied before it was paid",
        "UPDATE captures SET denied_at = captured_at - interval"
        " '1 hour' WHERE payment = %(denied.payment)s",
        "attempt_agrees_with_its_payments",
    ),
    _c(
        "a paid attempt waits",
        "UPDATE payment_attempts SET state = 'waiting', instructed_at = now(),"
        ' instructions = \'{"kind": "qr", "content": "q"}\' WHERE attempt_id = %(quota.attempt)s',
        "attempt_agrees_with_its_payments",
    ),
    _c(
        "an unpaid attempt is paid",
        "UPDATE payment_attempts SET state = 'paid' WHERE attempt_id = %(placed.attempt)s",
        "attempt_agrees_with_its_payments",
    ),
    _c(
        "a paid attempt is denied",
        "UPDATE payment_attempts SET state = 'denied' WHERE attempt_id = %(quota.attempt)s",
        "attempt_agrees_with_its_payments",
    ),
    _c(
        "a denied attempt is paid",
        "UPDATE payment_attempts SET state = 'paid' WHERE attempt_id = %(denied.attempt)s",
        "attempt_agrees_with_its_payments",
    ),
    _c(
        "an attempt has the reference of another",
        "UPDATE payment_attempts SET reference = (SELECT"
        " reference FROM payment_attempts WHERE attempt_id = %(quota.attempt)s) WHERE attempt_id ="
        " %(placed.attempt)s",
        "reference_names_its_attempt",
    ),
    _c(
        "an attempt is for another sum",
        "UPDATE payment_attempts SET amount = 1 WHERE attempt_id = %(placed.attempt)s",
        "attempts_are_of_orders",
    ),
    _c(
        "an attempt is for another order",
        "UPDATE payment_attempts SET subject = %(opening.order)s"
        " WHERE attempt_id = %(quota.attempt)s",
        ENTRIES,
        "paid_order_has_its_capture",
        "attempts_are_of_orders",
    ),
    _c(
        "an attempt for no order",
        "UPDATE payment_attempts SET subject = gen_random_uuid() WHERE attempt_id = %(lost.lost)s",
        "attempts_are_of_orders",
    ),
    _c(
        "an order cannot be paid",
        "DELETE FROM payment_attempts WHERE attempt_id = %(placed.attempt)s",
        "attempts_are_of_orders",
    ),
    _c(
        "an attempt can be paid for ever",
        "UPDATE payment_attempts SET expires_at = 'infinity' WHERE attempt_id = %(placed.attempt)s",
        "attempts_are_of_orders",
    ),
    _c(
        "nobody opens an attempt",
        "UPDATE payment_attempts SET leased_until = now() - interval"
        " '1 hour' WHERE attempt_id = %(opening.attempt)s",
        "work_is_done_in_time",
    ),
    _c(
        "an attempt is leased for ever",
        "UPDATE payment_attempts SET leased_until = now() +"
        " interval '1 year' WHERE attempt_id = %(opening.attempt)s",
        "times_hide_no_work",
    ),
    _c(
        "a payment that only news told is confirmed by nobody",
        "UPDATE captures SET captured_at = captured_at - interval '2 days', confirmed_at = NULL"
        " WHERE payment = %(quota.payment)s AND learned_by = 'notification'",
        "no_question_falls_silent",
    ),
    _c(
        "a refund was reversed and nothing goes back",
        "UPDATE refunds SET reversed = 1000 WHERE refund_id = %(returned.refund)s",
        "no_money_lies_about",
    ),
    _c(
        "a chargeback was won and is in no book",
        "UPDATE chargebacks SET won = posted WHERE payment = %(denied.payment)s",
        "no_money_lies_about",
    ),
    _c(
        "nobody asks about an attempt",
        "UPDATE payment_attempts SET ask_at = now() - interval"
        " '2 hours' WHERE attempt_id = %(placed.attempt)s",
        "work_is_done_in_time",
    ),
    _c(
        "an attempt is asked about next year",
        "UPDATE payment_attempts SET ask_at = now() +"
        " interval '1 year' WHERE attempt_id = %(placed.attempt)s",
        "times_hide_no_work",
    ),
    _c(
        "an attempt is never asked about",
        "UPDATE payment_attempts SET ask_at = 'infinity' WHERE attempt_id = %(lost.lost)s",
        "times_hide_no_work",
    ),
    _c(
        "a notification is forgotten",
        "UPDATE notification_inbox SET outcome = NULL",
        "no_notification_forgotten",
    ),
    _c(
        "a notification waits for a dead worker",
        "INSERT INTO notification_inbox (provider,"
        " external_id, sent_on, body, received_at) VALUES ('bank', 'L1', current_date, '', now() -"
        " interval '1 hour'); INSERT INTO jobs (account_id, kind, handler, facts) VALUES"
        f" ({NIL}, 'notification_received', 'take_from_inbox', jsonb_build_object('external_id', 'L1', 'sent_on',"
        " current_date))",
        "no_notification_forgotten",
    ),
]

JOBS = [
    _c(
        "a capture's job is lost",
        "DELETE FROM jobs WHERE kind = 'payment_captured'",
        "no_money_lies_about",
    ),
    _c(
        "a job waits for a dead worker",
        "INSERT INTO jobs (account_id, kind, handler, run_at) VALUES"
        " (%(account)s, 'order_executed', 'tell_executed', now() - interval '1 hour')",
        "work_is_done_in_time",
    ),
    _c(
        "a job is put off for a year",
        "INSERT INTO jobs (account_id, kind, handler, run_at) VALUES"
        " (%(account)s, 'order_executed', 'tell_executed', now() + interval '1 year')",
        "times_hide_no_work",
    ),
    _c(
        "a job fails for hours",
        "INSERT INTO jobs (account_id, kind, handler, created_at, tries) VALUES"
        " (%(account)s, 'order_executed', 'tell_executed', now() - interval '3 hours', 40)",
        "no_job_stuck",
    ),
    _c(
        "an executed order was not told",
        "DELETE FROM mails WHERE cause_key = 'order_executed:' || %(quota.order)s",
        "mails_are_what_their_causes_make",
    ),
    _c(
        "a stamped document was not told",
        "DELETE FROM mails WHERE cause_key = 'stamping_delivered:' || %(one.stamping)s",
        "mails_are_what_their_causes_make",
    ),
    _c(
        "a failed document was not told",
        "DELETE FROM mails WHERE cause_key = 'stamping_failed:' || %(failed.stamping)s",
        "mails_are_what_their_causes_make",
    ),
    _c(
        "a requested refund was not told",
        "DELETE FROM mails WHERE cause_key = 'refund_requested:' || %(asked.refund)s",
        "mails_are_what_their_causes_make",
    ),
    _c(
        "a settled refund was not told",
        "DELETE FROM mails WHERE cause_key = 'refund_settled:' || %(returned.refund)s",
        "mails_are_what_their_causes_make",
    ),
    _c(
        "a mail about nothing",
        "INSERT INTO mails (account_id, mail_id, cause_key, template,"
        " language, recipient, facts) SELECT account_id, gen_random_uuid(), 'refund_settled:' ||"
        " gen_random_uuid(), template, language, recipient, facts FROM mails WHERE mail_id ="
        " %(mail)s",
        "mails_are_what_their_causes_make",
    ),
    _c(
        "a mail goes to somebody else",
        "UPDATE mails SET recipient = 'else@example.org' WHERE mail_id = %(mail)s",
        "mails_are_what_their_causes_make",
    ),
    _c(
        "a mail says something else",
        "UPDATE mails SET template = 'refund_settled' WHERE cause_key"
        " = 'refund_requested:' || %(asked.refund)s",
        "mails_are_what_their_causes_make",
    ),
    _c(
        "nobody sends a mail",
        "UPDATE mails SET try_at = now() - interval '1 hour' WHERE state = 'queued'",
        "work_is_done_in_time",
    ),
    _c(
        "a mail is put off for a year",
        "UPDATE mails SET try_at = now() + interval '1 year' WHERE state = 'queued'",
        "times_hide_no_work",
    ),
    _c(
        "a mail was sent before it was written",
        "UPDATE mails SET sent_at = queued_at - interval '1 day' WHERE mail_id = %(mail)s",
        "marks_have_their_evidence",
    ),
]

_PAID = "paid_at = now(), due_at = now() + make_interval(secs => due_seconds), paid_attempt ="
TERMS = "order_is_sold_at_the_terms_in_force"
# A thousand stamps for what one costs, and everything about the order agrees.
_CHEAP = (
    "UPDATE orders SET quantity = total / {price}, unit_price = {price}, service_fee = {fee},"
    " total = total / {price} * ({price} + {fee}) WHERE order_id = %(quota.order)s;"
    " UPDATE stamp_lots l SET issued = o.quantity, unit_price = o.unit_price,"
    " service_fee = o.service_fee FROM orders o"
    " WHERE l.lot_id = o.order_id AND o.order_id = %(quota.order)s;"
    " UPDATE payment_attempts SET amount = (SELECT total FROM orders WHERE order_id ="
    " %(quota.order)s) WHERE subject = %(quota.order)s"
)

ORDERS = [
    _c(
        "a thousand stamps for the price of ten",
        _CHEAP.format(price=10, fee=0),
        TERMS,
    ),
    _c(
        "a price that was written into the terms",
        "INSERT INTO sale_terms VALUES (10, 0, '2025-01-01'); " + _CHEAP.format(price=10, fee=0),
        TERMS,
    ),
    _c(
        "a deposit with a fee",
        "UPDATE orders SET service_fee = 500, total = quantity * (unit_price + 500) WHERE order_id = %(open.deposit)s",
        TERMS,
    ),
    _c("a fee that never was", _CHEAP.format(price=10_000, fee=0), TERMS),
    _c(
        "a fee that came later",
        "UPDATE sale_terms SET since = now() + interval '1 hour' WHERE service_fee = 500",
        TERMS,
    ),
    _c(
        "a larger total",
        "UPDATE orders SET quantity = quantity + 1, total = total + 10500 WHERE"
        " order_id = %(quota.order)s",
        "orders_issue_what_was_paid",
        ENTRIES,
    ),
    _c(
        "a lower price",
        "UPDATE orders SET unit_price = 1, total = quantity * (1 + service_fee)"
        " WHERE order_id = %(quota.order)s",
        "orders_issue_what_was_paid",
        ENTRIES,
    ),
    _c(
        "a total that is no sum",
        "ALTER TABLE orders DROP CONSTRAINT order_total_is_the_sum;"
        " UPDATE orders SET total = 1 WHERE order_id = %(quota.order)s",
        "order_belongs_to_somebody",
    ),
    _c(
        "an order is of another kind",
        "UPDATE orders SET kind = 'documents' WHERE order_id = %(quota.order)s",
        "orders_issue_what_was_paid",
        "stamping_is_of_its_order",
    ),
    _c(
        "a placed order is executed",
        f"UPDATE orders SET state = 'executed', {_PAID}"
        " %(placed.attempt)s, paid_payment = 'X', closed_at = now() WHERE order_id ="
        " %(placed.order)s",
        "paid_order_has_its_capture",
        "orders_issue_what_was_paid",
    ),
    _c(
        "a placed order counts as paid",
        f"UPDATE orders SET state = 'paid', {_PAID}"
        " %(placed.attempt)s, paid_payment = 'X' WHERE order_id = %(placed.order)s",
        "paid_order_has_its_capture",
        BOOKS,
    ),
    _c(
        "an executed order is placed",
        "UPDATE orders SET state = 'placed', paid_at = NULL, due_at"
        " = NULL, paid_attempt = NULL, paid_payment = NULL, closed_at = NULL WHERE order_id ="
        " %(quota.order)s",
        "orders_issue_what_was_paid",
        "no_money_lies_about",
    ),
    _c(
        "an executed order was withdrawn",
        "UPDATE orders SET state = 'withdrawn', paid_at = NULL,"
        " due_at = NULL, paid_attempt = NULL, paid_payment = NULL WHERE order_id ="
        " %(quota.order)s",
        "orders_issue_what_was_paid",
        "no_money_lies_about",
    ),
    _c(
        "an executed order is returned",
        "UPDATE orders SET state = 'returned' WHERE order_id = %(quota.order)s",
        "order_stands_where_its_refunds_do",
    ),
    _c(
        "an executed order is paid again",
        "UPDATE orders SET state = 'paid', closed_at = NULL WHERE order_id = %(quota.order)s",
        "orders_issue_what_was_paid",
    ),
    _c(
        "a returning order is executed",
        "UPDATE orders SET state = 'executed' WHERE order_id = %(asked.order)s",
        "order_stands_where_its_refunds_do",
    ),
    _c(
        "a returning order is returned",
        "UPDATE orders SET state = 'returned' WHERE order_id = %(asked.order)s",
        "order_stands_where_its_refunds_do",
    ),
    _c(
        "a returned order is returning",
        "UPDATE orders SET state = 'returning' WHERE order_id = %(returned.order)s",
        "order_stands_where_its_refunds_do",
    ),
    _c(
        "a denied order is executed",
        "UPDATE orders SET state = 'executed' WHERE order_id = %(denied.order)s",
        "paid_order_has_its_capture",
        "order_stands_where_its_refunds_do",
    ),
    _c(
        "an executed order is denied",
        "UPDATE orders SET state = 'denied' WHERE order_id = %(quota.order)s",
        "paid_order_has_its_capture",
    ),
    _c(
        "a paid order is executed without stamps",
        "UPDATE orders SET state = 'executed', closed_at = now() WHERE order_id = %(paid.order)s",
        "orders_issue_what_was_paid",
    ),
    _c(
        "a paid order's money is forgotten",
        "UPDATE orders SET state = 'returned', closed_at = now() WHERE order_id = %(paid.order)s",
        "order_stands_where_its_refunds_do",
    ),
    _c(
        "a key stands for a stamping that nobody made",
        "UPDATE stamping_keys SET stampings = stampings || gen_random_uuid()",
        "key_stands_for_its_stampings",
    ),
    _c(
        "an order of documents is executed with one of them open",
        "UPDATE orders SET state = 'executed', closed_at = now() WHERE order_id = %(begun.order)s",
        "stamping_is_of_its_order",
    ),
    _c(
        "an order of documents is not closed",
        "UPDATE orders SET state = 'paid', closed_at = NULL WHERE order_id = %(partly.order)s",
        "paid_documents_are_taken_up",
    ),
    _c(
        "an order is due next year",
        "UPDATE orders SET due_at = due_at + interval '1 year' WHERE order_id = %(paid.order)s",
        "order_times_are_in_order",
    ),
    _c(
        "an order is due next year by its terms",
        "UPDATE orders SET due_seconds = 86400 * 365,"
        " due_at = paid_at + interval '365 days' WHERE order_id = %(paid.order)s",
        "order_times_are_in_order",
    ),
    _c(
        "an order is past due",
        "UPDATE orders SET due_at = now() - interval '1 hour' WHERE order_id = %(paid.order)s",
        "work_is_done_in_time",
    ),
    _c(
        "an order can be paid for ever",
        "UPDATE orders SET lapses_at = now() + interval '1 year' WHERE order_id = %(placed.order)s",
        "order_times_are_in_order",
        "attempts_are_of_orders",
    ),
    _c(
        "an order does not lapse",
        "UPDATE orders SET lapses_at = now() - interval '1 hour',"
        " placed_at = now() - interval '2 hours' WHERE order_id = %(placed.order)s",
        "work_is_done_in_time",
    ),
    _c(
        "an order was closed before it was paid",
        "UPDATE orders SET closed_at = paid_at - interval"
        " '1 hour' WHERE order_id = %(quota.order)s",
        "order_times_are_in_order",
    ),
    _c(
        "an order is from the future",
        "UPDATE orders SET placed_at = now() + interval '1 year' WHERE order_id = %(placed.order)s",
        "order_times_are_in_order",
    ),
    _c(
        "an executed order was never closed",
        "UPDATE orders SET closed_at = NULL WHERE order_id = %(quota.order)s",
        "order_times_are_in_order",
    ),
    _c(
        "an order is gone",
        "DELETE FROM orders WHERE order_id = %(quota.order)s",
        "orders_issue_what_was_paid",
        ENTRIES,
        "attempts_are_of_orders",
    ),
    _c(
        "an unpaid order is gone",
        "DELETE FROM orders WHERE order_id = %(placed.order)s",
        "attempts_are_of_orders",
    ),
    _c(
        "an order of nobody",
        "UPDATE orders SET account_id = gen_random_uuid() WHERE order_id = %(placed.order)s",
        "order_belongs_to_somebody",
        "attempts_are_of_orders",
    ),
]

STAMPS = [
    _c(
        "a lot is larger",
        "UPDATE stamp_lots SET issued = issued + 5 WHERE lot_id = %(quota.order)s",
        "orders_issue_what_was_paid",
        "stamp_books_agree_with_lots",
    ),
    _c(
        "a lot is overdrawn",
        "ALTER TABLE stamp_lots DROP CONSTRAINT lot_is_not_overdrawn; UPDATE"
        " stamp_lots SET affixed = affixed + 50 WHERE lot_id = %(quota.order)s",
        "lot_is_not_overdrawn",
        "lots_agree_with_serials",
    ),
    _c(
        "a lot is gone",
        "DELETE FROM stamp_lots WHERE lot_id = %(excess.order)s",
        "orders_issue_what_was_paid",
        ENTRIES,
    ),
    _c(
        "a lot of nothing",
        "INSERT INTO stamp_lots (account_id, lot_id, book, unit_price,"
        " service_fee, issued) VALUES (%(account)s, gen_random_uuid(), 'stamps_available', 10000,"
        " 500, 3)",
        "orders_issue_what_was_paid",
        "stamp_books_agree_with_lots",
    ),
    _c(
        "a lot of an unpaid order",
        "INSERT INTO stamp_lots (account_id, lot_id, book, unit_price,"
        " service_fee, issued) VALUES (%(account)s, %(placed.order)s, 'stamps_available', 10000,"
        " 500, 2)",
        "orders_issue_what_was_paid",
        ENTRIES,
    ),
    _c(
        "a lot says more is affixed",
        "UPDATE stamp_lots SET affixed = affixed + 1 WHERE lot_id = %(batches.order)s",
        "lots_agree_with_serials",
        "stamp_books_agree_with_lots",
    ),
    _c(
        "a lot says less is held",
        "UPDATE stamp_lots SET held = held - 1 WHERE lot_id = %(quota.order)s",
        "lots_agree_with_serials",
    ),
    _c(
        "a lot says more came back",
        "UPDATE stamp_lots SET returned = returned + 1 WHERE lot_id = %(batches.order)s",
        "returned_stamps_are_explained",
        BOOKS,
    ),
    _c(
        "a lot has another price",
        "UPDATE stamp_lots SET unit_price = 1 WHERE lot_id = %(quota.order)s",
        "orders_issue_what_was_paid",
    ),
    _c(
        "a lot is in another book",
        "UPDATE stamp_lots SET book = 'stamps_ordered' WHERE lot_id = %(excess.order)s",
        "orders_issue_what_was_paid",
    ),
    _c(
        "a lot is older than its payment",
        "UPDATE stamp_lots SET issued_at = issued_at - interval"
        " '1 day' WHERE lot_id = %(quota.order)s",
        "orders_issue_what_was_paid",
        ENTRIES,
    ),
    _c(
        "a stamp is gone",
        "DELETE FROM stamps WHERE stamping_id = %(one.stamping)s",
        "stamping_agrees_with_its_serials",
        "lots_agree_with_serials",
        "directory_knows_only_stamps",
    ),
    _c(
        "an affixed stamp is free again",
        "UPDATE stamps SET state = 'void', voided_at = now(),"
        " affixed_at = NULL WHERE stamping_id = %(one.stamping)s",
        "stamping_agrees_with_its_serials",
        "serial_directory_agrees",
    ),
    _c(
        "an affixed stamp is free again, and its lot says so",
        "UPDATE stamps SET state = 'void',"
        " voided_at = now(), affixed_at = NULL WHERE stamping_id = %(one.stamping)s; UPDATE"
        " stamp_lots SET affixed = affixed - 1 WHERE lot_id = %(quota.order)s",
        "stamping_agrees_with_its_serials",
        "stamp_books_agree_with_lots",
    ),
    _c(
        "a void stamp is affixed",
        "UPDATE stamps SET state = 'affixed', affixed_at = now(),"
        " voided_at = NULL WHERE stamping_id = %(failed.stamping)s",
        "stamping_agrees_with_its_serials",
        "lots_agree_with_serials",
    ),
    _c(
        "a reserved stamp is affixed",
        "UPDATE stamps SET state = 'affixed', affixed_at = now()"
        " WHERE stamping_id = %(reserved.stamping)s",
        "stamping_agrees_with_its_serials",
    ),
    _c(
        "a serial is on two documents",
        "INSERT INTO stamps SELECT %(other)s, serial, stamping_id,"
        " lot_id, position, state, reserved_at, affixed_at, voided_at FROM stamps WHERE stamping_id"
        " = %(one.stamping)s",
        "serial_given_out_once",
        "serial_is_on_one_document",
    ),
    _c(
        "a serial is misspelt",
        "UPDATE stamps SET serial = overlay(serial PLACING CASE"
        " substr(serial, 15, 1) WHEN '7' THEN '8' ELSE '7' END FROM 15) WHERE stamping_id ="
        " %(failed.stamping)s",
        "serial_given_out_once",
    ),
    _c(
        "a stamp is on another document",
        "UPDATE stamps SET stamping_id = %(failed.stamping)s,"
        " position = 2 WHERE stamping_id = %(one.stamping)s",
        "stamping_agrees_with_its_serials",
    ),
    _c(
        "a stamp on no document",
        "UPDATE stamps SET stamping_id = gen_random_uuid() WHERE stamping_id = %(one.stamping)s",
        "serial_is_on_one_document",
        "stamping_agrees_with_its_serials",
    ),
    _c(
        "a stamp of another lot",
        "UPDATE stamps SET lot_id = %(excess.order)s WHERE stamping_id = %(one.stamping)s",
        "lots_agree_with_serials",
    ),
    _c(
        "a stamp has another place",
        "UPDATE stamps SET position = 7 WHERE stamping_id = %(one.stamping)s",
        "stamping_agrees_with_its_serials",
    ),
    _c(
        "a stamp was affixed at another time",
        "UPDATE stamps SET affixed_at = affixed_at +"
        " interval '1 hour' WHERE stamping_id = %(one.stamping)s",
        "stamping_agrees_with_its_serials",
    ),
    _c(
        "a serial is missing in the directory",
        "DELETE FROM serial_directory WHERE serial IN"
        " (SELECT serial FROM stamps WHERE stamping_id = %(one.stamping)s)",
        "serial_directory_agrees",
    ),
    _c(
        "a serial is somebody else's in the directory",
        "UPDATE serial_directory SET account_id ="
        " %(other)s WHERE serial IN (SELECT serial FROM stamps WHERE stamping_id ="
        " %(one.stamping)s)",
        "serial_directory_agrees",
        "directory_knows_only_stamps",
    ),
    _c(
        "the directory knows a serial nobody has",
        "INSERT INTO serial_directory VALUES ('0123456789ABCDEFGHJKMN', %(account)s)",
        "directory_knows_only_stamps",
    ),
    _c(
        "the directory knows a serial that is void",
        "INSERT INTO serial_directory SELECT serial,"
        " account_id FROM stamps WHERE stamping_id = %(failed.stamping)s",
        "serial_directory_agrees",
        "directory_knows_only_stamps",
    ),
    _c(
        "issuing was stopped by nobody",
        "UPDATE issuing SET is_open = false, reason = 'x'",
        "issuing_was_changed_by_an_operator",
    ),
    _c("there is no row of issuing", "DELETE FROM issuing", "issuing_was_changed_by_an_operator"),
]

STAMPINGS = [
    _c(
        "a delivered stamping is reserved",
        "UPDATE stampings SET state = 'reserved',"
        " sha256_stamped = NULL, delivered_at = NULL, leased_until = now() WHERE stamping_id ="
        " %(one.stamping)s",
        "stamping_agrees_with_its_serials",
        "stamping_has_its_delta",
        ENTRIES,
    ),
    _c(
        "a delivered stamping failed",
        "UPDATE stampings SET state = 'failed', sha256_stamped ="
        " NULL, delivered_at = NULL, refused = 'x' WHERE stamping_id = %(one.stamping)s",
        "stamping_agrees_with_its_serials",
        ENTRIES,
    ),
    _c(
        "a failed stamping is delivered",
        "UPDATE stampings SET state = 'delivered', sha256_stamped"
        " = '', delivered_at = now(), refused = NULL WHERE stamping_id = %(failed.stamping)s",
        "stamping_has_its_delta",
        "stamping_agrees_with_its_serials",
        ENTRIES,
    ),
    _c(
        "a stamping is delivered without its money",
        "UPDATE stampings SET state = 'delivered',"
        " sha256_stamped = sha256(''), delivered_at = now() WHERE stamping_id = %(begun.0)s",
        ENTRIES,
        "stamping_has_its_delta",
    ),
    _c(
        "a stamping is gone",
        "DELETE FROM stampings WHERE stamping_id = %(one.stamping)s",
        "serial_is_on_one_document",
        "stamping_agrees_with_its_hold",
    ),
    _c(
        "a stamping has more stamps",
        "UPDATE stampings SET quantity = 2, placements = placements"
        " || placements WHERE stamping_id = %(one.stamping)s",
        "stamping_agrees_with_its_serials",
        ENTRIES,
    ),
    _c(
        "a stamping is of another order",
        "UPDATE stampings SET order_id = %(begun.order)s,"
        " position = 3 WHERE stamping_id = %(one.stamping)s",
        "stamping_is_of_its_order",
    ),
    _c(
        "a stamping is of no order",
        "UPDATE stampings SET order_id = gen_random_uuid() WHERE stamping_id = %(partly.0)s",
        "stamping_belongs_to_an_order_or_a_balance",
    ),
    _c(
        "a document of an order is gone",
        "DELETE FROM stampings WHERE stamping_id = %(unpaid.0)s",
        "stamping_is_of_its_order",
    ),
    _c(
        "a waiting document was dropped",
        "UPDATE stampings SET state = 'dropped' WHERE stamping_id = %(unpaid.0)s",
        "stamping_is_of_its_order",
    ),
    _c(
        "a dropped document waits",
        "UPDATE stampings SET state = 'waiting' WHERE stamping_id = %(dropped.0)s",
        "stamping_is_of_its_order",
    ),
    _c(
        "a reserved document waits again",
        "UPDATE stampings SET state = 'waiting', due_at = NULL WHERE stamping_id = %(begun.0)s",
        "paid_documents_are_taken_up",
        "stamping_agrees_with_its_serials",
    ),
    _c(
        "a stamping is of an unknown document",
        "UPDATE stampings SET sha256_original = sha256('x') WHERE stamping_id = %(one.stamping)s",
        "stamping_belongs_to_an_order_or_a_balance",
    ),
    _c(
        "a stamping is due next year",
        "UPDATE stampings SET due_at = now() + interval '1 year'"
        " WHERE stamping_id = %(reserved.stamping)s",
        "stamping_belongs_to_an_order_or_a_balance",
    ),
    _c(
        "a document of an order is due next year",
        "UPDATE stampings SET due_at = now() + interval '1 year' WHERE stamping_id = %(begun.0)s",
        "stamping_belongs_to_an_order_or_a_balance",
    ),
    _c(
        "a stamping is past due",
        "UPDATE stampings SET due_at = now() - interval '1 hour',"
        " requested_at = now() - interval '2 hours' WHERE stamping_id = %(reserved.stamping)s",
        "work_is_done_in_time",
    ),
    _c(
        "nobody seals a stamping",
        "UPDATE stampings SET leased_until = now() - interval '1 hour'"
        " WHERE stamping_id = %(reserved.stamping)s",
        "work_is_done_in_time",
    ),
    _c(
        "a stamping is leased for ever",
        "UPDATE stampings SET leased_until = now() + interval"
        " '1 year' WHERE stamping_id = %(reserved.stamping)s",
        "stamping_belongs_to_an_order_or_a_balance",
    ),
    _c(
        "a stamping was delivered before it was asked for",
        "UPDATE stampings SET requested_at ="
        " delivered_at + interval '1 minute' WHERE stamping_id = %(one.stamping)s",
        "stamping_belongs_to_an_order_or_a_balance",
    ),
    _c(
        "a delta is gone",
        "DELETE FROM deltas WHERE stamping_id = %(one.stamping)s",
        "stamping_has_its_delta",
    ),
    _c(
        "a delta is empty",
        "ALTER TABLE deltas DROP CONSTRAINT delta_is_not_empty; UPDATE deltas"
        " SET delta = '', sha256 = sha256('') WHERE stamping_id = %(one.stamping)s",
        "stamping_has_its_delta",
    ),
    _c(
        "a delta has another byte",
        "UPDATE deltas SET delta = set_byte(delta, 100, 255 - get_byte(delta, 100))"
        " WHERE stamping_id = %(one.stamping)s",
        "delta_is_what_was_delivered",
    ),
    _c(
        "a delta has another hash",
        "UPDATE deltas SET sha256 = sha256('x') WHERE stamping_id = %(one.stamping)s",
        "delta_is_what_was_delivered",
    ),
    _c(
        "a document has the delta of another",
        "UPDATE deltas d SET delta = o.delta, sha256 = o.sha256 FROM deltas o WHERE"
        " o.stamping_id = %(two.stamping)s AND d.stamping_id = %(one.stamping)s",
        "delta_names_its_serials",
    ),
    _c(
        "a delta of nothing",
        "INSERT INTO deltas VALUES (%(account)s, %(failed.stamping)s, sha256('x'), 'x')",
        "stamping_has_its_delta",
    ),
]

REFUNDS = [
    _c(
        "a refund is larger",
        "UPDATE refunds SET amount = amount + 10500 WHERE refund_id = %(asked.refund)s",
        "refund_is_of_its_cause",
        ENTRIES,
        BOOKS,
    ),
    _c(
        "a settled refund is smaller",
        "UPDATE refunds SET amount = 1 WHERE refund_id = %(returned.refund)s",
        "refund_is_of_its_cause",
        ENTRIES,
        BOOKS,
    ),
    _c(
        "a refund is gone",
        "DELETE FROM refunds WHERE refund_id = %(asked.refund)s",
        ENTRIES,
        "order_stands_where_its_refunds_do",
        "money_in_flight_is_explained",
    ),
    _c(
        "a refund nobody owes",
        "INSERT INTO refunds (account_id, refund_id, cause_key, cause,"
        " order_id, attempt_id, payment, amount, refund_no, due_at) VALUES (%(account)s,"
        " gen_random_uuid(), 'double:x', 'double', %(quota.order)s, %(quota.attempt)s,"
        " %(quota.payment)s, 10500, 'RF1', now())",
        ENTRIES,
        "refund_is_of_its_cause",
    ),
    _c(
        "a refund of another order",
        "UPDATE refunds SET order_id = %(quota.order)s WHERE refund_id = %(asked.refund)s",
        "refund_is_of_its_cause",
        ENTRIES,
    ),
    _c(
        "a refund of another payment",
        "UPDATE refunds SET attempt_id = %(quota.attempt)s, payment"
        " = %(quota.payment)s WHERE refund_id = %(asked.refund)s",
        "refund_is_of_its_cause",
    ),
    _c(
        "a refund has another cause",
        "UPDATE refunds SET cause = 'not_executed' WHERE refund_id = %(asked.refund)s",
        "refund_is_of_its_cause",
    ),
    _c(
        "a refund has another key of its cause",
        "UPDATE refunds SET cause_key = 'asked:' ||"
        " gen_random_uuid() WHERE refund_id = %(asked.refund)s",
        "refund_is_of_its_cause",
    ),
    _c(
        "a refund has another number",
        "UPDATE refunds SET refund_no = 'RF' || repeat('0', 52) WHERE refund_id = %(asked.refund)s",
        "refund_is_of_its_cause",
    ),
    _c(
        "a lot owes a stamp that nobody took back",
        "UPDATE stamp_lots SET owed = 1 WHERE lot_id = %(quota.order)s",
        "lot_owes_what_is_lost",
    ),
    _c(
        "a payment that is not back is closed as a refund",
        "UPDATE refunds SET recorded_at = now() WHERE refund_id = %(asked.refund)s",
        "closed_money_is_settled",
    ),
    _c(
        "a refund gives back more stamps",
        "UPDATE refunds SET stamps = stamps + 1 WHERE refund_id = %(asked.refund)s",
        "refund_is_of_its_cause",
        "returned_stamps_are_explained",
    ),
    _c(
        "a refund settled itself",
        "UPDATE refunds SET state = 'settled', settled_at = now(),"
        " provider_refund_no = 'B', tries = 1 WHERE refund_id = %(asked.refund)s",
        ENTRIES,
        BOOKS,
    ),
    _c(
        "a settled refund is sent again",
        "UPDATE refunds SET state = 'sent', settled_at = NULL,"
        " provider_refund_no = NULL WHERE refund_id = %(returned.refund)s",
        ENTRIES,
        BOOKS,
    ),
    _c(
        "a refund is void without a denial",
        "UPDATE refunds SET state = 'void' WHERE refund_id = %(asked.refund)s",
        "refund_times_are_possible",
        BOOKS,
    ),
    _c(
        "a void refund is requested",
        "UPDATE refunds SET state = 'requested' WHERE refund_id = %(void.refund)s",
        ENTRIES,
        BOOKS,
    ),
    _c(
        "a refund was never tried and is sent",
        "UPDATE refunds SET tries = 0 WHERE refund_id = %(sent.refund)s",
        "refund_times_are_possible",
    ),
    _c(
        "a refund is due next year",
        "UPDATE refunds SET due_at = now() + interval '1 year' WHERE refund_id = %(asked.refund)s",
        "refund_times_are_possible",
    ),
    _c(
        "a refund is due next month",
        "UPDATE refunds SET due_at = now() + interval '1 month' WHERE"
        " refund_id = %(not_executed.refund)s",
        "refund_times_are_possible",
    ),
    _c(
        "a refund is tried next year",
        "UPDATE refunds SET try_at = now() + interval '1 year' WHERE refund_id = %(asked.refund)s",
        "refund_times_are_possible",
    ),
    _c(
        "nobody tries a refund",
        "UPDATE refunds SET try_at = now() - interval '1 hour' WHERE refund_id = %(sent.refund)s",
        "no_refund_past_its_due_time_unnoticed",
    ),
    _c(
        "a refund is past due and silent",
        "UPDATE refunds SET due_at = now() - interval '1 second' WHERE refund_id = %(sent.refund)s",
        "no_refund_past_its_due_time_unnoticed",
    ),
    _c(
        "a refund is long past due and nobody is to see to it",
        "UPDATE refunds SET due_at = now() - interval '11 minutes', last_answer = '4057801 no',"
        " requested_at = now() - interval '11 minutes' WHERE refund_id = %(sent.refund)s",
        "no_refund_past_its_due_time_unnoticed",
    ),
    _c(
        "an overdue refund has ended and its item has not",
        "UPDATE suspense_items SET reason = 'refund_overdue', item_key = 'refund_overdue:' ||"
        " (SELECT refund_no FROM refunds WHERE refund_id = %(returned.refund)s)"
        " WHERE item_id = %(suspended.item)s",
        "no_refund_past_its_due_time_unnoticed",
    ),
    _c(
        "a refund was settled before it was asked for",
        "UPDATE refunds SET settled_at ="
        " requested_at - interval '1 hour' WHERE refund_id = %(returned.refund)s",
        "refund_times_are_possible",
        ENTRIES,
    ),
    _c(
        "two refunds settled by one number",
        "UPDATE refunds SET provider_refund_no = 'SAME' WHERE state = 'settled'",
        "provider_refund_counts_once",
    ),
    _c(
        "a refund of a denied payment goes out",
        "UPDATE refunds SET state = 'settled', settled_at"
        " = now(), provider_refund_no = 'B', tries = 1 WHERE refund_id = %(void.refund)s",
        ENTRIES,
        BOOKS,
    ),
]

PEOPLE = [
    _c(
        "the audit trail is empty",
        "DELETE FROM audit_events",
        "session_and_key_are_in_the_trail",
        "asked_refund_is_in_the_trail",
    ),
    _c(
        "the audit trail is thinned",
        "DELETE FROM audit_events WHERE action = 'refund_asked' AND"
        " subject = 'ord_' || lower(compact(%(asked.order)s))",
        "asked_refund_is_in_the_trail",
    ),
    _c(
        "an operator's act is gone",
        "DELETE FROM audit_events WHERE action = 'issuing_opened'",
        "issuing_was_changed_by_an_operator",
    ),
    _c(
        "sign-up was closed by nobody",
        "UPDATE sign_up SET is_open = false, changed_at = now()",
        "sign_up_was_changed_in_the_trail",
    ),
    _c("there is no row of sign_up", "DELETE FROM sign_up", "sign_up_was_changed_in_the_trail"),
    _c(
        "a sign-in is not in the trail",
        "DELETE FROM audit_events WHERE action = 'signed_in'",
        "session_and_key_are_in_the_trail",
    ),
    _c(
        "a key is not in the trail",
        "DELETE FROM audit_events WHERE action = 'api_key_made'",
        "session_and_key_are_in_the_trail",
    ),
    _c(
        "a key made by nobody",
        "INSERT INTO api_keys (account_id, key_id, secret_hash, name)"
        " VALUES (%(account)s, gen_random_uuid(), sha256('x'), 'x')",
        "session_and_key_are_in_the_trail",
    ),
    _c(
        "a role that nobody gave",
        "INSERT INTO memberships (account_id, membership_id, member_id, role)"
        " VALUES (%(organization)s, gen_random_uuid(), gen_random_uuid(), 'owner')",
        "role_is_in_the_trail",
    ),
    _c(
        "an organization that nobody made",
        "INSERT INTO organizations (account_id, name) VALUES (%(account)s, 'PT Contoh')",
        "organization_is_what_the_trail_says",
    ),
    _c(
        "an organization has another number",
        "UPDATE organizations SET npwp = '012345678901001'",
        "organization_is_what_the_trail_says",
    ),
    _c(
        "an organization was closed by nobody",
        "UPDATE organizations SET state = 'declined'",
        "organization_is_what_the_trail_says",
    ),
    _c(
        "an organization has no owner",
        "UPDATE memberships SET role = 'auditor' WHERE role = 'owner'",
        "organization_is_what_the_trail_says",
    ),
    _c(
        "an organization can be signed in to",
        "UPDATE accounts SET email = 'pt@example.id' WHERE account_id = %(organization)s",
        "address_finds_its_account",
        "organization_is_what_the_trail_says",
    ),
    _c(
        "an account lost its address",
        "UPDATE accounts SET email = NULL WHERE account_id = %(other)s",
        "address_finds_its_account",
        "trail_knows_every_address",
    ),
    _c(
        "a limit of a member that nobody set",
        "UPDATE memberships SET stamps_per_month = 1000000 WHERE stamps_per_month IS NOT NULL",
        "member_limit_is_in_the_trail",
    ),
    _c(
        "an invitation goes to another address",
        "UPDATE invitations SET email = 'maling@example.id' WHERE state = 'sent'",
        "invitation_is_what_the_trail_says",
    ),
    _c(
        "an invitation opens once more",
        "UPDATE invitations SET state = 'sent', ended_at = NULL, email = email || 'x'"
        " WHERE state = 'accepted'",
        "invitation_is_what_the_trail_says",
    ),
    _c(
        "an invitation is gone before its time",
        "DELETE FROM invitations WHERE state = 'withdrawn'",
        "invitation_is_what_the_trail_says",
    ),
    _c(
        "a member used fewer stamps than it asked for",
        "UPDATE member_uses SET returned = stamps",
        "member_use_is_what_was_asked",
    ),
    _c(
        "a member used stamps of nothing",
        "INSERT INTO member_uses (account_id, use_id, member_id, stamps, used_at)"
        " VALUES (%(organization)s, gen_random_uuid(), %(account)s, 1, now())",
        "member_use_is_what_was_asked",
    ),
    _c(
        "an invitation was mailed to another",
        "UPDATE mails SET recipient = 'maling@example.id' WHERE template = 'invitation_made'",
        "mails_are_what_their_causes_make",
    ),
    _c(
        "a role of the staff that nobody gave",
        "INSERT INTO staff_roles (account_id, grant_id, role)"
        " VALUES (%(account)s, gen_random_uuid(), 'operations')",
        "role_is_in_the_trail",
    ),
    _c(
        "a session begun by nobody",
        "INSERT INTO sessions (account_id, session_id, secret_hash,"
        " expires_at) VALUES (%(other)s, gen_random_uuid(), sha256('x'), now() + interval '1 day')",
        "session_and_key_are_in_the_trail",
    ),
    _c(
        "a session opens with another secret",
        "UPDATE sessions SET secret_hash = sha256('x')",
        "session_is_what_the_trail_says",
    ),
    _c(
        "a session goes on",
        "UPDATE sessions SET expires_at = expires_at + interval '1 day'",
        "session_is_what_the_trail_says",
    ),
    _c(
        "a session was ended by nobody",
        "UPDATE sessions SET ended_at = now()",
        "session_is_what_the_trail_says",
    ),
    _c("a session is gone", "DELETE FROM sessions", "session_is_what_the_trail_says"),
    _c(
        "a key opens with another secret",
        "UPDATE api_keys SET secret_hash = sha256('x') WHERE account_id = %(account)s",
        "api_key_is_what_the_trail_says",
    ),
    _c(
        "a key has another name",
        "UPDATE api_keys SET name = 'x' WHERE account_id = %(account)s",
        "api_key_is_what_the_trail_says",
    ),
    _c(
        "a key may more than it was made for",
        "UPDATE api_keys SET scopes = scopes || '{keys.manage}' WHERE scopes IS NOT NULL",
        "api_key_is_what_the_trail_says",
    ),
    _c(
        "a key lives longer than it was made for",
        "UPDATE api_keys SET expires_at = expires_at + interval '1 day'",
        "api_key_is_what_the_trail_says",
    ),
    _c(
        "a key replaces one that nobody replaced",
        "UPDATE api_keys SET follows = gen_random_uuid() WHERE follows IS NOT NULL",
        "replaced_key_has_its_successor",
    ),
    _c(
        "a successor may more than the key that it replaces",
        "UPDATE api_keys SET scopes = NULL WHERE follows IS NOT NULL",
        "replaced_key_has_its_successor",
    ),
    _c(
        "a passkey opens with another key",
        "UPDATE passkeys SET public_key = 'x' WHERE account_id = %(account)s",
        "passkey_is_what_the_trail_says",
    ),
    _c(
        "a passkey stands for another authenticator",
        "UPDATE passkeys SET credential_id = 'x' WHERE account_id = %(account)s",
        "passkey_is_what_the_trail_says",
    ),
    _c(
        "a passkey made by nobody",
        "INSERT INTO passkeys (account_id, passkey_id, credential_id, public_key, name, sign_count,"
        " made_at) VALUES (%(account)s, gen_random_uuid(), 'y', 'y', 'x', 0, now())",
        "passkey_is_what_the_trail_says",
    ),
    _c(
        "a passkey was ended by nobody",
        "UPDATE passkeys SET ended_at = now()",
        "passkey_is_what_the_trail_says",
    ),
    _c("a passkey is gone", "DELETE FROM passkeys", "passkey_is_what_the_trail_says"),
    _c("a key is gone", "DELETE FROM api_keys", "api_key_is_what_the_trail_says"),
    _c(
        "a key that was ended opens again",
        "INSERT INTO audit_events (account_id, actor, action, subject) SELECT account_id, 'account',"
        " 'api_key_ended', 'key_' || lower(compact(key_id)) FROM api_keys",
        "api_key_is_what_the_trail_says",
    ),
    _c(
        "a key was ended by nobody",
        "UPDATE api_keys SET ended_at = now()",
        "api_key_is_what_the_trail_says",
    ),
    _c(
        "an account has another address, and is found by it",
        "UPDATE email_directory SET email = 'x' || email WHERE account_id = %(account)s;"
        " UPDATE accounts SET email = 'x' || email WHERE account_id = %(account)s",
        "trail_knows_every_address",
    ),
    _c(
        "an account is gone, and its address",
        "DELETE FROM email_directory WHERE account_id = %(other)s;"
        " DELETE FROM accounts WHERE account_id = %(other)s",
        "trail_knows_every_address",
    ),
    _c(
        "news of the bank says something else",
        "UPDATE notification_inbox SET body = '{\"x\": 1}' WHERE external_id = 'TOLD'",
        "news_of_the_bank_is_as_it_came",
    ),
    _c(
        "news of the bank is let go before its time",
        "UPDATE notification_inbox SET body = '' WHERE external_id = 'TOLD'",
        "news_of_the_bank_is_as_it_came",
    ),
    _c(
        "news in suspense says something else",
        "UPDATE suspense_items SET told = 'x' WHERE item_id = %(suspended.item)s",
        "suspended_news_is_as_it_came",
    ),
    _c(
        "news in suspense is let go while it is open",
        "UPDATE suspense_items SET told = '' WHERE item_id = %(suspended.item)s",
        "suspended_news_is_as_it_came",
    ),
    _c(
        "an item that an operator resolved is gone",
        "DELETE FROM suspense_items WHERE item_id = %(dismissed.item)s",
        "suspense_ends_by_somebody",
    ),
    _c(
        "an item that an operator resolved is open again",
        "UPDATE suspense_items SET state = 'open', resolved_at = NULL, resolution = NULL,"
        " resolved_by = NULL WHERE item_id = %(dismissed.item)s",
        "suspense_ends_by_somebody",
    ),
    _c(
        "a key of a stamping is forgotten",
        "DELETE FROM stamping_keys WHERE %(one.stamping)s = ANY (stampings)",
        "stamping_is_found_by_its_key",
    ),
    _c(
        "a key stands for the stamping of another",
        "UPDATE stamping_keys SET stampings = ARRAY[%(two.stamping)s::uuid]"
        " WHERE %(one.stamping)s = ANY (stampings)",
        "stamping_is_found_by_its_key",
    ),
    _c(
        "a key asks for another document",
        "UPDATE stamping_keys SET request_hash = sha256('x')"
        " WHERE %(one.stamping)s = ANY (stampings)",
        "key_stands_for_its_stampings",
    ),
    _c(
        "a key of a refund stands for that of another order",
        "UPDATE refund_keys SET request_hash = sha256('x')",
        "refund_key_stands_for_what_was_asked",
    ),
    _c(
        "a session for ever",
        "UPDATE sessions SET expires_at = 'infinity'",
        "times_hide_no_work",
    ),
    _c(
        "the trail speaks of a refund that was none",
        "INSERT INTO audit_events (account_id, actor,"
        " action, subject, facts) VALUES (%(account)s, 'account', 'refund_asked', 'ord_' ||"
        " lower(compact(%(quota.order)s)), '{\"stamps\": 1}')",
        "asked_refund_is_in_the_trail",
    ),
    _c(
        "the trail does not say who",
        "UPDATE audit_events SET actor = 'somebody' WHERE action = 'refund_asked'",
        "trail_says_who_acted",
    ),
    _c(
        "the trail is from the future",
        "UPDATE audit_events SET happened_at = happened_at +"
        " interval '1 year' WHERE action = 'signed_in'",
        "times_hide_no_work",
    ),
    _c(
        "an address finds somebody else",
        "UPDATE email_directory SET account_id = %(other)s",
        "address_finds_its_account",
    ),
    _c(
        "an address is not found",
        "DELETE FROM email_directory WHERE account_id = %(account)s",
        "address_finds_its_account",
    ),
    _c(
        "an account has another address",
        "UPDATE accounts SET email = 'else@example.org' WHERE account_id = %(account)s",
        "address_finds_its_account",
        "mails_are_what_their_causes_make",
    ),
    _c(
        "an account is gone",
        "DELETE FROM accounts WHERE account_id = %(account)s",
        "order_belongs_to_somebody",
        "address_finds_its_account",
    ),
    _c(
        "a document is called something else",
        "UPDATE documents SET name = 'x.pdf'",
        "document_is_called_as_it_was",
    ),
    _c(
        "the name of a document is let go before its time",
        "UPDATE documents SET name = 'dokumen.pdf', name_salt = NULL",
        "document_is_called_as_it_was",
    ),
    _c(
        "a document is empty",
        "UPDATE documents SET bytes = 0",
        "stamping_belongs_to_an_order_or_a_balance",
    ),
]

_OF_PARTIAL = " WHERE payment = %(partial.payment)s"
CHARGEBACKS = [
    _c(
        "a chargeback is gone",
        "DELETE FROM chargebacks" + _OF_PARTIAL,
        ENTRIES,
        BOOKS,
        "captured_is_executed_refunded_or_in_flight",
    ),
    _c(
        "more was taken back than is booked",
        "UPDATE chargebacks SET taken_back = taken_back + 1" + _OF_PARTIAL,
        "no_money_lies_about",
    ),
    _c(
        "less was taken back than is booked",
        "UPDATE chargebacks SET taken_back = 1" + _OF_PARTIAL,
        "no_money_lies_about",
    ),
    _c(
        "more was given back than is booked",
        "UPDATE chargebacks SET returned = returned + 1 WHERE payment = %(given_back.payment)s",
        "no_money_lies_about",
    ),
    _c(
        "what was given back is booked higher",
        "UPDATE chargebacks SET returned = 5000, returned_posted = 5000"
        " WHERE payment = %(given_back.payment)s",
        BOOKS,
        "captured_is_executed_refunded_or_in_flight",
    ),
    _c(
        "the entry of what was given back is gone",
        "DELETE FROM legs WHERE entry_id LIKE 'given_back:%%' AND account_id = %(account)s;"
        " DELETE FROM entries WHERE entry_id LIKE 'given_back:%%' AND account_id = %(account)s",
        BOOKS,
    ),
    _c(
        "given back by nobody",
        _entry("payment_given_back", "denied_loss", "bank_clearing", 4_000, "%(quota.order)s"),
        ENTRIES,
        BOOKS,
    ),
    _c(
        "news that money went back is over without it",
        "UPDATE suspense_items SET reason = 'refunded_there', payment = %(quota.payment)s,"
        " reference = (SELECT reference FROM payment_attempts WHERE attempt_id ="
        " %(quota.attempt)s), resolved_at = now() WHERE item_id = %(dismissed.item)s",
        "news_of_money_given_back_ends_in_the_books",
    ),
    _c(
        "nobody looks up what was given back",
        "UPDATE chargebacks SET look_at = now() - interval '1 day'"
        " WHERE payment = %(given_back.payment)s",
        "news_of_money_given_back_ends_in_the_books",
    ),
    _c(
        "a chargeback is booked twice",
        "UPDATE chargebacks SET posted = posted * 2, taken_back = taken_back * 2" + _OF_PARTIAL,
        BOOKS,
    ),
    _c(
        "a loss is invented",
        "UPDATE chargebacks SET lost = 4000" + _OF_PARTIAL,
        BOOKS,
    ),
    _c(
        "a finding is forgotten",
        "UPDATE chargebacks SET findings = 0" + _OF_PARTIAL,
        "chargeback_is_what_was_told_and_booked",
    ),
    _c(
        "the remainder of a stamp is larger",
        "UPDATE refunds SET amount = 20000 WHERE refund_id = %(partial.refund)s",
        ENTRIES,
        BOOKS,
    ),
    _c(
        "a whole chargeback is said to be a part",
        "UPDATE captures SET denied_at = NULL WHERE payment = %(denied.payment)s",
        "no_money_lies_about",
    ),
    _c(
        "an order forgets when its refunds are due",
        "UPDATE orders SET returning_due_at = NULL WHERE order_id = %(asked.order)s",
        "order_stands_where_its_refunds_do",
    ),
    _c(
        "an order says its refunds are due next year",
        "UPDATE orders SET returning_due_at = now() + interval '1 year' WHERE order_id ="
        " %(asked.order)s",
        "order_stands_where_its_refunds_do",
    ),
]

CLAIMS = [
    _c(
        "a link is used by which nobody named an account",
        "INSERT INTO claim_links (account_id, link_id, refund_id, made_at, expires_at, state, ended_at) VALUES"
        " (%(account)s, gen_random_uuid(), %(asked.refund)s, now() - interval '3 hours', now(), 'used',"
        " now() - interval '2 hours')",
        "claim_link_is_used_once",
    ),
    _c(
        "an account counts as named that nobody named",
        "INSERT INTO account_claims (account_id, claim_id, claim_key, request_hash, state, bank_code, account_no, typed,"
        " decided_at) VALUES (%(account)s, gen_random_uuid(), 'made up', 'x', 'named', '014', '1234567890', 'BUDI', now())",
        "account_was_named_by_its_buyer",
    ),
]
SUSPENSE = [
    _c(
        "suspended money is gone",
        "DELETE FROM suspense_items WHERE item_id = %(suspended.item)s",
        ENTRIES,
    ),
    _c(
        "suspended money is less",
        "UPDATE suspense_items SET amount = 1, booked = 1 WHERE item_id = %(suspended.item)s",
        ENTRIES,
    ),
    _c(
        "suspended money is not booked",
        "UPDATE suspense_items SET booked = 0 WHERE item_id = %(suspended.item)s",
        ENTRIES,
    ),
    _c(
        "suspended money went away quietly",
        "UPDATE suspense_items SET state = 'resolved', resolution = 'returned', resolved_at ="
        " now(), resolved_by = 'operator' WHERE item_id = %(suspended.item)s",
        ENTRIES,
        "suspense_ends_by_somebody",
    ),
    _c(
        "suspended money that was sent back is here again",
        "UPDATE suspense_items SET state = 'open', resolution = NULL, resolved_at = NULL,"
        " resolved_by = NULL WHERE item_id = %(sent_back.item)s",
        ENTRIES,
    ),
    _c(
        "money in suspense of nothing",
        _entry("money_suspended", "bank_clearing", "suspense", 7_000, "gen_random_uuid()"),
        ENTRIES,
    ),
    _c(
        "nobody looks at suspense",
        "UPDATE suspense_items SET due_at = now() - interval '1 hour' WHERE state = 'open'",
        "work_is_done_in_time",
    ),
    _c(
        "suspense is due next year",
        "UPDATE suspense_items SET due_at = now() + interval '1 year' WHERE state = 'open'",
        "times_of_nobody_hide_no_work",
    ),
    _c(
        "a difference that was written off was smaller",
        "UPDATE suspense_items SET difference = -1 WHERE item_id = %(lost.item)s",
        ENTRIES,
    ),
    _c(
        "a fee was a loss that two people wrote off",
        "UPDATE suspense_items SET resolution = 'written_off' WHERE item_id = %(fee.item)s",
        ENTRIES,
        "suspense_ends_by_somebody",
    ),
    _c(
        "a difference is dismissed",
        "ALTER TABLE suspense_items DROP CONSTRAINT suspended_money_is_not_dismissed;"
        " UPDATE suspense_items SET state = 'resolved', resolution = 'dismissed', resolved_at = now(),"
        " resolved_by = 'payments' WHERE item_id = %(open_break.item)s",
        "suspense_ends_by_somebody",
    ),
    _c(
        "a write-off of nothing",
        _entry("break_written_off", "written_off", "bank_clearing", 7_000, "gen_random_uuid()"),
        ENTRIES,
    ),
    _c(
        "the record of a day is put off for a year",
        "UPDATE record_days SET leased_until = now() + interval '1 year'",
        "days_of_records_are_compared",
    ),
    _c(
        "a decision about suspense is not in the trail",
        "DELETE FROM audit_events WHERE action = 'suspense_dismissed'",
        "suspense_ends_by_somebody",
    ),
    _c(
        "who asked approved it too",
        "ALTER TABLE approvals DROP CONSTRAINT approver_is_another;"
        " UPDATE approvals SET decided_by = requested_by WHERE approval_id = %(approval_executed)s",
        "approval_is_in_the_trail",
    ),
    _c(
        "an approval is executed that nobody pulled",
        "UPDATE approvals SET state = 'executed' WHERE approval_id = %(approval_declined)s",
        "approval_is_in_the_trail",
    ),
    _c(
        "an executed approval is gone",
        "DELETE FROM approvals WHERE approval_id = %(approval_executed)s",
        "approval_is_in_the_trail",
    ),
    _c(
        "an executed approval was declined after all",
        "UPDATE approvals SET state = 'declined' WHERE approval_id = %(approval_executed)s",
        "approval_is_in_the_trail",
    ),
    _c(
        "something else was approved than what was shown",
        "UPDATE approvals SET forecast_sha256 = sha256('x') WHERE approval_id = %(approval_executed)s",
        "approval_is_in_the_trail",
    ),
    _c(
        "an approved lever is not in the trail",
        "DELETE FROM audit_events WHERE action = 'lever_pulled' AND facts ? 'approval'",
        "approval_is_in_the_trail",
    ),
    _c(
        "an approval is not in the trail",
        "DELETE FROM audit_events WHERE action = 'approval_executed'",
        "approval_is_in_the_trail",
    ),
    _c(
        "nobody asked for what waits",
        "DELETE FROM audit_events WHERE action = 'approval_requested'",
        "approval_is_in_the_trail",
    ),
    _c(
        "the trail has an approval of nothing",
        "INSERT INTO audit_events (account_id, actor, action, subject, facts) VALUES"
        " ('00000000-0000-0000-0000-000000000000', 'staff:acc_1', 'approval_executed', 'apr_1', '{}')",
        "approval_is_in_the_trail",
    ),
    _c(
        "a request waits longer than it lives",
        "UPDATE approvals SET requested_at = now() - interval '2 days', expires_at = now() - interval '1 hour'"
        " WHERE approval_id = %(approval_waiting)s",
        "work_is_done_in_time",
    ),
    _c(
        "a round fails for hours",
        "INSERT INTO round_faults (account_id, round, subject, code, last_fault, first_at, try_at)"
        " VALUES (%(account)s, 'lapse_orders', 'x', 'fault', 'x', now() - interval '3 hours',"
        " now())",
        "no_round_fails_for_long",
    ),
    _c(
        "a closed attempt can still be paid at the bank",
        "UPDATE payment_attempts SET cancel_at = now() - interval '2 hours', expires_at = now() -"
        " interval '2 hours', opened_at = now() - interval '3 hours' WHERE attempt_id ="
        " %(lost.lost)s",
        "work_is_done_in_time",
    ),
    _c(
        "a closed attempt is taken back next year",
        "UPDATE payment_attempts SET cancel_at = now() + interval '1 year' WHERE attempt_id ="
        " %(lost.lost)s",
        "times_hide_no_work",
    ),
]

TURNS = "turns_follow_the_line"
USED = "turns_are_used_once"
FORWARD = "lines_only_go_forward"
PLACES = "places_are_numbers_that_were_given"
_TURN = (
    "INSERT INTO waiting_room_turns (line_id, number, holder, taken_at, admitted_at, shown_low,"
    " shown_high, waited, used_by, ended_at) SELECT line_id, {0}, holder, {1}, admitted_at,"
    " shown_low, shown_high, waited, {2}, {3} FROM waiting_room_turns WHERE number = %(used)s"
)

LINES = [
    _c(
        "somebody came in who was not called",
        _TURN.format("5", "taken_at", "NULL", "NULL")
        + "; UPDATE waiting_room_lines SET serving = 4",
        TURNS,
        FORWARD,
    ),
    _c(
        "somebody came in with a number that nobody was given",
        _TURN.format("1000", "taken_at", "NULL", "NULL"),
        TURNS,
    ),
    _c(
        "a turn of a line that never was",
        "UPDATE waiting_room_turns SET line_id = gen_random_uuid() WHERE number = %(unused)s",
        TURNS,
    ),
    _c(
        "a turn before its place was taken",
        "UPDATE waiting_room_turns SET taken_at = admitted_at + interval '1 minute'"
        " WHERE number = %(unused)s",
        TURNS,
        PLACES,
    ),
    _c(
        "a place from before there was the line",
        "UPDATE waiting_room_turns SET taken_at = (SELECT created_at FROM waiting_room_lines"
        " WHERE line_id = %(line)s)"
        " - interval '1 hour' WHERE number = %(unused)s",
        TURNS,
    ),
    _c(
        "a turn that begins tomorrow",
        "UPDATE waiting_room_turns SET admitted_at = now() + interval '1 day'"
        " WHERE number = %(unused)s",
        TURNS,
    ),
    _c(
        "somebody waited less than nothing",
        "UPDATE waiting_room_turns SET waited = -1 WHERE number = %(unused)s",
        TURNS,
    ),
    _c(
        "a range that ends before it begins",
        "UPDATE waiting_room_turns SET shown_low = 9, shown_high = 3 WHERE number = %(unused)s",
        TURNS,
    ),
    _c(
        "a used turn has no end",
        "UPDATE waiting_room_turns SET ended_at = NULL WHERE number = %(used)s",
        USED,
    ),
    _c(
        "nobody used a used turn",
        "UPDATE waiting_room_turns SET used_by = NULL WHERE number = %(used)s",
        USED,
    ),
    _c(
        "a turn was used before it began",
        "UPDATE waiting_room_turns SET ended_at = admitted_at - interval '1 hour'"
        " WHERE number = %(used)s",
        USED,
    ),
    _c(
        "a turn was used tomorrow",
        "UPDATE waiting_room_turns SET ended_at = now() + interval '1 day' WHERE number = %(used)s",
        USED,
    ),
    _c(
        "an account has used two turns it waited for at once",
        "UPDATE waiting_room_turns SET used_by = (SELECT used_by FROM waiting_room_turns WHERE"
        " number = %(used)s), ended_at = now() WHERE number = %(unused)s",
        "one_turn_for_one_account",
    ),
    _c(
        "an account has used the turn of a place it took before it used one",
        _TURN.format("3", "ended_at - interval '1 second'", "used_by", "ended_at + interval '1 s'"),
        "one_turn_for_one_account",
    ),
    _c(
        "an account keeps a number that nobody was given",
        "UPDATE waiting_room_places SET number = 1000 WHERE account_id = %(other)s",
        PLACES,
    ),
    _c(
        "an account keeps a place in no line",
        "UPDATE waiting_room_places SET line_id = gen_random_uuid() WHERE account_id = %(other)s",
        PLACES,
    ),
    _c(
        "an account keeps another's number",
        "UPDATE waiting_room_places SET number = %(used)s WHERE account_id = %(other)s",
        PLACES,
    ),
    _c(
        "an account keeps a place of tomorrow",
        "UPDATE waiting_room_places SET taken_at = now() + interval '1 day'"
        " WHERE account_id = %(other)s",
        PLACES,
    ),
    _c(
        "the holder of a kept place is another",
        "UPDATE waiting_room_places SET holder = decode(repeat('00', 16), 'hex')"
        " WHERE number = %(unused)s",
        PLACES,
    ),
    _c(
        "a line calls a number a second time",
        "UPDATE waiting_room_lines SET serving = serving - 1 WHERE line_id = %(line)s",
        FORWARD,
    ),
    _c(
        "a line gives a number a second time",
        "UPDATE waiting_room_lines SET next_number = next_number - 1, serving = serving - 1"
        " WHERE line_id = %(line)s",
        FORWARD,
    ),
    _c(
        "a line called fewer than before",
        "INSERT INTO waiting_room_samples (line_id, at, serving, next_number, admitted, inside, rate,"
        " is_engaged, is_paused, refused) SELECT line_id, at + interval '1 second', serving - 1,"
        " next_number, admitted, inside, rate, is_engaged, is_paused, refused FROM waiting_room_samples"
        " WHERE line_id = %(line)s AND serving > 0 ORDER BY at DESC LIMIT 1",
        FORWARD,
    ),
    _c(
        "a line had called a number that nobody was given",
        "UPDATE waiting_room_samples SET next_number = 2 WHERE at = (SELECT max(at) FROM"
        " waiting_room_samples)",
        FORWARD,
    ),
    _c(
        "a sample of a line that never was",
        "UPDATE waiting_room_samples SET line_id = gen_random_uuid()",
        FORWARD,
    ),
]

DRAWS = "draws_are_of_all_entries"
ANNOUNCED = "draws_follow_their_announcement"
DRAWN = "drawn_numbers_are_all_of_a_draw"
OPENED = "lines_open_by_their_draw"

_ENTRY_OF = (
    "INSERT INTO waiting_room_entries (line_id, entry, entered_at) SELECT line_id, {0}, {1} FROM"
)
_NEW_ENTRY = "decode(repeat('ab', 16), 'hex')"

DRAWN_LINES = [
    _c(
        "an entry after the list was closed",
        f"{_ENTRY_OF.format(_NEW_ENTRY, 'now()')} waiting_room_draws",
        "entries_are_in_time",
        DRAWS,
    ),
    _c(
        "an entry smuggled in with a time from before",
        f"{_ENTRY_OF.format(_NEW_ENTRY, 'announced_at')} waiting_room_draws",
        DRAWS,
    ),
    _c(
        "an entry from before the announcement",
        "UPDATE waiting_room_entries SET entered_at = entered_at - interval '1 hour'",
        "entries_are_in_time",
    ),
    _c(
        "an entry in a line that draws nothing",
        "INSERT INTO waiting_room_entries (line_id, entry, entered_at) VALUES"
        f" ({NIL}, {_NEW_ENTRY}, now())",
        "entries_are_in_time",
    ),
    _c(
        "somebody was left out of a draw",
        "DELETE FROM waiting_room_entries WHERE entry = (SELECT min(entry) FROM waiting_room_entries)",
        DRAWS,
        DRAWN,
    ),
    _c(
        "a closing says another count than was signed",
        "UPDATE waiting_room_draws SET count = count - 1",
        DRAWS,
        DRAWN,
    ),
    _c(
        "the record of a draw is that of another line",
        """UPDATE waiting_room_draws SET record = replace(record, '\\"line\\":\\"drawn', '\\"line\\":\\"other')""",
        ANNOUNCED,
    ),
    _c(
        "the result of a draw is gone",
        "UPDATE waiting_room_draws SET record = jsonb_set(record::jsonb, '{parts}',"
        " (record::jsonb -> 'parts') - 2)::text",
        ANNOUNCED,
    ),
    _c(
        "a second draw that replaces none",
        "INSERT INTO waiting_room_draws (line_id, attempt, record, count, announced_at, drawn_at, opened_at)"
        " SELECT line_id, 2, record, count, announced_at, drawn_at, opened_at FROM waiting_room_draws",
        ANNOUNCED,
    ),
    _c(
        "a draw of a line that never was",
        "UPDATE waiting_room_draws SET line_id = gen_random_uuid()",
        ANNOUNCED,
        DRAWN,
        OPENED,
        "entries_are_in_time",
    ),
    _c(
        "somebody's number was taken away",
        "DELETE FROM waiting_room_drawn WHERE number = 3",
        DRAWN,
    ),
    _c(
        "a number above all that were drawn",
        "UPDATE waiting_room_drawn SET number = 99 WHERE number = 7",
        DRAWN,
    ),
    _c(
        "a number for who was in no draw",
        f"UPDATE waiting_room_drawn SET entry = {_NEW_ENTRY} WHERE number = 1",
        DRAWN,
    ),
    _c(
        "a number before anything was drawn",
        "UPDATE waiting_room_draws SET drawn_at = NULL, opened_at = NULL",
        DRAWN,
        OPENED,
    ),
    _c(
        "who came later has a number that was drawn",
        "UPDATE waiting_room_lines SET next_number = 5, serving = 0 WHERE line_id = %(draw)s",
        OPENED,
    ),
    _c(
        "a line opened before its time",
        "UPDATE waiting_room_draws SET opened_at = drawn_at - interval '2 hours'",
        OPENED,
    ),
    _c(
        "a line opened without its draw",
        "UPDATE waiting_room_draws SET opened_at = NULL",
        OPENED,
    ),
]

DRAFTS = [
    _c(
        "a draft that nobody forgot",
        "UPDATE drafts SET created_at = created_at - interval '3 days',"
        " expires_at = expires_at - interval '2 days'",
        "work_is_done_in_time",
    ),
    _c(
        "files that outlived their draft",
        "DELETE FROM drafts",
        "draft_files_have_their_draft",
    ),
    _c(
        "a document without a stamp in what was ordered",
        "UPDATE draft_files SET placements = '[]'",
        "drafts_that_were_ordered_were_placed",
    ),
]

INCIDENTS = [
    _c(
        "an incident that was resolved without a word",
        "UPDATE incidents SET state = 'resolved', resolved_at = updated_at, held_by = ''"
        " WHERE incident_id = %(held.incident)s;"
        " UPDATE incident_components SET is_felt = false WHERE incident_id = %(held.incident)s",
        "incident_states_are_their_updates",
    ),
    _c(
        "a word of staff about an incident of the watch",
        "UPDATE incident_updates SET actor = 'operator:budi' WHERE incident_id = %(held.incident)s",
        "incident_states_are_their_updates",
    ),
    _c(
        "an update from before the incident",
        "UPDATE incident_updates SET at = at - interval '1 hour' WHERE incident_id = %(over.incident)s",
        "incident_times_never_go_back",
    ),
    _c(
        "an incident that is over and held",
        "ALTER TABLE incidents DROP CONSTRAINT incident_that_is_held_is_not_over;"
        " UPDATE incidents SET held_by = 'rcv_1' WHERE incident_id = %(over.incident)s",
        "held_incidents_are_not_over",
    ),
    _c(
        "a component of an incident that is over, as if it were open",
        "UPDATE incident_components SET is_felt = true WHERE incident_id = %(over.incident)s",
        "no_two_open_incidents_over_one_component",
    ),
    _c(
        "an incident over nothing",
        "DELETE FROM incident_components WHERE incident_id = %(over.incident)s",
        "no_two_open_incidents_over_one_component",
    ),
]
BATCHES = [
    _c(
        "a finished batch with a row that waits",
        "UPDATE batch_rows SET state = 'waiting', stamping_id = NULL, code = NULL, ended_at = NULL"
        " WHERE batch_id = %(finished.batch)s",
        "batch_stands_where_its_rows_do",
    ),
    _c(
        "a row that says it is stamped",
        "UPDATE batch_rows SET state = 'delivered', code = NULL, ended_at = now() WHERE batch_id = %(failed.batch)s"
        " AND state = 'failed'",
        "row_stands_where_its_stamping_does",
    ),
    _c(
        "rows of batches that are a stamping of nobody",
        "UPDATE batch_stampings SET stamping_id = gen_random_uuid()",
        "subject_has_one_stamping",
    ),
    _c(
        "a row that is gone",
        "DELETE FROM batch_rows WHERE batch_id = %(finished.batch)s AND number = 1",
        "batch_rows_are_numbered",
    ),
]
CASE_TRAIL, CASE_TIMES = "case_moves_are_in_the_trail", "case_times_are_possible"
CASES = [
    _c(
        "a case that nobody opened",
        "DELETE FROM audit_events WHERE action = 'case_opened'",
        CASE_TRAIL,
    ),
    _c(
        "a case is somebody's without a word",
        "UPDATE cases SET owner_id = gen_random_uuid() WHERE case_id = %(answered.case)s",
        CASE_TRAIL,
    ),
    _c(
        "a case was closed by nobody",
        "UPDATE cases SET state = 'closed', outcome = 'solved', closed_at = now(), closes_at = NULL"
        " WHERE case_id = %(answered.case)s",
        CASE_TRAIL,
    ),
    _c(
        "a case was opened again by nobody",
        "UPDATE cases SET reopened_at = now() WHERE case_id = %(accepted.case)s",
        CASE_TRAIL,
    ),
    _c(
        "a case that was due before it began",
        "UPDATE cases SET due_at = opened_at - interval '1 hour' WHERE state = 'open'",
        CASE_TIMES,
    ),
    _c(
        "a case that was closed before it began",
        "UPDATE cases SET closed_at = opened_at - interval '1 hour' WHERE state = 'closed'",
        CASE_TIMES,
    ),
    _c(
        "a case that waits for ever",
        "UPDATE cases SET opened_at = now() - interval '20 days', closes_at = now() - interval '2 days'"
        " WHERE case_id = %(asked_back.case)s",
        "work_is_done_in_time",
    ),
    _c(
        "an answer from no facts",
        "UPDATE cases SET facts_sha256 = NULL WHERE case_id = %(answered.case)s",
        "answers_from_facts_name_them",
    ),
    _c(
        "a case of another order than it names",
        "UPDATE cases SET order_id = %(asked.order)s WHERE case_id = %(answered.case)s",
        "cases_are_what_was_said",
    ),
    _c(
        "a complaint without its words",
        "DELETE FROM case_messages WHERE case_id = %(answered.case)s",
        "cases_are_what_was_said",
    ),
    _c(
        "more pictures than a case keeps",
        "INSERT INTO case_pictures SELECT account_id, case_id, gen_random_uuid(), webp, added_at"
        " FROM case_pictures, generate_series(1, 3)",
        "messages_of_cases_are_bounded",
    ),
    _c(
        "an answer of a case to somebody else",
        "UPDATE mails SET recipient = 'else@example.org' WHERE template = 'case_received'",
        "mails_are_what_their_causes_make",
    ),
]

OUTAGE_TRAIL, OUTAGE_BY_TWO, OUTAGE_FILES = (
    "outage_moves_are_in_the_trail",
    "outages_are_confirmed_by_two",
    "outage_files_are_those_of_their_record",
)
OUTAGES = [
    _c(
        "an outage record that nobody confirmed",
        "UPDATE outages SET state = 'confirmed', confirmed_at = now(), begins_at = begins_at - interval '1 day',"
        " ends_at = ends_at - interval '1 day' WHERE outage_id = %(proposed.outage)s",
        OUTAGE_TRAIL,
        OUTAGE_BY_TWO,
    ),
    _c(
        "an outage record that was confirmed with other findings",
        "UPDATE outages SET findings_sha256 = sha256('x') WHERE outage_id = %(confirmed.outage)s",
        OUTAGE_TRAIL,
    ),
    _c(
        "an outage record that nothing replaced",
        "UPDATE outages SET state = 'replaced', ended_at = now() WHERE outage_id = %(confirmed.outage)s",
        OUTAGE_TRAIL,
    ),
    _c(
        "an outage record without the readings of a watcher",
        "DELETE FROM outage_files WHERE outage_id = %(proposed.outage)s AND file = 'readings/jakarta'",
        OUTAGE_FILES,
    ),
    _c(
        "an outage record with another document",
        "ALTER TABLE outage_files DROP CONSTRAINT file_has_its_hash; UPDATE outage_files SET content = 'x' WHERE outage_id = %(confirmed.outage)s AND file = 'json'",
        OUTAGE_FILES,
    ),
    _c(
        "a file of no outage record",
        "UPDATE outage_files SET outage_id = gen_random_uuid() WHERE outage_id = %(confirmed.outage)s AND file = 'id.pdf'",
        OUTAGE_FILES,
    ),
    _c(
        "an outage record that is never sealed",
        "UPDATE outages SET confirmed_at = confirmed_at - interval '1 day', sealed_at = NULL WHERE outage_id = %(confirmed.outage)s",
        "work_is_done_in_time",
        OUTAGE_BY_TWO,
        OUTAGE_FILES,
        OUTAGE_TRAIL,
    ),
]


EXTRACTS = [
    _c(
        "an extract with another number of rows",
        "UPDATE extracts SET rows = rows + 1",
        "extracts_are_as_they_were_signed",
    ),
    _c(
        "an extract with another sum",
        "UPDATE extract_sums SET amount = amount + 10000 WHERE book = 'duty_payable'",
        "extracts_are_as_they_were_signed",
        "closed_months_stay_as_they_were_told",
    ),
    _c("an extract without its file", "DELETE FROM extract_parts", "extract_files_are_whole"),
    _c(
        "another figure of a closed month",
        "UPDATE statement_sums SET amount = amount + 10000",
        "closed_months_stay_as_they_were_told",
    ),
    _c(
        "a closed month without its last day",
        "UPDATE statements SET month = month - interval '1 month'",
        "closed_months_stay_as_they_were_told",
        "closed_months_are_in_the_trail",
    ),
    _c(
        "a month that nobody closed",
        "UPDATE audit_events SET subject = '2025-02' WHERE action = 'statement_closed'",
        "closed_months_are_in_the_trail",
    ),
]


CLOSES, FOLLOW, PAYOUTS = (
    "closes_are_as_they_were_signed",
    "closes_follow_each_other",
    "payouts_are_in_the_trail",
)
FINANCE = [
    _c("a close with another number of entries", "UPDATE day_closes SET entries = 7", CLOSES),
    _c("a close that is gone", "DELETE FROM day_closes WHERE day = '2025-03-30'", CLOSES),
    _c(
        "a close with another sum",
        "UPDATE day_close_sums SET debit = debit + 1 WHERE day = '2025-03-31' AND book = 'buyer_funds'",
        CLOSES,
        FOLLOW,
    ),
    _c(
        "a close that does not begin with the one before",
        "UPDATE day_close_sums SET closing = closing * 2 WHERE day = '2025-03-31'",
        CLOSES,
        FOLLOW,
    ),
    _c(
        "a day that nobody closed",
        "UPDATE audit_events SET subject = '2025-02-01' WHERE action = 'day_closed' AND subject = '2025-03-31'",
        "closed_days_are_in_the_trail",
    ),
    _c(
        "a payout of another sum",
        "UPDATE payouts SET amount = amount * 2 WHERE payout_id = %(confirmed.payout)s",
        ENTRIES,
    ),
    _c(
        "a payout that nobody confirmed",
        "DELETE FROM audit_events WHERE action = 'payout_confirmed'",
        PAYOUTS,
    ),
    _c(
        "a payout that nobody approved",
        "UPDATE payouts SET approved_at = approved_at - interval '1 day' WHERE payout_id = %(approved.payout)s",
        PAYOUTS,
    ),
    _c(
        "a payout that is in the books before it was sent",
        "UPDATE payouts SET state = 'confirmed', bank_line = 'x', paid_at = now(), ntpn = 'x', ended_at = now()"
        " WHERE payout_id = %(sent.payout)s",
        ENTRIES,
        PAYOUTS,
    ),
]


PRIVACY_TRAIL, TOLD = (
    "privacy_requests_are_in_the_trail",
    "breaches_are_told_as_the_trail_says",
)
PRIVACY = [
    _c(
        "a request that nobody made",
        "DELETE FROM audit_events WHERE action = 'copy_asked'",
        PRIVACY_TRAIL,
    ),
    _c(
        "somebody erased without a word",
        "DELETE FROM audit_events WHERE action = 'account_erased'",
        PRIVACY_TRAIL,
        "erased_is_what_the_trail_says",
    ),
    _c(
        "somebody erased and there",
        "UPDATE accounts SET erased_at = NULL WHERE account_id = %(erased)s",
        PRIVACY_TRAIL,
        "erased_is_what_the_trail_says",
        "address_finds_its_account",
    ),
    _c(
        "somebody erased who was not",
        "UPDATE accounts SET email = NULL, erased_at = now() WHERE account_id = %(account)s",
        "erased_is_what_the_trail_says",
    ),
    _c(
        "an account that opens for nobody",
        "INSERT INTO sessions (account_id, session_id, secret_hash, created_at, expires_at, opened_with)"
        " VALUES (%(erased)s, gen_random_uuid(), sha256('a'), now(), now() + interval '1 day', 'mail')",
        "erased_is_what_the_trail_says",
    ),
    _c(
        "an answer that came too late",
        "UPDATE privacy_requests SET answered_at = due_at + interval '1 hour' WHERE kind = 'copy'",
        "privacy_requests_are_answered_in_time",
    ),
    _c(
        "an erasure that nobody looks at",
        "UPDATE privacy_requests SET look_at = NULL WHERE state = 'erased'",
        "privacy_requests_are_answered_in_time",
    ),
    _c(
        "a breach that was told to nobody",
        "DELETE FROM audit_events WHERE action = 'breach_subjects_told'",
        TOLD,
    ),
    _c(
        "a breach that was closed before it was entered",
        "UPDATE breaches SET closed_at = opened_at - interval '1 hour' WHERE state = 'closed'",
        TOLD,
    ),
    _c(
        "a breach whose telling stands still",
        "UPDATE breaches SET subjects_from = subjects_from - interval '25 hours', subjects_told_at = NULL, state = 'open',"
        " closed_at = NULL, opened_at = opened_at - interval '26 hours' WHERE breach_id = %(told.breach)s",
        "work_is_done_in_time",
        TOLD,
    ),
    _c(
        "a notice of a breach to whom it is not about",
        "UPDATE breaches SET accounts = ARRAY[gen_random_uuid()] WHERE breach_id = %(told.breach)s",
        "mails_are_what_their_causes_make",
    ),
]

RECOVERIES = [
    _c(
        "a recovery is at a step that it did not take",
        "UPDATE recoveries SET state = 'buying', ended_at = NULL",
        "recovery_is_where_its_steps_led",
        "recovery_under_way_holds_its_incident",
    ),
    _c(
        "a step of a recovery is left out",
        "DELETE FROM recovery_steps WHERE number = 2",
        "recovery_steps_follow_the_way",
        "recovery_is_where_its_steps_led",
    ),
    _c(
        "a step of a recovery that is not in the trail",
        "DELETE FROM audit_events WHERE action = 'recovery_next'",
        "recovery_moves_are_in_the_trail",
    ),
    _c(
        "an incident is held by a recovery that has ended",
        "UPDATE incidents i SET held_by = 'rcv_' || lower(compact(r.recovery_id)) FROM recoveries r"
        " WHERE i.incident_id = r.incident_id",
        "recovery_under_way_holds_its_incident",
    ),
]


WEBHOOKS = [
    _c(
        "a message waits where its endpoint does not",
        "UPDATE webhook_messages SET is_aside = NOT is_aside WHERE state = 'waiting'",
        "webhooks_and_messages_are_in_states_that_agree",
    ),
    _c(
        "an endpoint is at another address of its host",
        "UPDATE webhook_endpoints SET url = url || 'x'",
        "webhook_is_what_the_trail_says",
    ),
    _c(
        "an endpoint signs with a secret that nobody gave it",
        "UPDATE webhook_endpoints SET secret = sha256(secret)",
        "webhook_is_what_the_trail_says",
    ),
    _c(
        "an endpoint that nobody made",
        "UPDATE webhook_endpoints SET endpoint_id = gen_random_uuid()",
        "webhook_is_what_the_trail_says",
    ),
]


DRAWN = "draw_pays_its_attempt"
OWED = "collectors_owe_what_they_drew"
COLLECTOR = "collector_is_as_staff_said"
REPORTS = "collector_reports_are_in_the_trail"
CONFIRMED = "collector_deposit_is_confirmed_once"
IN_THE_WORLD = "fee_is_of_stamps_in_the_world"
COLLECTORS = [
    _c(
        "a draw of more than its attempt",
        "UPDATE credit_draws SET amount = amount + 10000 WHERE draw_id = %(draw.draw)s",
        DRAWN,
        OWED,
        ENTRIES,
    ),
    _c(
        "a draw pays the fee of a seller",
        "ALTER TABLE orders DROP CONSTRAINT seller_fee_is_part_of_the_fee;"
        " UPDATE orders SET seller_fee = 500 WHERE order_id = %(draw.order)s",
        DRAWN,
        "order_was_sold_by_a_seller",
        IN_THE_WORLD,
    ),
    _c(
        "a draw that paid waits",
        "UPDATE credit_draws SET state = 'waiting', taken_at = NULL, month = NULL WHERE draw_id = %(draw.draw)s",
        DRAWN,
        OWED,
        ENTRIES,
    ),
    _c(
        "a draw ended before it was made",
        "UPDATE credit_draws SET ended_at = made_at - interval '1 hour' WHERE draw_id = %(no_draw.draw)s",
        DRAWN,
    ),
    _c(
        "credit came back that no refund gave",
        "UPDATE credit_returns SET amount = amount - 1",
        "credit_that_came_back_was_a_refund",
        OWED,
        ENTRIES,
    ),
    _c(
        "a refund of a draw is owed still",
        "DELETE FROM credit_returns",
        "credit_that_came_back_was_a_refund",
        OWED,
        ENTRIES,
    ),
    _c(
        "a month owes less than was drawn",
        "UPDATE collector_months SET drawn = drawn - 10000",
        OWED,
    ),
    _c(
        "a month was deposited by nothing",
        "UPDATE collector_months SET deposited = deposited + 10000",
        OWED,
    ),
    _c(
        "a deposit that nobody confirmed",
        "UPDATE collector_deposits SET state = 'confirmed', confirmed_at = now() WHERE state = 'told'",
        CONFIRMED,
        OWED,
        ENTRIES,
    ),
    _c(
        "a deposit was taken back before it was told",
        "UPDATE collector_deposits SET withdrawn_at = told_at - interval '1 hour' WHERE state = 'withdrawn'",
        CONFIRMED,
    ),
    _c(
        "a collector that staff closed draws",
        "UPDATE collectors SET state = 'open', closed_at = NULL WHERE account_id = %(closed.collector)s",
        COLLECTOR,
    ),
    _c(
        "a collector that nobody approved",
        "DELETE FROM audit_events WHERE action = 'collector_approved'",
        COLLECTOR,
    ),
    _c(
        "a collector is back at its older terms",
        "UPDATE collectors c SET terms_id = (SELECT min(terms_id::text)::uuid FROM collector_terms t"
        " WHERE t.account_id = c.account_id) WHERE account_id = %(open.collector)s",
        COLLECTOR,
    ),
    _c(
        "a collector need not say what its documents are",
        "DELETE FROM facts_demanded",
        COLLECTOR,
    ),
    _c(
        "a return of a month that its collector did not tell",
        "INSERT INTO collector_reports (account_id, month, receipt, reported_on)"
        " VALUES (%(open.collector)s, '2026-01-01', 'S-2', '2026-02-10')",
        REPORTS,
    ),
    _c(
        "a return of a month is gone",
        "DELETE FROM collector_reports WHERE account_id = %(open.collector)s",
        REPORTS,
    ),
    _c(
        "a document of a collector says less than it did",
        "UPDATE stamping_facts SET party_name = NULL WHERE stamping_id = %(told.stamping)s",
        "facts_are_told_where_demanded",
    ),
]


SOLD = "sale_is_the_order_of_its_buyer"
DEPOSITS = "deposits_are_what_moved_them"
STAFF_SAID = "distributor_is_as_staff_said"
ONE_DEPOSIT = "account_sells_from_one_deposit"
BROUGHT = "deposit_is_what_its_order_paid"
FEES = "fees_of_sellers_are_those_of_orders"
DISTRIBUTION = [
    _c(
        "a sale of more stamps than its order has",
        "UPDATE sales SET quantity = quantity + 1 WHERE sale_id = %(taken.sale)s",
        SOLD,
        DEPOSITS,
        ENTRIES,
    ),
    _c(
        "a sale that the deposit did not pay",
        "UPDATE sales SET state = 'waiting', taken_at = NULL WHERE sale_id = %(taken.sale)s",
        SOLD,
        DEPOSITS,
        ENTRIES,
    ),
    _c(
        "a sale says that the deposit paid",
        "UPDATE sales SET state = 'taken', taken_at = now() WHERE sale_id = %(waiting.sale)s",
        SOLD,
        DEPOSITS,
        ENTRIES,
    ),
    _c(
        "a sale that was made never to have been",
        "DELETE FROM sales WHERE sale_id = %(waiting.sale)s",
        SOLD,
    ),
    _c(
        "a deposit came back that no refund gave",
        "UPDATE deposit_returns SET amount = amount + 1",
        "deposit_that_came_back_was_a_refund",
        DEPOSITS,
        ENTRIES,
    ),
    _c(
        "a refund of a sale is not deposit again",
        "DELETE FROM deposit_returns",
        "deposit_that_came_back_was_a_refund",
        DEPOSITS,
        ENTRIES,
    ),
    _c(
        "a deposit has grown",
        "UPDATE balances SET posted = posted + 10000 WHERE book = 'deposits' AND account_id = %(open.distributor)s",
        DEPOSITS,
    ),
    _c(
        "a sale waits past its time",
        "UPDATE sales SET made_at = made_at - interval '2 days', waits_until = made_at - interval '1 day'"
        " WHERE sale_id = %(waiting.sale)s",
        "sale_times_are_in_order",
    ),
    _c(
        "a sale ended before it was made",
        "UPDATE sales SET ended_at = made_at - interval '1 hour' WHERE sale_id = %(ended.sale)s",
        "sale_times_are_in_order",
    ),
    _c(
        "a distributor that staff closed sells",
        "UPDATE distributors SET state = 'open', closing_at = NULL WHERE account_id = %(closing.distributor)s",
        STAFF_SAID,
    ),
    _c(
        "a distributor opened before its first deposit",
        "UPDATE distributors SET opened_at = approved_at WHERE account_id = %(open.distributor)s",
        STAFF_SAID,
    ),
    _c(
        "a distributor that nobody approved",
        "DELETE FROM audit_events WHERE action = 'distributor_approved'",
        STAFF_SAID,
    ),
    _c(
        "a distributor is back at its older terms",
        "UPDATE distributors d SET terms_id = (SELECT min(terms_id::text)::uuid FROM distributor_terms t"
        " WHERE t.account_id = d.account_id) WHERE account_id = %(open.distributor)s",
        STAFF_SAID,
    ),
    _c(
        "a reseller may sell more than its distributor said",
        "UPDATE resellers SET day_rupiah = day_rupiah + 1 WHERE reseller_id = %(selling.reseller)s",
        "reseller_is_as_was_said",
    ),
    _c(
        "a reseller whose fee stands beside an older one of its distributor",
        "UPDATE resellers SET distributor_fee = distributor_fee - 1 WHERE reseller_id = %(selling.reseller)s",
        "reseller_fees_are_of_today",
    ),
    _c(
        "a reseller sells again that left",
        "UPDATE selling_accounts SET is_free = false WHERE account_id = %(left.reseller)s",
        ONE_DEPOSIT,
    ),
    _c(
        "a reseller sells from the deposit of nobody who invited it",
        "UPDATE selling_accounts SET distributor_id = %(closing.distributor)s WHERE account_id = %(selling.reseller)s",
        ONE_DEPOSIT,
    ),
    _c(
        "a distributor sells from no deposit",
        "DELETE FROM selling_accounts WHERE account_id = %(open.distributor)s",
        ONE_DEPOSIT,
    ),
    _c(
        "an order of a deposit brought more than was paid",
        "UPDATE order_deposits SET added = added + 10000 WHERE order_id = %(open.deposit)s",
        BROUGHT,
        DEPOSITS,
        ENTRIES,
    ),
    _c(
        "a deposit says that nothing was taken out",
        "UPDATE order_deposits SET withdrawn = 0 WHERE order_id = %(withdrawn.deposit)s",
        BROUGHT,
        DEPOSITS,
    ),
    _c(
        "an order of a deposit that brought none",
        "DELETE FROM order_deposits WHERE order_id = %(open.deposit)s",
        BROUGHT,
        DEPOSITS,
        ENTRIES,
    ),
    _c(
        "a seller of an order that takes more than its fee",
        "UPDATE order_sellers SET fee = fee + 1000000 WHERE order_id = %(taken.order)s",
        "order_was_sold_by_a_seller",
    ),
    _c(
        "an order was sold later than it was placed",
        "UPDATE order_sellers SET sold_at = sold_at + interval '1 second' WHERE order_id = %(taken.order)s",
        "order_was_sold_by_a_seller",
    ),
    _c(
        "an order of ours has a fee of a seller",
        "UPDATE orders SET seller_fee = 500 WHERE order_id = %(taken.order)s",
        "order_was_sold_by_a_seller",
        IN_THE_WORLD,
    ),
    _c(
        "a fee was passed on for more stamps than there are",
        "UPDATE order_fees SET stamps = stamps + 1, amount = amount + 1000 WHERE order_id = %(page.order)s",
        IN_THE_WORLD,
        FEES,
        ENTRIES,
    ),
    _c(
        "a fee that was passed on did not come to its seller",
        "DELETE FROM fee_moves WHERE order_id = %(page.order)s",
        FEES,
        DEPOSITS,
        ENTRIES,
    ),
    _c(
        "a seller has more of a fee than was passed on",
        "UPDATE fee_moves SET amount = amount + 1, of_deposit = of_deposit + 1 WHERE order_id = %(page.order)s",
        FEES,
        DEPOSITS,
        ENTRIES,
    ),
    _c("a seller owes what nobody had back", "UPDATE seller_debts SET owed = owed + 500", FEES),
]


CORRUPTIONS = [
    *COLLECTORS,
    *DISTRIBUTION,
    *WEBHOOKS,
    *RECOVERIES,
    *PRIVACY,
    *BATCHES,
    *CASES,
    *OUTAGES,
    *INCIDENTS,
    *DRAFTS,
    *LEDGER,
    *PAYMENTS,
    *JOBS,
    *ORDERS,
    *STAMPS,
    *STAMPINGS,
    *REFUNDS,
    *PEOPLE,
    *CHARGEBACKS,
    *CLAIMS,
    *SUSPENSE,
    *LINES,
    *DRAWN_LINES,
    *EXTRACTS,
    *FINANCE,
]
