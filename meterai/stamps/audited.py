"""What the audit knows of the columns of stamps."""

from meterai.plumbing.db.audited import ONE_ROW, Audited, Clock, Subject, fact

AUDITED = Audited(
    clocks=(Clock("serial_leases", "held_until", "now() + interval '1 day'"),),
    facts=(
        fact("stamp_lots", "issued_at", "lot_id book unit_price service_fee issued"),
        fact("stamps", "reserved_at", "serial stamping_id lot_id position"),
        fact("stamps", "affixed_at", "serial", name="stamps_affixed"),
        fact("stamps", "voided_at", "serial", name="stamps_void"),
    ),
    checked={
        "issuing": dict.fromkeys(
            ("is_open", "reason", "changed_at"), ("issuing_was_changed_by_an_operator",)
        ),
        "serial_directory": {
            "serial": ("directory_knows_only_stamps",),
            "account_id": ("directory_knows_only_stamps",),
        },
        "stamp_lots": {
            "held": ("lots_agree_with_serials",),
            "affixed": ("lots_agree_with_serials",),
            "returned": ("returned_stamps_are_explained",),
            "owed": ("lot_owes_what_is_lost",),
        },
        "stamps": {"state": ("stamping_agrees_with_its_serials",)},
    },
    unchecked={
        "issuing": {"only_row": ONE_ROW},
        "serial_leases": dict.fromkeys(
            ["lease", "holder", "held_until"],
            "Keeps two processes from making one serial, which serial_given_out_once would find.",
        ),
    },
    subjects={
        "stamp_lots": Subject("lot_id"),
        "stamps": Subject("stamping_id"),
    },
    related=(
        "SELECT t.account_id, t.lot_id FROM stamps t JOIN {found} m"
        " ON m.account_id = t.account_id AND m.subject = t.stamping_id",
    ),
    standing=("serial_directory",),
)
