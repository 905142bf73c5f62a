"""Corruptions of rows of the waiting room, and the invariants that must find each."""

from tests.support.corrupting import corruption

FORWARD = "lines_only_go_forward"
TURNS = "turns_follow_the_line"
_TURN = (
    "INSERT INTO waiting_room_turns (line_id, number, holder, taken_at, admitted_at, shown_low,"
    " shown_high, waited, used_by, ended_at) SELECT line_id, {0}, holder, {1}, admitted_at,"
    " shown_low, shown_high, waited, {2}, {3} FROM waiting_room_turns WHERE number = %(used)s"
)
PLACES = "places_are_numbers_that_were_given"
USED = "turns_are_used_once"

CORRUPTIONS = (
    corruption(
        "somebody came in who was not called",
        _TURN.format("5", "taken_at", "NULL", "NULL")
        + "; UPDATE waiting_room_lines SET serving = 4",
        TURNS,
        FORWARD,
    ),
    corruption(
        "somebody came in with a number that nobody was given",
        _TURN.format("1000", "taken_at", "NULL", "NULL"),
        TURNS,
    ),
    corruption(
        "a turn of a line that never was",
        "UPDATE waiting_room_turns SET line_id = gen_random_uuid() WHERE number = %(unused)s",
        TURNS,
    ),
    corruption(
        "a turn before its place was taken",
        "UPDATE waiting_room_turns SET taken_at = admitted_at + interval '1 minute'"
        " WHERE number = %(unused)s",
        TURNS,
        PLACES,
    ),
    corruption(
        "a place from before there was the line",
        "UPDATE waiting_room_turns SET taken_at = (SELECT created_at FROM waiting_room_lines"
        " WHERE line_id = %(line)s)"
        " - interval '1 hour' WHERE number = %(unused)s",
        TURNS,
    ),
    corruption(
        "a turn that begins tomorrow",
        "UPDATE waiting_room_turns SET admitted_at = now() + interval '1 day'"
        " WHERE number = %(unused)s",
        TURNS,
    ),
    corruption(
        "somebody waited less than nothing",
        "UPDATE waiting_room_turns SET waited = -1 WHERE number = %(unused)s",
        TURNS,
    ),
    corruption(
        "a range that ends before it begins",
        "UPDATE waiting_room_turns SET shown_low = 9, shown_high = 3 WHERE number = %(unused)s",
        TURNS,
    ),
    corruption(
        "a used turn has no end",
        "UPDATE waiting_room_turns SET ended_at = NULL WHERE number = %(used)s",
        USED,
    ),
    corruption(
        "nobody used a used turn",
        "UPDATE waiting_room_turns SET used_by = NULL WHERE number = %(used)s",
        USED,
    ),
    corruption(
        "a turn was used before it began",
        "UPDATE waiting_room_turns SET ended_at = admitted_at - interval '1 hour'"
        " WHERE number = %(used)s",
        USED,
    ),
    corruption(
        "a turn was used tomorrow",
        "UPDATE waiting_room_turns SET ended_at = now() + interval '1 day' WHERE number = %(used)s",
        USED,
    ),
    corruption(
        "an account has used two turns it waited for at once",
        "UPDATE waiting_room_turns SET used_by = (SELECT used_by FROM waiting_room_turns WHERE"
        " number = %(used)s), ended_at = now() WHERE number = %(unused)s",
        "one_turn_for_one_account",
    ),
    corruption(
        "an account has used the turn of a place it took before it used one",
        _TURN.format("3", "ended_at - interval '1 second'", "used_by", "ended_at + interval '1 s'"),
        "one_turn_for_one_account",
    ),
    corruption(
        "an account keeps a number that nobody was given",
        "UPDATE waiting_room_places SET number = 1000 WHERE account_id = %(other)s",
        PLACES,
    ),
    corruption(
        "an account keeps a place in no line",
        "UPDATE waiting_room_places SET line_id = gen_random_uuid() WHERE account_id = %(other)s",
        PLACES,
    ),
    corruption(
        "an account keeps another's number",
        "UPDATE waiting_room_places SET number = %(used)s WHERE account_id = %(other)s",
        PLACES,
    ),
    corruption(
        "an account keeps a place of tomorrow",
        "UPDATE waiting_room_places SET taken_at = now() + interval '1 day'"
        " WHERE account_id = %(other)s",
        PLACES,
    ),
    corruption(
        "the holder of a kept place is another",
        "UPDATE waiting_room_places SET holder = decode(repeat('00', 16), 'hex')"
        " WHERE number = %(unused)s",
        PLACES,
    ),
    corruption(
        "a line calls a number a second time",
        "UPDATE waiting_room_lines SET serving = serving - 1 WHERE line_id = %(line)s",
        FORWARD,
    ),
    corruption(
        "a line gives a number a second time",
        "UPDATE waiting_room_lines SET next_number = next_number - 1, serving = serving - 1"
        " WHERE line_id = %(line)s",
        FORWARD,
    ),
    corruption(
        "a line called fewer than before",
        "INSERT INTO waiting_room_samples (line_id, at, serving, next_number, admitted, inside, rate,"
        " is_engaged, is_paused, refused) SELECT line_id, at + interval '1 second', serving - 1,"
        " next_number, admitted, inside, rate, is_engaged, is_paused, refused FROM waiting_room_samples"
        " WHERE line_id = %(line)s AND serving > 0 ORDER BY at DESC LIMIT 1",
        FORWARD,
    ),
    corruption(
        "a line had called a number that nobody was given",
        "UPDATE waiting_room_samples SET next_number = 2 WHERE at = (SELECT max(at) FROM"
        " waiting_room_samples)",
        FORWARD,
    ),
    corruption(
        "a sample of a line that never was",
        "UPDATE waiting_room_samples SET line_id = gen_random_uuid()",
        FORWARD,
    ),
)
