"""Corruptions of rows of batches, and the invariants that must find each."""

from tests.support.corrupting import corruption

CORRUPTIONS = (
    corruption(
        "a finished batch with a row that waits",
        "UPDATE batch_rows SET state = 'waiting', stamping_id = NULL, code = NULL, ended_at = NULL"
        " WHERE batch_id = %(finished.batch)s",
        "batch_stands_where_its_rows_do",
    ),
    corruption(
        "a row that says it is stamped",
        "UPDATE batch_rows SET state = 'delivered', code = NULL, ended_at = now() WHERE batch_id = %(failed.batch)s"
        " AND state = 'failed'",
        "row_stands_where_its_stamping_does",
    ),
    corruption(
        "rows of batches that are a stamping of nobody",
        "UPDATE batch_stampings SET stamping_id = gen_random_uuid()",
        "subject_has_one_stamping",
    ),
    corruption(
        "a row that is gone",
        "DELETE FROM batch_rows WHERE batch_id = %(finished.batch)s AND number = 1",
        "batch_rows_are_numbered",
    ),
)
