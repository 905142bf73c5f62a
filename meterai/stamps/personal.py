"""Personal data of stamps."""

from meterai.plumbing.db.personal import Basis, KeepReason, Personal, PersonalTable, Wait

PERSONAL = Personal(
    ids={"lot_id": "ord", "stamping_id": "stg"},
    basis=Basis.LAW,
    tables=(
        PersonalTable(
            table="stamp_lots",
            columns="lot_id issued_at issued held affixed returned unit_price service_fee",
            inner="account_id book owed",
            kept=KeepReason.TAX,
            since="t.issued_at",
        ),
        PersonalTable(
            table="stamps",
            columns="serial stamping_id lot_id position state reserved_at affixed_at voided_at",
            inner="account_id",
            kept=KeepReason.STAMP,
        ),
    ),
    nobodys={
        "serial_directory": ("A copy of the serial of a stamp, with the number of its account.")
    },
    waits=(
        Wait(
            "unused_stamps",
            "SELECT coalesce(sum(issued - affixed - returned), 0) AS count, NULL::timestamptz AS until"
            " FROM stamp_lots WHERE account_id = %s",
        ),
    ),
)
