"""Reason that a person gives for an act, stored with it; never empty."""

from meterai.kit.refusal import Refusal
from meterai.kit.text import one_line

REASON_LENGTH_MAX = 500  # characters; a sentence or two and a reference number


class ReasonMissing(Refusal):
    """The act requires a reason, and the given one is empty or too long."""

    code = "reason_missing"
    status = 422

    def __init__(self, length: int) -> None:
        super().__init__(f"a reason of {length} characters")
        self.length_max = REASON_LENGTH_MAX


def written_reason(text: str) -> str:
    """Return the reason on one line, as it is stored. Refuses `ReasonMissing` if it is empty or too long."""
    found = one_line(text)
    if not 1 <= len(found) <= REASON_LENGTH_MAX or not any(map(str.isalnum, found)):
        raise ReasonMissing(len(found))
    return found
