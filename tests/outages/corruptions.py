"""Corruptions of rows of outages, and the invariants that must find each."""

from tests.support.corrupting import corruption

OUTAGE_TRAIL = "outage_moves_are_in_the_trail"
OUTAGE_BY_TWO = "outages_are_confirmed_by_two"
OUTAGE_FILES = "outage_files_are_those_of_their_record"

CORRUPTIONS = (
    corruption(
        "an outage record that nobody confirmed",
        "UPDATE outages SET state = 'confirmed', confirmed_at = now(), begins_at = begins_at - interval '1 day',"
        " ends_at = ends_at - interval '1 day' WHERE outage_id = %(proposed.outage)s",
        OUTAGE_TRAIL,
        OUTAGE_BY_TWO,
    ),
    corruption(
        "an outage record that was confirmed with other findings",
        "UPDATE outages SET findings_sha256 = sha256('x') WHERE outage_id = %(confirmed.outage)s",
        OUTAGE_TRAIL,
    ),
    corruption(
        "an outage record that nothing replaced",
        "UPDATE outages SET state = 'replaced', ended_at = now() WHERE outage_id = %(confirmed.outage)s",
        OUTAGE_TRAIL,
    ),
    corruption(
        "an outage record without the readings of a watcher",
        "DELETE FROM outage_files WHERE outage_id = %(proposed.outage)s AND file = 'readings/jakarta'",
        OUTAGE_FILES,
    ),
    corruption(
        "an outage record with another document",
        "ALTER TABLE outage_files DROP CONSTRAINT file_has_its_hash; UPDATE outage_files SET content = 'x' WHERE outage_id = %(confirmed.outage)s AND file = 'json'",
        OUTAGE_FILES,
    ),
    corruption(
        "a file of no outage record",
        "UPDATE outage_files SET outage_id = gen_random_uuid() WHERE outage_id = %(confirmed.outage)s AND file = 'id.pdf'",
        OUTAGE_FILES,
    ),
    corruption(
        "an outage record that is never sealed",
        "UPDATE outages SET confirmed_at = confirmed_at - interval '1 day', sealed_at = NULL WHERE outage_id = %(confirmed.outage)s",
        "work_is_done_in_time",
        OUTAGE_BY_TWO,
        OUTAGE_FILES,
        OUTAGE_TRAIL,
    ),
)
