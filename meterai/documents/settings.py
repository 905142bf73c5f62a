"""What can be set about documents."""

import msgspec

from meterai.plumbing.config import Positive, Seconds


class DocumentSettings(msgspec.Struct, frozen=True):
    """Sizes in bytes, times in seconds."""

    document_bytes_max: Positive = 20 * 1024 * 1024
    document_kept_seconds: Seconds = 7 * 86_400  # then only the delta remains
    # For so long the bytes of what was forgotten, or never had a row, can be had back by an operator: time to notice
    # a copy or a restore that others were not told of.  An hour at least.
    document_grace_seconds: Seconds = 86_400
