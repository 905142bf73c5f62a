"""Corruptions of rows of stamps, and the invariants that must find each."""

from tests.support.corrupting import BOOKS, ENTRIES, corruption

CORRUPTIONS = (
    corruption(
        "a lot is larger",
        "UPDATE stamp_lots SET issued = issued + 5 WHERE lot_id = %(quota.order)s",
        "orders_issue_what_was_paid",
        "stamp_books_agree_with_lots",
    ),
    corruption(
        "a lot is overdrawn",
        "ALTER TABLE stamp_lots DROP CONSTRAINT lot_is_not_overdrawn; UPDATE"
        " stamp_lots SET affixed = affixed + 50 WHERE lot_id = %(quota.order)s",
        "lot_is_not_overdrawn",
        "lots_agree_with_serials",
    ),
    corruption(
        "a lot is gone",
        "DELETE FROM stamp_lots WHERE lot_id = %(excess.order)s",
        "orders_issue_what_was_paid",
        ENTRIES,
    ),
    corruption(
        "a lot of nothing",
        "INSERT INTO stamp_lots (account_id, lot_id, book, unit_price,"
        " service_fee, issued) VALUES (%(account)s, gen_random_uuid(), 'stamps_available', 10000,"
        " 500, 3)",
        "orders_issue_what_was_paid",
        "stamp_books_agree_with_lots",
    ),
    corruption(
        "a lot of an unpaid order",
        "INSERT INTO stamp_lots (account_id, lot_id, book, unit_price,"
        " service_fee, issued) VALUES (%(account)s, %(placed.order)s, 'stamps_available', 10000,"
        " 500, 2)",
        "orders_issue_what_was_paid",
        ENTRIES,
    ),
    corruption(
        "a lot says more is affixed",
        "UPDATE stamp_lots SET affixed = affixed + 1 WHERE lot_id = %(batches.order)s",
        "lots_agree_with_serials",
        "stamp_books_agree_with_lots",
    ),
    corruption(
        "a lot says less is held",
        "UPDATE stamp_lots SET held = held - 1 WHERE lot_id = %(quota.order)s",
        "lots_agree_with_serials",
    ),
    corruption(
        "a lot says more came back",
        "UPDATE stamp_lots SET returned = returned + 1 WHERE lot_id = %(batches.order)s",
        "returned_stamps_are_explained",
        BOOKS,
    ),
    corruption(
        "a lot has another price",
        "UPDATE stamp_lots SET unit_price = 1 WHERE lot_id = %(quota.order)s",
        "orders_issue_what_was_paid",
    ),
    corruption(
        "a lot is in another book",
        "UPDATE stamp_lots SET book = 'stamps_ordered' WHERE lot_id = %(excess.order)s",
        "orders_issue_what_was_paid",
    ),
    corruption(
        "a lot is older than its payment",
        "UPDATE stamp_lots SET issued_at = issued_at - interval"
        " '1 day' WHERE lot_id = %(quota.order)s",
        "orders_issue_what_was_paid",
        ENTRIES,
    ),
    corruption(
        "a stamp is gone",
        "DELETE FROM stamps WHERE stamping_id = %(one.stamping)s",
        "stamping_agrees_with_its_serials",
        "lots_agree_with_serials",
        "directory_knows_only_stamps",
    ),
    corruption(
        "an affixed stamp is free again",
        "UPDATE stamps SET state = 'void', voided_at = now(),"
        " affixed_at = NULL WHERE stamping_id = %(one.stamping)s",
        "stamping_agrees_with_its_serials",
        "serial_directory_agrees",
    ),
    corruption(
        "an affixed stamp is free again, and its lot says so",
        "UPDATE stamps SET state = 'void',"
        " voided_at = now(), affixed_at = NULL WHERE stamping_id = %(one.stamping)s; UPDATE"
        " stamp_lots SET affixed = affixed - 1 WHERE lot_id = %(quota.order)s",
        "stamping_agrees_with_its_serials",
        "stamp_books_agree_with_lots",
    ),
    corruption(
        "a void stamp is affixed",
        "UPDATE stamps SET state = 'affixed', affixed_at = now(),"
        " voided_at = NULL WHERE stamping_id = %(failed.stamping)s",
        "stamping_agrees_with_its_serials",
        "lots_agree_with_serials",
    ),
    corruption(
        "a reserved stamp is affixed",
        "UPDATE stamps SET state = 'affixed', affixed_at = now()"
        " WHERE stamping_id = %(reserved.stamping)s",
        "stamping_agrees_with_its_serials",
    ),
    corruption(
        "a serial is on two documents",
        "INSERT INTO stamps SELECT %(other)s, serial, stamping_id,"
        " lot_id, position, state, reserved_at, affixed_at, voided_at FROM stamps WHERE stamping_id"
        " = %(one.stamping)s",
        "serial_given_out_once",
        "serial_is_on_one_document",
    ),
    corruption(
        "a serial is misspelt",
        "UPDATE stamps SET serial = overlay(serial PLACING CASE"
        " substr(serial, 15, 1) WHEN '7' THEN '8' ELSE '7' END FROM 15) WHERE stamping_id ="
        " %(failed.stamping)s",
        "serial_given_out_once",
    ),
    corruption(
        "a stamp is on another document",
        "UPDATE stamps SET stamping_id = %(failed.stamping)s,"
        " position = 2 WHERE stamping_id = %(one.stamping)s",
        "stamping_agrees_with_its_serials",
    ),
    corruption(
        "a stamp on no document",
        "UPDATE stamps SET stamping_id = gen_random_uuid() WHERE stamping_id = %(one.stamping)s",
        "serial_is_on_one_document",
        "stamping_agrees_with_its_serials",
    ),
    corruption(
        "a stamp of another lot",
        "UPDATE stamps SET lot_id = %(excess.order)s WHERE stamping_id = %(one.stamping)s",
        "lots_agree_with_serials",
    ),
    corruption(
        "a stamp has another place",
        "UPDATE stamps SET position = 7 WHERE stamping_id = %(one.stamping)s",
        "stamping_agrees_with_its_serials",
    ),
    corruption(
        "a stamp was affixed at another time",
        "UPDATE stamps SET affixed_at = affixed_at +"
        " interval '1 hour' WHERE stamping_id = %(one.stamping)s",
        "stamping_agrees_with_its_serials",
    ),
    corruption(
        "a serial is missing in the directory",
        "DELETE FROM serial_directory WHERE serial IN"
        " (SELECT serial FROM stamps WHERE stamping_id = %(one.stamping)s)",
        "serial_directory_agrees",
    ),
    corruption(
        "a serial is somebody else's in the directory",
        "UPDATE serial_directory SET account_id ="
        " %(other)s WHERE serial IN (SELECT serial FROM stamps WHERE stamping_id ="
        " %(one.stamping)s)",
        "serial_directory_agrees",
        "directory_knows_only_stamps",
    ),
    corruption(
        "the directory knows a serial nobody has",
        "INSERT INTO serial_directory VALUES ('0123456789ABCDEFGHJKMN', %(account)s)",
        "directory_knows_only_stamps",
    ),
    corruption(
        "the directory knows a serial that is void",
        "INSERT INTO serial_directory SELECT serial,"
        " account_id FROM stamps WHERE stamping_id = %(failed.stamping)s",
        "serial_directory_agrees",
        "directory_knows_only_stamps",
    ),
    corruption(
        "issuing was stopped by nobody",
        "UPDATE issuing SET is_open = false, reason = 'x'",
        "issuing_was_changed_by_an_operator",
    ),
    corruption(
        "there is no row of issuing", "DELETE FROM issuing", "issuing_was_changed_by_an_operator"
    ),
    corruption(
        "an operator's act is gone",
        "DELETE FROM audit_events WHERE action = 'issuing_opened'",
        "issuing_was_changed_by_an_operator",
    ),
    corruption(
        "a serial is in no directory",
        "DELETE FROM serial_directory WHERE serial IN (SELECT serial FROM stamps WHERE state = 'affixed')",
        "serial_directory_agrees",
    ),
)
