"""Rules by which the audit checks the columns of the tables of stamps."""

from meterai.plumbing.db.audited import ONE_ROW, Audited, ClockColumn, SubjectColumn, fact

AUDITED = Audited(
    clocks=(ClockColumn("serial_leases", "held_until", "now() + interval '1 day'"),),
    facts=(
        fact("stamp_lots", "issued_at", "lot_id book unit_price service_fee issued"),
        fact("stamps", "reserved_at", "serial stamping_id lot_id position"),
        fact("stamps", "affixed_at", "serial", name="stamps_affixed"),
        fact("stamps", "voided_at", "serial", name="stamps_void"),
    ),
    shown={
        "issuing": {
            ONE_ROW: "only_row",
        },
        "serial_leases": (
            "Prevents two processes from making the same serial, which "
            "serial_given_out_once would find."
        ),
    },
    subjects={
        "stamp_lots": SubjectColumn("lot_id"),
        "stamps": SubjectColumn("stamping_id"),
    },
    related=(
        "SELECT t.account_id, t.lot_id FROM stamps t JOIN {found} m"
        " ON m.account_id = t.account_id AND m.subject = t.stamping_id",
    ),
    standing=("serial_directory",),
)
