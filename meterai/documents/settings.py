"""Settings of documents."""

import msgspec

from meterai.plumbing.config import Positive, Seconds


class DocumentSettings(msgspec.Struct, frozen=True):
    """Largest size of a document, in bytes, and the time for which it is kept, in seconds."""

    document_bytes_max: Positive = 20 * 1024 * 1024
    document_kept_seconds: Seconds = 7 * 86_400  # afterwards only the delta is kept
    # An operator can restore the bytes of a forgotten document, or of one without a row, for this time: long enough to
    # notice a copy or a restore of the database.  At least an hour.
    document_grace_seconds: Seconds = 86_400
