"""Corruptions of rows of suspense, and the invariants that must find each."""

from tests.support.corrupting import ENTRIES, LATE, MARKS_OF_NOBODY, corruption

CORRUPTIONS = (
    corruption(
        "news in suspense says something else",
        "UPDATE suspense_items SET told = 'x' WHERE item_id = %(suspended.item)s",
        "suspended_news_is_as_it_came",
    ),
    corruption(
        "news in suspense is let go while it is open",
        "UPDATE suspense_items SET told = '' WHERE item_id = %(suspended.item)s",
        "suspended_news_is_as_it_came",
    ),
    corruption(
        "an item that an operator resolved is gone",
        "DELETE FROM suspense_items WHERE item_id = %(dismissed.item)s",
        "suspense_ends_by_somebody",
    ),
    corruption(
        "an item that an operator resolved is open again",
        "UPDATE suspense_items SET state = 'open', resolved_at = NULL, resolution = NULL,"
        " resolved_by = NULL WHERE item_id = %(dismissed.item)s",
        "suspense_ends_by_somebody",
    ),
    corruption(
        "suspended money is gone",
        "DELETE FROM suspense_items WHERE item_id = %(suspended.item)s",
        ENTRIES,
    ),
    corruption(
        "suspended money is less",
        "UPDATE suspense_items SET amount = 1, booked = 1 WHERE item_id = %(suspended.item)s",
        ENTRIES,
    ),
    corruption(
        "suspended money is not booked",
        "UPDATE suspense_items SET booked = 0 WHERE item_id = %(suspended.item)s",
        ENTRIES,
    ),
    corruption(
        "suspended money went away quietly",
        "UPDATE suspense_items SET state = 'resolved', resolution = 'returned', resolved_at ="
        " now(), resolved_by = 'operator' WHERE item_id = %(suspended.item)s",
        ENTRIES,
        "suspense_ends_by_somebody",
    ),
    corruption(
        "suspended money that was sent back is here again",
        "UPDATE suspense_items SET state = 'open', resolution = NULL, resolved_at = NULL,"
        " resolved_by = NULL WHERE item_id = %(sent_back.item)s",
        ENTRIES,
    ),
    corruption(
        "nobody looks at suspense",
        "UPDATE suspense_items SET due_at = now() - interval '1 hour' WHERE state = 'open'",
        "work_is_done_in_time",
    ),
    corruption(
        "suspense is due next year",
        "UPDATE suspense_items SET due_at = now() + interval '1 year' WHERE state = 'open'",
        "times_of_nobody_hide_no_work",
    ),
    corruption(
        "a difference that was written off was smaller",
        "UPDATE suspense_items SET difference = -1 WHERE item_id = %(lost.item)s",
        ENTRIES,
    ),
    corruption(
        "a fee was a loss that two people wrote off",
        "UPDATE suspense_items SET resolution = 'written_off' WHERE item_id = %(fee.item)s",
        ENTRIES,
        "suspense_ends_by_somebody",
    ),
    corruption(
        "a difference is dismissed",
        "ALTER TABLE suspense_items DROP CONSTRAINT suspended_money_is_not_dismissed;"
        " UPDATE suspense_items SET state = 'resolved', resolution = 'dismissed', resolved_at = now(),"
        " resolved_by = 'payments' WHERE item_id = %(open_break.item)s",
        "suspense_ends_by_somebody",
    ),
    corruption(
        "a decision about suspense is not in the trail",
        "DELETE FROM audit_events WHERE action = 'suspense_dismissed'",
        "suspense_ends_by_somebody",
    ),
    corruption(
        "an item in suspense is marked as explained",
        "UPDATE suspense_items SET state = 'resolved', resolution = 'explained', resolved_by = 'operator:x', resolved_at = now() WHERE state = 'open'",
        "suspense_ends_by_somebody",
    ),
    corruption(
        "a break is marked as a fee, and nothing is booked",
        "UPDATE suspense_items SET state = 'resolved', resolution = 'fee', resolved_by = 'payments', resolved_at = now(),"
        " note = 'agreed' WHERE item_id = %(open_break.item)s",
        "entries_are_what_their_causes_make",
    ),
    corruption(
        "an item in suspense is nobody's",
        "UPDATE suspense_items SET owner = '' WHERE state = 'open'",
        MARKS_OF_NOBODY,
    ),
    corruption(
        "an item in suspense lies past its due time",
        "UPDATE suspense_items SET due_at = now() - interval '1 hour' WHERE state = 'open'",
        LATE,
    ),
)
