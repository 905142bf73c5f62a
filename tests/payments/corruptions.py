"""Corruptions of rows of payments, and the invariants that must find each."""

from tests.support.corrupting import (
    BOOKS,
    ENTRIES,
    LATE,
    MARKS,
    MARKS_OF_NOBODY,
    NIL,
    TIMES,
    TIMES_OF_NOBODY,
    corruption,
)

_COPY = (
    "INSERT INTO captures SELECT account_id, %(placed.attempt)s, payment, amount, learned_by,"
    " captured_at, NULL FROM captures WHERE payment = %(quota.payment)s"
)
_NEWS = """INSERT INTO notification_inbox (provider, external_id, sent_on, body, body_sha256, reading, outcome)
VALUES ('bank', 'QUIET', current_date, '[1]', sha256('[1]'),
    '{"status": "paid", "number": "QUIET", "reference": "QUIET"}', '%s')"""

CORRUPTIONS = (
    corruption(
        "the QR of another's attempt",
        "UPDATE payment_attempts SET (instructions, provider_reference) = (SELECT instructions,"
        " provider_reference FROM payment_attempts WHERE attempt_id = %(lapsed.attempt)s)"
        " WHERE attempt_id = %(placed.attempt)s",
        "qr_is_of_one_attempt",
    ),
    corruption(
        "instructions of a kind nobody reads",
        'UPDATE payment_attempts SET instructions = \'{"kind": "letter"}\''
        " WHERE attempt_id = %(placed.attempt)s",
        "instructions_are_whole",
    ),
    corruption(
        "another QR in the column of before",
        "UPDATE payment_attempts SET qr_content = instructions->>'content' || '0'"
        " WHERE attempt_id = %(placed.attempt)s",
        "instructions_are_whole",
    ),
    corruption(
        "instructions from before their attempt",
        "UPDATE payment_attempts SET instructed_at = opened_at - interval '1 day'"
        " WHERE attempt_id = %(placed.attempt)s",
        "instructions_are_whole",
    ),
    corruption(
        "a rail was taken out by nobody",
        "INSERT INTO rails_out (rail, reason) VALUES ('bank', 'x')",
        "rail_was_taken_out_by_an_operator",
    ),
    corruption(
        "a rail was put back by nobody",
        "INSERT INTO audit_events (account_id, event_id, happened_at, actor, action, subject, facts)"
        " SELECT account_id, gen_random_uuid(), now(), actor, 'rail_taken_out', 'bank', '{}'"
        " FROM audit_events WHERE account_id = '00000000-0000-0000-0000-000000000000' LIMIT 1",
        "rail_was_taken_out_by_an_operator",
    ),
    corruption(
        "an order can be paid until a time that no way to pay has",
        "UPDATE orders SET pay_until = lapses_at + interval '1 hour' WHERE order_id = %(placed.order)s",
        "attempts_are_of_orders",
    ),
    corruption(
        "a method of another rail",
        "UPDATE payment_attempts SET method = 'card' WHERE attempt_id = %(placed.attempt)s",
        "attempt_has_a_method_of_its_rail",
    ),
    corruption(
        "a QR nobody made",
        'UPDATE payment_attempts SET instructions = \'{"kind": "qr", "content": "q"}\','
        " instructed_at = now() WHERE attempt_id = %(opening.attempt)s",
        "qr_is_of_one_attempt",
    ),
    corruption(
        "a capture is gone",
        "DELETE FROM captures WHERE payment = %(quota.payment)s",
        ENTRIES,
        BOOKS,
        "paid_order_has_its_capture",
        "attempt_agrees_with_its_payments",
    ),
    corruption(
        "a capture of nothing",
        "INSERT INTO captures (account_id, attempt_id, payment, amount,"
        " learned_by) VALUES (%(account)s, %(placed.attempt)s, 'X1', 21000, 'question')",
        ENTRIES,
        "attempt_agrees_with_its_payments",
        "no_money_lies_about",
    ),
    corruption(
        "a capture is larger",
        "UPDATE captures SET amount = amount + 10500 WHERE payment = %(quota.payment)s",
        ENTRIES,
        "no_money_lies_about",
    ),
    corruption(
        "a capture is less than the total",
        "UPDATE captures SET amount = 1 WHERE payment = %(quota.payment)s",
        ENTRIES,
        "paid_order_has_its_capture",
        "no_money_lies_about",
    ),
    corruption(
        "a payment has another number",
        "UPDATE captures SET payment = 'X2' WHERE payment = %(quota.payment)s",
        ENTRIES,
        "paid_order_has_its_capture",
    ),
    corruption("one payment pays two orders", _COPY, "payment_counts_once"),
    corruption(
        "one payment is in suspense too",
        "UPDATE suspense_items SET payment = %(quota.payment)s WHERE item_id = %(suspended.item)s",
        "payment_counts_once",
    ),
    corruption(
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
    corruption(
        "two orders name one payment",
        "UPDATE orders SET paid_attempt = %(quota.attempt)s,"
        " paid_payment = %(quota.payment)s WHERE order_id = %(excess.order)s",
        "paid_order_has_its_capture",
    ),
    corruption(
        "a denial that was none",
        "UPDATE captures SET denied_at = now() WHERE payment = %(quota.payment)s",
        "no_money_lies_about",
        "paid_order_has_its_capture",
    ),
    corruption(
        "a denial is hidden",
        "UPDATE captures SET denied_at = NULL WHERE payment = %(denied.payment)s",
        "no_money_lies_about",
    ),
    corruption(
        "a real payment calls itself a denial's mark",
        "UPDATE captures SET learned_by = 'denial',"
        " denied_at = now() WHERE payment = %(quota.payment)s",
        ENTRIES,
        "paid_order_has_its_capture",
    ),
    corruption(
        "a chargeback is moved to another order",
        "UPDATE chargebacks SET subject = %(quota.order)s WHERE payment = %(denied.payment)s",
        "chargeback_is_what_was_told_and_booked",
    ),
    corruption(
        "a payment is made of a chargeback that overtook it",
        "INSERT INTO captures (account_id, attempt_id, payment, amount, learned_by)"
        " SELECT account_id, attempt_id, payment, taken_back, 'question' FROM chargebacks"
        " WHERE payment = 'OVERTAKEN'",
        ENTRIES,
        "no_money_lies_about",
    ),
    corruption(
        "a payment before its attempt",
        "UPDATE captures SET captured_at = captured_at - interval"
        " '1 day' WHERE payment = %(quota.payment)s",
        "attempt_agrees_with_its_payments",
        ENTRIES,
    ),
    corruption(
        "denied before it was paid",
        "UPDATE captures SET denied_at = captured_at - interval"
        " '1 hour' WHERE payment = %(denied.payment)s",
        "attempt_agrees_with_its_payments",
    ),
    corruption(
        "a paid attempt waits",
        "UPDATE payment_attempts SET state = 'waiting', instructed_at = now(),"
        ' instructions = \'{"kind": "qr", "content": "q"}\' WHERE attempt_id = %(quota.attempt)s',
        "attempt_agrees_with_its_payments",
    ),
    corruption(
        "an unpaid attempt is paid",
        "UPDATE payment_attempts SET state = 'paid' WHERE attempt_id = %(placed.attempt)s",
        "attempt_agrees_with_its_payments",
    ),
    corruption(
        "a paid attempt is denied",
        "UPDATE payment_attempts SET state = 'denied' WHERE attempt_id = %(quota.attempt)s",
        "attempt_agrees_with_its_payments",
    ),
    corruption(
        "a denied attempt is paid",
        "UPDATE payment_attempts SET state = 'paid' WHERE attempt_id = %(denied.attempt)s",
        "attempt_agrees_with_its_payments",
    ),
    corruption(
        "an attempt has the reference of another",
        "UPDATE payment_attempts SET reference = (SELECT"
        " reference FROM payment_attempts WHERE attempt_id = %(quota.attempt)s) WHERE attempt_id ="
        " %(placed.attempt)s",
        "reference_names_its_attempt",
    ),
    corruption(
        "an attempt is for another sum",
        "UPDATE payment_attempts SET amount = 1 WHERE attempt_id = %(placed.attempt)s",
        "attempts_are_of_orders",
    ),
    corruption(
        "an attempt is for another order",
        "UPDATE payment_attempts SET subject = %(opening.order)s"
        " WHERE attempt_id = %(quota.attempt)s",
        ENTRIES,
        "paid_order_has_its_capture",
        "attempts_are_of_orders",
    ),
    corruption(
        "an attempt for no order",
        "UPDATE payment_attempts SET subject = gen_random_uuid() WHERE attempt_id = %(lost.lost)s",
        "attempts_are_of_orders",
    ),
    corruption(
        "an order cannot be paid",
        "DELETE FROM payment_attempts WHERE attempt_id = %(placed.attempt)s",
        "attempts_are_of_orders",
    ),
    corruption(
        "an attempt can be paid for ever",
        "UPDATE payment_attempts SET expires_at = 'infinity' WHERE attempt_id = %(placed.attempt)s",
        "attempts_are_of_orders",
    ),
    corruption(
        "nobody opens an attempt",
        "UPDATE payment_attempts SET leased_until = now() - interval"
        " '1 hour' WHERE attempt_id = %(opening.attempt)s",
        "work_is_done_in_time",
    ),
    corruption(
        "an attempt is leased for ever",
        "UPDATE payment_attempts SET leased_until = now() +"
        " interval '1 year' WHERE attempt_id = %(opening.attempt)s",
        "times_hide_no_work",
    ),
    corruption(
        "a payment that only news told is confirmed by nobody",
        "UPDATE captures SET captured_at = captured_at - interval '2 days', confirmed_at = NULL"
        " WHERE payment = %(quota.payment)s AND learned_by = 'notification'",
        "no_question_falls_silent",
    ),
    corruption(
        "a refund was reversed and nothing goes back",
        "UPDATE refunds SET reversed = 1000 WHERE refund_id = %(returned.refund)s",
        "no_money_lies_about",
    ),
    corruption(
        "a chargeback was won and is in no book",
        "UPDATE chargebacks SET won = posted WHERE payment = %(denied.payment)s",
        "no_money_lies_about",
    ),
    corruption(
        "nobody asks about an attempt",
        "UPDATE payment_attempts SET ask_at = now() - interval"
        " '2 hours' WHERE attempt_id = %(placed.attempt)s",
        "work_is_done_in_time",
    ),
    corruption(
        "an attempt is asked about next year",
        "UPDATE payment_attempts SET ask_at = now() +"
        " interval '1 year' WHERE attempt_id = %(placed.attempt)s",
        "times_hide_no_work",
    ),
    corruption(
        "an attempt is never asked about",
        "UPDATE payment_attempts SET ask_at = 'infinity' WHERE attempt_id = %(lost.lost)s",
        "times_hide_no_work",
    ),
    corruption(
        "a notification is forgotten",
        "UPDATE notification_inbox SET outcome = NULL",
        "no_notification_forgotten",
    ),
    corruption(
        "a notification waits for a dead worker",
        "INSERT INTO notification_inbox (provider,"
        " external_id, sent_on, body, received_at) VALUES ('bank', 'L1', current_date, '', now() -"
        " interval '1 hour'); INSERT INTO jobs (account_id, kind, handler, facts) VALUES"
        f" ({NIL}, 'notification_received', 'take_from_inbox', jsonb_build_object('external_id', 'L1', 'sent_on',"
        " current_date))",
        "no_notification_forgotten",
    ),
    corruption(
        "a job fails for hours",
        "INSERT INTO jobs (account_id, kind, handler, created_at, tries) VALUES"
        " (%(account)s, 'order_executed', 'tell_executed', now() - interval '3 hours', 40)",
        "no_job_stuck",
    ),
    corruption(
        "news of the bank says something else",
        "UPDATE notification_inbox SET body = '{\"x\": 1}' WHERE external_id = 'TOLD'",
        "news_of_the_bank_is_as_it_came",
    ),
    corruption(
        "news of the bank is let go before its time",
        "UPDATE notification_inbox SET body = '' WHERE external_id = 'TOLD'",
        "news_of_the_bank_is_as_it_came",
    ),
    corruption(
        "a round fails for hours",
        "INSERT INTO round_faults (account_id, round, subject, code, last_fault, first_at, try_at)"
        " VALUES (%(account)s, 'lapse_orders', 'x', 'fault', 'x', now() - interval '3 hours',"
        " now())",
        "no_round_fails_for_long",
    ),
    corruption(
        "a closed attempt can still be paid at the bank",
        "UPDATE payment_attempts SET cancel_at = now() - interval '2 hours', expires_at = now() -"
        " interval '2 hours', opened_at = now() - interval '3 hours' WHERE attempt_id ="
        " %(lost.lost)s",
        "work_is_done_in_time",
    ),
    corruption(
        "a closed attempt is taken back next year",
        "UPDATE payment_attempts SET cancel_at = now() + interval '1 year' WHERE attempt_id ="
        " %(lost.lost)s",
        "times_hide_no_work",
    ),
    corruption(
        "a QR is marked as taken back",
        "UPDATE payment_attempts SET cancel_at = 'infinity' WHERE state IN ('lost', 'expired', 'declined') AND instructions IS NOT NULL AND cancel_tries = 0",
        MARKS,
    ),
    corruption(
        "a QR that can be paid is marked as ended",
        "UPDATE payment_attempts SET cancel_at = 'infinity' WHERE state = 'waiting'",
        MARKS,
        TIMES,
    ),
    corruption(
        "a question was asked a million times",
        "UPDATE payment_attempts SET asked = 1000000 WHERE state = 'waiting'",
        MARKS,
    ),
    corruption(
        "an answer came to no question",
        "UPDATE payment_attempts SET asked = 0, answered_at = now() WHERE state = 'waiting'",
        MARKS,
    ),
    corruption(
        "what was told of a payment is not looked up",
        "UPDATE chargebacks SET returned_told = returned + 5000, look_at = 'infinity'",
        unseen="Only the provider knows: its record is compared each night.",
    ),
    corruption(
        "float_balances.asked_at is 'infinity'",
        "INSERT INTO float_balances (provider, rupiah, asked_at) VALUES ('bank', 1, 'infinity')",
        TIMES_OF_NOBODY,
    ),
    corruption(
        "a transfer that was sent is never asked about",
        "UPDATE transfers SET state = 'sent', settled_at = NULL, provider_transfer_no = NULL,"
        " try_at = now() - interval '1 hour' WHERE state = 'settled'",
        LATE,
    ),
    corruption(
        "a transfer is marked as planned again",
        "UPDATE transfers SET state = 'planned' WHERE state = 'refused'",
        "transfer_is_what_it_carries",
    ),
    corruption(
        "a buyer's account is marked as ended",
        "UPDATE payees SET ended_at = now() WHERE payee_id IN (SELECT payee_id FROM transfers WHERE state = 'settled');"
        " UPDATE payees SET named_at = now() - interval '1 day' WHERE ended_at <> now()",
        MARKS,
    ),
    corruption(
        "a refund waits for an account, and nothing says since when",
        "UPDATE refunds SET wanted_at = NULL WHERE way = 'claim' AND state = 'requested'",
        "refund_takes_its_way",
    ),
    corruption(
        "a buyer is said to have kept a refund waiting for years",
        "UPDATE refunds SET waited_seconds = 100000000 WHERE way = 'claim'",
        "refund_takes_its_way",
    ),
    corruption(
        "money for lateness is owed no more",
        "DELETE FROM compensations",
        "entries_are_what_their_causes_make",
    ),
    corruption(
        "money for lateness is marked as sent",
        "UPDATE compensations SET transfer_id = (SELECT transfer_id FROM transfers WHERE state = 'refused')",
        "entries_are_what_their_causes_make",
        "transfer_is_what_it_carries",
    ),
    corruption(
        "a payment is marked as confirmed by a record that has it not",
        "UPDATE captures SET recorded_at = now() WHERE recorded_at IS NULL AND learned_by = 'notification'",
        MARKS,
    ),
    corruption(
        "a refund is marked as confirmed while no record was compared",
        "UPDATE refunds SET recorded_at = now() - interval '5 hours' WHERE recorded_at IS NULL AND state = 'settled'",
        MARKS,
    ),
    corruption(
        "news of a payment is marked as known",
        _NEWS % "known",
        MARKS_OF_NOBODY,
    ),
    corruption(
        "news of a payment is marked as kept in suspense",
        _NEWS % "suspended_reference_unknown",
        MARKS_OF_NOBODY,
    ),
    corruption(
        "a rail is out and nobody took it out",
        "INSERT INTO rails_out (rail, reason) VALUES ('bank', 'x')",
        "rail_was_taken_out_by_an_operator",
    ),
    corruption(
        "the account of a buyer is of nobody",
        "UPDATE payees SET holder = '' WHERE ended_at IS NULL",
        "account_of_a_payee_is_current_once",
    ),
)
