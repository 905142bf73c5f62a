"""What can be set about documents."""

import msgspec

from meterai.plumbing.config import Positive, Seconds


class DocumentSettings(msgspec.Struct, frozen=True):
    """Sizes in bytes, times in seconds."""

    document_bytes_max: Positive = 20 * 1024 * 1024
    document_kept_seconds: Seconds = 7 * 86_400  # then only the delta remains
