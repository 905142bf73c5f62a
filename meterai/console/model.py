"""Refusals and samples of the console; pure."""

from datetime import datetime
from typing import NamedTuple

from meterai.kit.refusal import Refusal


class SearchTooLong(Refusal):
    """The text to search for is longer than anything that it could name."""

    code = "search_too_long"
    status = 422

    def __init__(self, length_max: int) -> None:
        super().__init__(f"more than {length_max} characters")
        self.length_max = length_max


class SearchFileUnknown(Refusal):
    """The file to search for is neither a PDF nor a photo."""

    code = "search_file_unknown"
    status = 415


class SearchFileUnreadable(Refusal):
    """The PDF to search for cannot be read, and no document of ours has its SHA-256."""

    code = "search_file_unreadable"
    status = 422


class Sample(NamedTuple):
    """Figures of the minute that ended `at`: of one machine, or of the whole installation where `source` is empty."""

    at: datetime
    source: str
    figures: dict[str, float]
