"""Reason of an act that only a person may do: recorded, so never empty."""

from meterai.kit.refusal import Refusal
from meterai.kit.text import one_line

REASON_LENGTH_MAX = 500  # characters; a sentence or two and a number to look up


class ReasonMissing(Refusal):
    """The act needs a reason, and has none."""

    code = "reason_missing"
    status = 422

    def __init__(self, length: int) -> None:
        super().__init__(f"a reason of {length} characters")
        self.length_max = REASON_LENGTH_MAX


def written_reason(text: str) -> str:
    """Return the reason as it is stored, on one line. Refuses `ReasonMissing`, also for one that is too long."""
    found = one_line(text)
    if not 1 <= len(found) <= REASON_LENGTH_MAX or not any(map(str.isalnum, found)):
        raise ReasonMissing(len(found))
    return found
