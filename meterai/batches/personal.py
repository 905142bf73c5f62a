"""Personal data of batches."""

from meterai.plumbing.db.personal import Basis, KeepReason, Personal, PersonalTable, Wait

_BLANKS = {
    "facts": "'{}'",
    "document_name": "''",
    "document": "''",
    "row_key": "NULL",
    "code_facts": "'{}'",
}
PERSONAL = Personal(
    ids={"order_id": "ord", "stamping_id": "stg"},
    basis=Basis.CONTRACT,
    tables=(
        PersonalTable(
            table="batches",
            columns="batch_id reference state order_id made_at started_at ended_at",
            inner="account_id idempotency_key request_hash order_count needed turn_at",
            others="member_id",
            blanks={"reference": "NULL"},
            kept=KeepReason.STAMP,
        ),
        PersonalTable(
            table="batch_files",
            columns="batch_id name sha256 bytes added_at",
            inner="account_id came_sha256 is_repaired",
            deletes=True,
        ),
        PersonalTable(
            table="batch_rows",
            columns="batch_id number row_key document document_name facts state code stamping_id came_at ended_at",
            inner="account_id identity content sha256 is_repaired wishes quantity code_facts leased_until",
            blanks=_BLANKS,
            kept=KeepReason.STAMP,
        ),
        PersonalTable(
            table="batch_stampings",
            columns="stamping_id bound_at",
            inner="account_id subject",
            kept=KeepReason.STAMP,
        ),
    ),
    waits=(
        Wait(
            "batches",
            "SELECT count(*) AS count, NULL::timestamptz AS until FROM batches WHERE account_id = %s"
            " AND state IN ('waiting_for_stamps', 'working', 'cancelling')",
        ),
    ),
)
