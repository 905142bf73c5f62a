"""Corruptions of rows of jobs and rounds, and the invariants that must find each."""

from tests.support.corrupting import MARKS, corruption

CORRUPTIONS = (
    corruption(
        "a job waits for a dead worker",
        "INSERT INTO jobs (account_id, kind, handler, run_at) VALUES"
        " (%(account)s, 'order_executed', 'tell_executed', now() - interval '1 hour')",
        "work_is_done_in_time",
    ),
    corruption(
        "a job is put off for a year",
        "INSERT INTO jobs (account_id, kind, handler, run_at) VALUES"
        " (%(account)s, 'order_executed', 'tell_executed', now() + interval '1 year')",
        "times_hide_no_work",
    ),
    corruption(
        "a job can never fail for long",
        "UPDATE jobs SET tries = -1000000",
        MARKS,
    ),
)
