"""Corruptions of rows of draws, and the invariants that must find each."""

from tests.support.corrupting import NIL, corruption

_NEW_ENTRY = "decode(repeat('ab', 16), 'hex')"
_ENTRY_OF = (
    "INSERT INTO waiting_room_entries (line_id, entry, entered_at) SELECT line_id, {0}, {1} FROM"
)
DRAWS = "draws_are_of_all_entries"
DRAWN = "drawn_numbers_are_all_of_a_draw"
ANNOUNCED = "draws_follow_their_announcement"
OPENED = "lines_open_by_their_draw"

CORRUPTIONS = (
    corruption(
        "an entry after the list was closed",
        f"{_ENTRY_OF.format(_NEW_ENTRY, 'now()')} waiting_room_draws",
        "entries_are_in_time",
        DRAWS,
    ),
    corruption(
        "an entry smuggled in with a time from before",
        f"{_ENTRY_OF.format(_NEW_ENTRY, 'announced_at')} waiting_room_draws",
        DRAWS,
    ),
    corruption(
        "an entry from before the announcement",
        "UPDATE waiting_room_entries SET entered_at = entered_at - interval '1 hour'",
        "entries_are_in_time",
    ),
    corruption(
        "an entry in a line that draws nothing",
        "INSERT INTO waiting_room_entries (line_id, entry, entered_at) VALUES"
        f" ({NIL}, {_NEW_ENTRY}, now())",
        "entries_are_in_time",
    ),
    corruption(
        "somebody was left out of a draw",
        "DELETE FROM waiting_room_entries WHERE entry = (SELECT min(entry) FROM waiting_room_entries)",
        DRAWS,
        DRAWN,
    ),
    corruption(
        "a closing says another count than was signed",
        "UPDATE waiting_room_draws SET count = count - 1",
        DRAWS,
        DRAWN,
    ),
    corruption(
        "the record of a draw is that of another line",
        """UPDATE waiting_room_draws SET record = replace(record, '\\"line\\":\\"drawn', '\\"line\\":\\"other')""",
        ANNOUNCED,
    ),
    corruption(
        "the result of a draw is gone",
        "UPDATE waiting_room_draws SET record = jsonb_set(record::jsonb, '{parts}',"
        " (record::jsonb -> 'parts') - 2)::text",
        ANNOUNCED,
    ),
    corruption(
        "a second draw that replaces none",
        "INSERT INTO waiting_room_draws (line_id, attempt, record, count, announced_at, drawn_at, opened_at)"
        " SELECT line_id, 2, record, count, announced_at, drawn_at, opened_at FROM waiting_room_draws",
        ANNOUNCED,
    ),
    corruption(
        "a draw of a line that never was",
        "UPDATE waiting_room_draws SET line_id = gen_random_uuid()",
        ANNOUNCED,
        DRAWN,
        OPENED,
        "entries_are_in_time",
    ),
    corruption(
        "somebody's number was taken away",
        "DELETE FROM waiting_room_drawn WHERE number = 3",
        DRAWN,
    ),
    corruption(
        "a number above all that were drawn",
        "UPDATE waiting_room_drawn SET number = 99 WHERE number = 7",
        DRAWN,
    ),
    corruption(
        "a number for who was in no draw",
        f"UPDATE waiting_room_drawn SET entry = {_NEW_ENTRY} WHERE number = 1",
        DRAWN,
    ),
    corruption(
        "a number before anything was drawn",
        "UPDATE waiting_room_draws SET drawn_at = NULL, opened_at = NULL",
        DRAWN,
        OPENED,
    ),
    corruption(
        "who came later has a number that was drawn",
        "UPDATE waiting_room_lines SET next_number = 5, serving = 0 WHERE line_id = %(draw)s",
        OPENED,
    ),
    corruption(
        "a line opened before its time",
        "UPDATE waiting_room_draws SET opened_at = drawn_at - interval '2 hours'",
        OPENED,
    ),
    corruption(
        "a line opened without its draw",
        "UPDATE waiting_room_draws SET opened_at = NULL",
        OPENED,
    ),
)
