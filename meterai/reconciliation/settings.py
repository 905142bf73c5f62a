"""Settings of records of providers and banks."""

import msgspec

from meterai.plumbing.config import Hour


class ReconciliationSettings(msgspec.Struct, frozen=True):
    """Folder of files, and the hour by which the record of a day is to be there."""

    # A folder with one for each rail, by its name, and `account` for statements of the operator's account.
    reconciliation_files: str = ""  # DIR/records where it is empty
    record_due_hour: Hour = (
        9  # in WIB, of the next day; the record that is not there by then is an item
    )
