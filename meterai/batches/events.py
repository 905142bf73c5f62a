"""Events of batches."""

from uuid import UUID

from meterai.plumbing.work.events import Event


class BatchFinished(Event, frozen=True, kw_only=True):
    """All rows of a batch ended: it is finished or cancelled; written by `batch_finish`.

    `wrong` counts rows that have a reason instead of a stamped document; `GET .../rows` lists them.
    """

    batch: UUID
    state: str
    delivered: int
    wrong: int
    cancelled: int
