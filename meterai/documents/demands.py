"""Settings of documents that production accepts with any value, each with the reason."""

from collections.abc import Mapping

from meterai.commands import LOAD, TIME

UNDEMANDED: Mapping[str, str] = {
    "document_bytes_max": LOAD,
    "document_kept_seconds": TIME,
    "document_grace_seconds": TIME,
}
