"""What batches tell."""

from uuid import UUID

from meterai.plumbing.work.events import Event


class BatchFinished(Event, frozen=True, kw_only=True):
    """All rows of a batch ended: it is finished, or cancelled; written by `batch_finish`.

    `wrong` are rows without a stamped document that say why: those of a batch with any are read by `GET .../rows`.
    """

    batch: UUID
    state: str
    delivered: int
    wrong: int
    cancelled: int
