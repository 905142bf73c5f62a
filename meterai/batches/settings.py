"""Settings of batches: how much one may hold, and how it is worked."""

import msgspec

from meterai.plumbing.config import Positive, Seconds


class BatchSettings(msgspec.Struct, frozen=True):
    """Limits of a batch, and of the work on it."""

    # Of one batch.  Its rows are surveyed in one transaction as it starts: ten thousand take a second.
    batch_rows_max: Positive = 10_000
    # Bytes of the files of one batch: ten thousand scans of 400 KB.
    batch_bytes_max: Positive = 4 * 1024 * 1024 * 1024
    # Of one account, that did not end: several systems at once, and none that only makes new ones.
    batches_per_account_max: Positive = 20
    # Rows of one transaction that holds stamps: larger ones keep other stampings of the account waiting.
    batch_chunk_rows: Positive = 25
    # How long a batch is worked before another of the worker has its turn.
    batch_turn_seconds: Seconds = 1.0
    # Of rows that a worker reads and places; after this silence another takes them up.  Both may do so: one reserves.
    batch_lease_seconds: Seconds = 60.0
    # A batch that nobody starts is given up after so many days; its documents are forgotten as others are.
    batch_open_days: Positive = 7
    # One that waits so many days for its stamps is given up too: its rows name people, and its documents are forgotten.
    batch_waits_days: Positive = 30
