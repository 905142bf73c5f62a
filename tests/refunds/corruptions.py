"""Corruptions of rows of refunds, and the invariants that must find each."""

from tests.support.corrupting import BOOKS, ENTRIES, corruption, entry

_OF_PARTIAL = " WHERE payment = %(partial.payment)s"

CORRUPTIONS = (
    corruption(
        "a capture's job is lost",
        "DELETE FROM jobs WHERE kind = 'payment_captured'",
        "no_money_lies_about",
    ),
    corruption(
        "a refund is larger",
        "UPDATE refunds SET amount = amount + 10500 WHERE refund_id = %(asked.refund)s",
        "refund_is_of_its_cause",
        ENTRIES,
        BOOKS,
    ),
    corruption(
        "a settled refund is smaller",
        "UPDATE refunds SET amount = 1 WHERE refund_id = %(returned.refund)s",
        "refund_is_of_its_cause",
        ENTRIES,
        BOOKS,
    ),
    corruption(
        "a refund is gone",
        "DELETE FROM refunds WHERE refund_id = %(asked.refund)s",
        ENTRIES,
        "order_stands_where_its_refunds_do",
        "money_in_flight_is_explained",
    ),
    corruption(
        "a refund nobody owes",
        "INSERT INTO refunds (account_id, refund_id, cause_key, cause,"
        " order_id, attempt_id, payment, amount, refund_no, due_at) VALUES (%(account)s,"
        " gen_random_uuid(), 'double:x', 'double', %(quota.order)s, %(quota.attempt)s,"
        " %(quota.payment)s, 10500, 'RF1', now())",
        ENTRIES,
        "refund_is_of_its_cause",
    ),
    corruption(
        "a refund of another order",
        "UPDATE refunds SET order_id = %(quota.order)s WHERE refund_id = %(asked.refund)s",
        "refund_is_of_its_cause",
        ENTRIES,
    ),
    corruption(
        "a refund of another payment",
        "UPDATE refunds SET attempt_id = %(quota.attempt)s, payment"
        " = %(quota.payment)s WHERE refund_id = %(asked.refund)s",
        "refund_is_of_its_cause",
    ),
    corruption(
        "a refund has another cause",
        "UPDATE refunds SET cause = 'not_executed' WHERE refund_id = %(asked.refund)s",
        "refund_is_of_its_cause",
    ),
    corruption(
        "a refund has another key of its cause",
        "UPDATE refunds SET cause_key = 'asked:' ||"
        " gen_random_uuid() WHERE refund_id = %(asked.refund)s",
        "refund_is_of_its_cause",
    ),
    corruption(
        "a refund has another number",
        "UPDATE refunds SET refund_no = 'RF' || repeat('0', 52) WHERE refund_id = %(asked.refund)s",
        "refund_is_of_its_cause",
    ),
    corruption(
        "a lot owes a stamp that nobody took back",
        "UPDATE stamp_lots SET owed = 1 WHERE lot_id = %(quota.order)s",
        "lot_owes_what_is_lost",
    ),
    corruption(
        "a payment that is not back is closed as a refund",
        "UPDATE refunds SET recorded_at = now() WHERE refund_id = %(asked.refund)s",
        "closed_money_is_settled",
    ),
    corruption(
        "a refund gives back more stamps",
        "UPDATE refunds SET stamps = stamps + 1 WHERE refund_id = %(asked.refund)s",
        "refund_is_of_its_cause",
        "returned_stamps_are_explained",
    ),
    corruption(
        "a refund settled itself",
        "UPDATE refunds SET state = 'settled', settled_at = now(),"
        " provider_refund_no = 'B', tries = 1 WHERE refund_id = %(asked.refund)s",
        ENTRIES,
        BOOKS,
    ),
    corruption(
        "a settled refund is sent again",
        "UPDATE refunds SET state = 'sent', settled_at = NULL,"
        " provider_refund_no = NULL WHERE refund_id = %(returned.refund)s",
        ENTRIES,
        BOOKS,
    ),
    corruption(
        "a refund is void without a denial",
        "UPDATE refunds SET state = 'void' WHERE refund_id = %(asked.refund)s",
        "refund_times_are_possible",
        BOOKS,
    ),
    corruption(
        "a void refund is requested",
        "UPDATE refunds SET state = 'requested' WHERE refund_id = %(void.refund)s",
        ENTRIES,
        BOOKS,
    ),
    corruption(
        "a refund was never tried and is sent",
        "UPDATE refunds SET tries = 0 WHERE refund_id = %(sent.refund)s",
        "refund_times_are_possible",
    ),
    corruption(
        "a refund is due next year",
        "UPDATE refunds SET due_at = now() + interval '1 year' WHERE refund_id = %(asked.refund)s",
        "refund_times_are_possible",
    ),
    corruption(
        "a refund is due next month",
        "UPDATE refunds SET due_at = now() + interval '1 month' WHERE"
        " refund_id = %(not_executed.refund)s",
        "refund_times_are_possible",
    ),
    corruption(
        "a refund is tried next year",
        "UPDATE refunds SET try_at = now() + interval '1 year' WHERE refund_id = %(asked.refund)s",
        "refund_times_are_possible",
    ),
    corruption(
        "nobody tries a refund",
        "UPDATE refunds SET try_at = now() - interval '1 hour' WHERE refund_id = %(sent.refund)s",
        "no_refund_past_its_due_time_unnoticed",
    ),
    corruption(
        "a refund is past due and silent",
        "UPDATE refunds SET due_at = now() - interval '1 second' WHERE refund_id = %(sent.refund)s",
        "no_refund_past_its_due_time_unnoticed",
    ),
    corruption(
        "a refund is long past due and nobody is to see to it",
        "UPDATE refunds SET due_at = now() - interval '11 minutes', last_answer = '4057801 no',"
        " requested_at = now() - interval '11 minutes' WHERE refund_id = %(sent.refund)s",
        "no_refund_past_its_due_time_unnoticed",
    ),
    corruption(
        "an overdue refund has ended and its item has not",
        "UPDATE suspense_items SET reason = 'refund_overdue', item_key = 'refund_overdue:' ||"
        " (SELECT refund_no FROM refunds WHERE refund_id = %(returned.refund)s)"
        " WHERE item_id = %(suspended.item)s",
        "no_refund_past_its_due_time_unnoticed",
    ),
    corruption(
        "a refund was settled before it was asked for",
        "UPDATE refunds SET settled_at ="
        " requested_at - interval '1 hour' WHERE refund_id = %(returned.refund)s",
        "refund_times_are_possible",
        ENTRIES,
    ),
    corruption(
        "two refunds settled by one number",
        "UPDATE refunds SET provider_refund_no = 'SAME' WHERE state = 'settled'",
        "provider_refund_counts_once",
    ),
    corruption(
        "a refund of a denied payment goes out",
        "UPDATE refunds SET state = 'settled', settled_at"
        " = now(), provider_refund_no = 'B', tries = 1 WHERE refund_id = %(void.refund)s",
        ENTRIES,
        BOOKS,
    ),
    corruption(
        "the audit trail is thinned",
        "DELETE FROM audit_events WHERE action = 'refund_asked' AND"
        " subject = 'ord_' || lower(compact(%(asked.order)s))",
        "asked_refund_is_in_the_trail",
    ),
    corruption(
        "a key of a refund stands for that of another order",
        "UPDATE refund_keys SET request_hash = sha256('x')",
        "refund_key_stands_for_what_was_asked",
    ),
    corruption(
        "the trail speaks of a refund that was none",
        "INSERT INTO audit_events (account_id, actor,"
        " action, subject, facts) VALUES (%(account)s, 'account', 'refund_asked', 'ord_' ||"
        " lower(compact(%(quota.order)s)), '{\"stamps\": 1}')",
        "asked_refund_is_in_the_trail",
    ),
    corruption(
        "a chargeback is gone",
        "DELETE FROM chargebacks" + _OF_PARTIAL,
        ENTRIES,
        BOOKS,
        "captured_is_executed_refunded_or_in_flight",
    ),
    corruption(
        "more was taken back than is booked",
        "UPDATE chargebacks SET taken_back = taken_back + 1" + _OF_PARTIAL,
        "no_money_lies_about",
    ),
    corruption(
        "less was taken back than is booked",
        "UPDATE chargebacks SET taken_back = 1" + _OF_PARTIAL,
        "no_money_lies_about",
    ),
    corruption(
        "more was given back than is booked",
        "UPDATE chargebacks SET returned = returned + 1 WHERE payment = %(given_back.payment)s",
        "no_money_lies_about",
    ),
    corruption(
        "what was given back is booked higher",
        "UPDATE chargebacks SET returned = 5000, returned_posted = 5000"
        " WHERE payment = %(given_back.payment)s",
        BOOKS,
        "captured_is_executed_refunded_or_in_flight",
    ),
    corruption(
        "the entry of what was given back is gone",
        "DELETE FROM legs WHERE entry_id LIKE 'given_back:%%' AND account_id = %(account)s;"
        " DELETE FROM entries WHERE entry_id LIKE 'given_back:%%' AND account_id = %(account)s",
        BOOKS,
    ),
    corruption(
        "given back by nobody",
        entry("payment_given_back", "denied_loss", "bank_clearing", 4_000, "%(quota.order)s"),
        ENTRIES,
        BOOKS,
    ),
    corruption(
        "news that money went back is over without it",
        "UPDATE suspense_items SET reason = 'refunded_there', payment = %(quota.payment)s,"
        " reference = (SELECT reference FROM payment_attempts WHERE attempt_id ="
        " %(quota.attempt)s), resolved_at = now() WHERE item_id = %(dismissed.item)s",
        "news_of_money_given_back_ends_in_the_books",
    ),
    corruption(
        "nobody looks up what was given back",
        "UPDATE chargebacks SET look_at = now() - interval '1 day'"
        " WHERE payment = %(given_back.payment)s",
        "news_of_money_given_back_ends_in_the_books",
    ),
    corruption(
        "a chargeback is booked twice",
        "UPDATE chargebacks SET posted = posted * 2, taken_back = taken_back * 2" + _OF_PARTIAL,
        BOOKS,
    ),
    corruption(
        "a loss is invented",
        "UPDATE chargebacks SET lost = 4000" + _OF_PARTIAL,
        BOOKS,
    ),
    corruption(
        "a finding is forgotten",
        "UPDATE chargebacks SET findings = 0" + _OF_PARTIAL,
        "chargeback_is_what_was_told_and_booked",
    ),
    corruption(
        "the remainder of a stamp is larger",
        "UPDATE refunds SET amount = 20000 WHERE refund_id = %(partial.refund)s",
        ENTRIES,
        BOOKS,
    ),
    corruption(
        "a whole chargeback is said to be a part",
        "UPDATE captures SET denied_at = NULL WHERE payment = %(denied.payment)s",
        "no_money_lies_about",
    ),
    corruption(
        "an order forgets when its refunds are due",
        "UPDATE orders SET returning_due_at = NULL WHERE order_id = %(asked.order)s",
        "order_stands_where_its_refunds_do",
    ),
    corruption(
        "an order says its refunds are due next year",
        "UPDATE orders SET returning_due_at = now() + interval '1 year' WHERE order_id ="
        " %(asked.order)s",
        "order_stands_where_its_refunds_do",
    ),
    corruption(
        "a link is used by which nobody named an account",
        "INSERT INTO claim_links (account_id, link_id, refund_id, made_at, expires_at, state, ended_at) VALUES"
        " (%(account)s, gen_random_uuid(), %(asked.refund)s, now() - interval '3 hours', now(), 'used',"
        " now() - interval '2 hours')",
        "claim_link_is_used_once",
    ),
    corruption(
        "an account counts as named that nobody named",
        "INSERT INTO account_claims (account_id, claim_id, claim_key, request_hash, state, bank_code, account_no, typed,"
        " decided_at) VALUES (%(account)s, gen_random_uuid(), 'made up', 'x', 'named', '014', '1234567890', 'BUDI', now())",
        "account_was_named_by_its_buyer",
    ),
    corruption(
        "a refund is marked as sent",
        "UPDATE refunds SET state = 'sent' WHERE state = 'requested' AND way = 'provider'",
        "refund_times_are_possible",
    ),
    corruption(
        "a job that moves money is gone",
        "DELETE FROM jobs WHERE kind = 'payment_captured'",
        "no_money_lies_about",
    ),
)
