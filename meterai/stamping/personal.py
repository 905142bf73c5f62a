"""Declaration of the personal data in stampings."""

from meterai.plumbing.db.personal import Basis, KeepReason, Personal, PersonalTable, Wait

PERSONAL = Personal(
    ids={"stamping_id": "stg", "order_id": "ord"},
    basis=Basis.LAW,
    tables=(
        PersonalTable(
            table="stampings",
            columns="stamping_id order_id requested_at state quantity placements sha256_original sha256_stamped"
            " delivered_at refused",
            inner="account_id position idempotency_key request_hash due_at leased_until tries is_repaired is_quiet",
            kept=KeepReason.STAMP,
        ),
        PersonalTable(
            table="stamping_keys",
            columns="idempotency_key used_at stampings",
            inner="account_id request_hash",
            kept=KeepReason.STAMP,
        ),
        PersonalTable(
            table="stamping_labels",
            columns="stamping_id reference metadata labelled_at",
            inner="account_id",
            blanks={"reference": "NULL", "metadata": "'{}'"},
            kept=KeepReason.NUMBER,
        ),
        PersonalTable(
            table="stamping_facts",
            columns="stamping_id type number dated value party_name identity_kind identity_number told_at",
            inner="account_id",
            kept=KeepReason.TAX,
            since="t.told_at",
        ),
        PersonalTable(
            table="facts_demanded",
            columns="account_id demanded_at",
            inner="",
            kept=KeepReason.NUMBER,
        ),
        PersonalTable(
            table="deltas",
            columns="stamping_id sha256",
            inner="account_id delta",
            kept=KeepReason.STAMP,
        ),
    ),
    waits=(
        Wait(
            "stampings",
            "SELECT count(*) AS count, max(due_at) AS until FROM stampings WHERE account_id = %s"
            " AND state IN ('waiting', 'reserved')",
        ),
    ),
)
