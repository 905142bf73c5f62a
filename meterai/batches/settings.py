"""Settings of batches."""

import msgspec

from meterai.plumbing.config import Positive, Seconds


class BatchSettings(msgspec.Struct, frozen=True):
    """Limits of the size of a batch, of the number of batches, and of the work on them."""

    # Rows of one batch. One transaction examines all rows at the start: a second for ten thousand rows.
    batch_rows_max: Positive = 10_000
    # Bytes of the files of one batch: ten thousand scans of 400 KB.
    batch_bytes_max: Positive = 4 * 1024 * 1024 * 1024
    # Batches of one account that have not ended: enough for several systems at once, and a bound for a faulty system
    # that only makes new batches.
    batches_per_account_max: Positive = 20
    # Rows of one transaction that holds stamps. A larger transaction delays other stampings of the account.
    batch_chunk_rows: Positive = 25
    # Longest work on one batch before the worker takes another batch.
    batch_turn_seconds: Seconds = 1.0
    # Lease of rows that a worker prepares, in seconds. After it, another worker takes them up. If both prepare a row, only
    # one of them reserves it.
    batch_lease_seconds: Seconds = 60.0
    # Days after which a batch that nobody started is cancelled. Its documents are deleted like any others.
    batch_open_days: Positive = 7
    # Days after which a batch that waits for stamps is cancelled: its rows name people, and its documents are deleted.
    batch_waits_days: Positive = 30
