"""Invariants of the waiting room."""

from meterai.draw import ANNOUNCEMENT, LAST_ATTEMPT, LAST_KIND
from meterai.plumbing.db.invariants import AHEAD, Invariant, MailCause

_OF_DRAWS = (
    Invariant(
        "entries_are_in_time",
        "Every entry of a draw was made after the draw was announced and before its list was "
        "closed.",
        f"""
        SELECT e.line_id, e.entry, e.entered_at, l.opens_at FROM waiting_room_entries e
        LEFT JOIN waiting_room_lines l ON l.line_id = e.line_id
        LEFT JOIN waiting_room_draws d ON d.line_id = e.line_id AND d.attempt = 1
        WHERE l.line_id IS NULL OR d.line_id IS NULL OR (e.entered_at <= l.opens_at + interval '5 seconds') IS NOT TRUE
            OR e.entered_at < d.announced_at - interval '5 seconds' OR e.entered_at > now() + {AHEAD}
        """,
    ),
    Invariant(
        "draws_follow_their_announcement",
        "A draw has a line and the round that it announced, its result is later than the round, "
        "and a replacement names the replaced draw.",
        f"""
        SELECT d.line_id, d.attempt, d.announced_at, d.drawn_at FROM waiting_room_draws d
        LEFT JOIN waiting_room_lines l ON l.line_id = d.line_id
        WHERE l.line_id IS NULL OR (d.drawn_at IS NULL) <> ({LAST_KIND} IS DISTINCT FROM 'result')
            OR ({ANNOUNCEMENT} ->> 'line' LIKE l.name || '.%') IS NOT TRUE
            OR (d.attempt > 1) <> (coalesce({ANNOUNCEMENT} ->> 'replaces', '') <> '')
            OR d.announced_at > now() + {AHEAD} OR d.drawn_at > now() + {AHEAD} OR d.drawn_at < d.announced_at
        """,
    ),
    Invariant(
        "lines_open_by_their_draw",
        "A line that gathered entries opens after its draw is done, and later visitors have "
        "numbers after the drawn ones.",
        f"""
        SELECT l.line_id, l.state, l.next_number, d.count, d.opened_at FROM waiting_room_lines l
        LEFT JOIN waiting_room_draws d ON d.line_id = l.line_id AND {LAST_ATTEMPT}
        WHERE (l.state IN ('open', 'closing') AND l.gathers_at IS NOT NULL AND d.opened_at IS NULL)
            OR (l.state IN ('planned', 'gathering', 'drawing') AND d.opened_at IS NOT NULL)
            OR (d.opened_at IS NOT NULL AND (l.next_number <= d.count OR d.opened_at < l.opens_at))
            OR d.opened_at > now() + {AHEAD}
        """,
    ),
)

MAIL_CAUSES = (
    MailCause(
        """
        SELECT account_id, 'turn_near:' || line_id, 'turn_near', NULL, NULL::timestamptz, NULL
        FROM {waiting_room_places*} p WHERE wants_mail
        """,
    ),
)

INVARIANTS = (
    *_OF_DRAWS,
    Invariant(
        "turns_follow_the_line",
        "Nobody was admitted with a number that the line had not called, or with a place that "
        "was never taken.",
        f"""
        SELECT t.line_id, t.number, l.serving, t.taken_at, t.admitted_at
        FROM waiting_room_turns t LEFT JOIN waiting_room_lines l ON l.line_id = t.line_id
        WHERE l.line_id IS NULL OR coalesce(t.called_with, t.number) > l.serving OR t.admitted_at < t.taken_at - interval '5 seconds'
            OR t.admitted_at > now() + {AHEAD} OR t.taken_at < l.created_at - interval '5 seconds'
            OR t.waited < 0 OR t.shown_high < t.shown_low
        """,
    ),
    Invariant(
        "turns_are_used_once",
        "A used turn has an account, and was used after it began.",
        f"""
        SELECT line_id, number, used_by, admitted_at, ended_at FROM waiting_room_turns t
        WHERE (used_by IS NOT NULL AND ended_at IS NULL)
            OR (ended_at IS NOT NULL AND used_by IS NULL AND admitted_at > now() - interval '170 days') OR ended_at < admitted_at - {AHEAD}
            OR ended_at > now() + {AHEAD}
        """,
    ),
    Invariant(
        "one_turn_for_one_account",
        "No account used a turn of a place that it took before it had used another turn of the "
        "same line.",
        """
        SELECT line_id, used_by, number, taken_at, before FROM (
            SELECT line_id, used_by, number, taken_at, lag(ended_at) OVER of_account AS before
            FROM waiting_room_turns WHERE used_by IS NOT NULL
            WINDOW of_account AS (PARTITION BY line_id, used_by ORDER BY ended_at)) t
        WHERE before > taken_at
        """,
    ),
    Invariant(
        "places_are_numbers_that_were_given",
        "A place that an account keeps has a number that its line gave out, and the turn "
        "belonged to the holder of the place.",
        f"""
        SELECT p.account_id, p.line_id, p.number, l.next_number FROM waiting_room_places p
        LEFT JOIN waiting_room_lines l ON l.line_id = p.line_id
        LEFT JOIN waiting_room_turns t ON t.line_id = p.line_id AND t.number = greatest(p.serial, p.number)
        WHERE l.line_id IS NULL OR (p.serial = 0 AND p.number >= l.next_number) OR p.serial >= l.next_serial
            OR (p.serial > 0) <> (p.since > 0) OR p.since > p.number OR p.taken_at > now() + {AHEAD}
            OR p.kept_at > now() + {AHEAD} OR octet_length(p.holder) <> 16
            OR p.told_at > now() + {AHEAD} OR t.holder <> p.holder OR t.taken_at <> p.taken_at
        """,
    ),
    Invariant(
        "lines_only_go_forward",
        "A later sample of a line has at least as many called numbers as an earlier one, and no "
        "more than the line has called or given out.",
        """
        SELECT s.line_id, s.at, s.serving, s.before, l.serving AS now_serving FROM (
            SELECT line_id, at, serving, next_number, lag(serving) OVER of_line AS before
            FROM waiting_room_samples WINDOW of_line AS (PARTITION BY line_id ORDER BY at)) s
        LEFT JOIN waiting_room_lines l ON l.line_id = s.line_id
        WHERE l.line_id IS NULL OR s.serving < s.before OR s.serving > l.serving
            OR s.next_number <= s.serving
        """,
    ),
)
