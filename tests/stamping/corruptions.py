"""Corruptions of rows of stampings, and the invariants that must find each."""

from tests.support.corrupting import ENTRIES, corruption

CORRUPTIONS = (
    corruption(
        "a delivered stamping is reserved",
        "UPDATE stampings SET state = 'reserved',"
        " sha256_stamped = NULL, delivered_at = NULL, leased_until = now() WHERE stamping_id ="
        " %(one.stamping)s",
        "stamping_agrees_with_its_serials",
        "stamping_has_its_delta",
        ENTRIES,
    ),
    corruption(
        "a delivered stamping failed",
        "UPDATE stampings SET state = 'failed', sha256_stamped ="
        " NULL, delivered_at = NULL, refused = 'x' WHERE stamping_id = %(one.stamping)s",
        "stamping_agrees_with_its_serials",
        ENTRIES,
    ),
    corruption(
        "a failed stamping is delivered",
        "UPDATE stampings SET state = 'delivered', sha256_stamped"
        " = '', delivered_at = now(), refused = NULL WHERE stamping_id = %(failed.stamping)s",
        "stamping_has_its_delta",
        "stamping_agrees_with_its_serials",
        ENTRIES,
    ),
    corruption(
        "a stamping is delivered without its money",
        "UPDATE stampings SET state = 'delivered',"
        " sha256_stamped = sha256(''), delivered_at = now() WHERE stamping_id = %(begun.0)s",
        ENTRIES,
        "stamping_has_its_delta",
    ),
    corruption(
        "a stamping is gone",
        "DELETE FROM stampings WHERE stamping_id = %(one.stamping)s",
        "serial_is_on_one_document",
        "stamping_agrees_with_its_hold",
    ),
    corruption(
        "a stamping has more stamps",
        "UPDATE stampings SET quantity = 2, placements = placements"
        " || placements WHERE stamping_id = %(one.stamping)s",
        "stamping_agrees_with_its_serials",
        ENTRIES,
    ),
    corruption(
        "a stamping is of another order",
        "UPDATE stampings SET order_id = %(begun.order)s,"
        " position = 3 WHERE stamping_id = %(one.stamping)s",
        "stamping_is_of_its_order",
    ),
    corruption(
        "a stamping is of no order",
        "UPDATE stampings SET order_id = gen_random_uuid() WHERE stamping_id = %(partly.0)s",
        "stamping_belongs_to_an_order_or_a_balance",
    ),
    corruption(
        "a document of an order is gone",
        "DELETE FROM stampings WHERE stamping_id = %(unpaid.0)s",
        "stamping_is_of_its_order",
    ),
    corruption(
        "a waiting document was dropped",
        "UPDATE stampings SET state = 'dropped' WHERE stamping_id = %(unpaid.0)s",
        "stamping_is_of_its_order",
    ),
    corruption(
        "a dropped document waits",
        "UPDATE stampings SET state = 'waiting' WHERE stamping_id = %(dropped.0)s",
        "stamping_is_of_its_order",
    ),
    corruption(
        "a reserved document waits again",
        "UPDATE stampings SET state = 'waiting', due_at = NULL WHERE stamping_id = %(begun.0)s",
        "paid_documents_are_taken_up",
        "stamping_agrees_with_its_serials",
    ),
    corruption(
        "a stamping is of an unknown document",
        "UPDATE stampings SET sha256_original = sha256('x') WHERE stamping_id = %(one.stamping)s",
        "stamping_belongs_to_an_order_or_a_balance",
    ),
    corruption(
        "a stamping is due next year",
        "UPDATE stampings SET due_at = now() + interval '1 year'"
        " WHERE stamping_id = %(reserved.stamping)s",
        "stamping_belongs_to_an_order_or_a_balance",
    ),
    corruption(
        "a document of an order is due next year",
        "UPDATE stampings SET due_at = now() + interval '1 year' WHERE stamping_id = %(begun.0)s",
        "stamping_belongs_to_an_order_or_a_balance",
    ),
    corruption(
        "a stamping is past due",
        "UPDATE stampings SET due_at = now() - interval '1 hour',"
        " requested_at = now() - interval '2 hours' WHERE stamping_id = %(reserved.stamping)s",
        "work_is_done_in_time",
    ),
    corruption(
        "nobody seals a stamping",
        "UPDATE stampings SET leased_until = now() - interval '1 hour'"
        " WHERE stamping_id = %(reserved.stamping)s",
        "work_is_done_in_time",
    ),
    corruption(
        "a stamping is leased for ever",
        "UPDATE stampings SET leased_until = now() + interval"
        " '1 year' WHERE stamping_id = %(reserved.stamping)s",
        "stamping_belongs_to_an_order_or_a_balance",
    ),
    corruption(
        "a stamping was delivered before it was asked for",
        "UPDATE stampings SET requested_at ="
        " delivered_at + interval '1 minute' WHERE stamping_id = %(one.stamping)s",
        "stamping_belongs_to_an_order_or_a_balance",
    ),
    corruption(
        "a delta is gone",
        "DELETE FROM deltas WHERE stamping_id = %(one.stamping)s",
        "stamping_has_its_delta",
    ),
    corruption(
        "a delta is empty",
        "ALTER TABLE deltas DROP CONSTRAINT delta_is_not_empty; UPDATE deltas"
        " SET delta = '', sha256 = sha256('') WHERE stamping_id = %(one.stamping)s",
        "stamping_has_its_delta",
    ),
    corruption(
        "a delta has another byte",
        "UPDATE deltas SET delta = set_byte(delta, 100, 255 - get_byte(delta, 100))"
        " WHERE stamping_id = %(one.stamping)s",
        "delta_is_what_was_delivered",
    ),
    corruption(
        "a delta has another hash",
        "UPDATE deltas SET sha256 = sha256('x') WHERE stamping_id = %(one.stamping)s",
        "delta_is_what_was_delivered",
    ),
    corruption(
        "a document has the delta of another",
        "UPDATE deltas d SET delta = o.delta, sha256 = o.sha256 FROM deltas o WHERE"
        " o.stamping_id = %(two.stamping)s AND d.stamping_id = %(one.stamping)s",
        "delta_names_its_serials",
    ),
    corruption(
        "a delta of nothing",
        "INSERT INTO deltas VALUES (%(account)s, %(failed.stamping)s, sha256('x'), 'x')",
        "stamping_has_its_delta",
    ),
    corruption(
        "a member used fewer stamps than it asked for",
        "UPDATE member_uses SET returned = stamps",
        "member_use_is_what_was_asked",
    ),
    corruption(
        "a member used stamps of nothing",
        "INSERT INTO member_uses (account_id, use_id, member_id, stamps, used_at)"
        " VALUES (%(organization)s, gen_random_uuid(), %(account)s, 1, now())",
        "member_use_is_what_was_asked",
    ),
    corruption(
        "a key of a stamping is forgotten",
        "DELETE FROM stamping_keys WHERE %(one.stamping)s = ANY (stampings)",
        "stamping_is_found_by_its_key",
    ),
    corruption(
        "a key stands for the stamping of another",
        "UPDATE stamping_keys SET stampings = ARRAY[%(two.stamping)s::uuid]"
        " WHERE %(one.stamping)s = ANY (stampings)",
        "stamping_is_found_by_its_key",
    ),
    corruption(
        "a key asks for another document",
        "UPDATE stamping_keys SET request_hash = sha256('x')"
        " WHERE %(one.stamping)s = ANY (stampings)",
        "key_stands_for_its_stampings",
    ),
    corruption(
        "a document is empty",
        "UPDATE documents SET bytes = 0",
        "stamping_belongs_to_an_order_or_a_balance",
    ),
    corruption(
        "a stamping has no lease",
        "UPDATE stampings SET leased_until = NULL WHERE state = 'reserved'",
        "work_is_done_in_time",
    ),
)
