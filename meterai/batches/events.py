"""Events of batches."""

from uuid import UUID

from meterai.plumbing.work.events import Event


class BatchFinished(Event, frozen=True, kw_only=True):
    """All rows of a batch have ended, and the batch is finished or cancelled; written by `batch_finish`.

    `wrong` counts the rows that were refused or failed; `GET .../rows` lists them with the reasons.
    """

    batch: UUID
    state: str
    delivered: int
    wrong: int
    cancelled: int
