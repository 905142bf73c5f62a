"""Personal data of stamps."""

from meterai.plumbing.db.personal import Basis, Held, Kept, Personal, Wait

PERSONAL = Personal(
    basis=Basis.LAW,
    tables=(
        Held(
            table="stamp_lots",
            columns="lot_id issued_at issued held affixed returned unit_price service_fee",
            inner="account_id book owed",
            kept=Kept.TAX,
            since="t.issued_at",
        ),
        Held(
            table="stamps",
            columns="serial stamping_id lot_id position state reserved_at affixed_at voided_at",
            inner="account_id",
            kept=Kept.STAMP,
        ),
    ),
    nobodys={"serial_directory": "A serial of a stamp once more, with its account's number."},
    waits=(
        Wait(
            "unused_stamps",
            "SELECT coalesce(sum(issued - affixed - returned), 0) AS count, NULL::timestamptz AS until"
            " FROM stamp_lots WHERE account_id = %s",
        ),
    ),
)
