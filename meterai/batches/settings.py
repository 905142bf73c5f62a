"""Settings of batches."""

import msgspec

from meterai.plumbing.config import Positive, Seconds


class BatchSettings(msgspec.Struct, frozen=True):
    """Limits of a batch, and of the work on it."""

    # Rows of one batch. One transaction surveys them at the start: ten thousand take a second.
    batch_rows_max: Positive = 10_000
    # Bytes of the files of one batch: ten thousand scans of 400 KB.
    batch_bytes_max: Positive = 4 * 1024 * 1024 * 1024
    # Batches of one account that did not end: enough for several systems at once, and a bound for one that only makes
    # new ones.
    batches_per_account_max: Positive = 20
    # Rows of one transaction that holds stamps. A larger one delays other stampings of the account.
    batch_chunk_rows: Positive = 25
    # Longest work on one batch before the worker takes another.
    batch_turn_seconds: Seconds = 1.0
    # Lease of rows that a worker reads and places. After it, another worker takes them up. If both do so, one
    # reserves.
    batch_lease_seconds: Seconds = 60.0
    # Days after which a batch that nobody started is cancelled. Its documents are deleted like any others.
    batch_open_days: Positive = 7
    # Days after which a batch that waits for stamps is cancelled: its rows name people, and its documents are deleted.
    batch_waits_days: Positive = 30
