"""Batches: many documents stamped in one call, each row by itself.

Promises of this room
  * A row that is wrong is named, with a code and a sentence, and stops no other row.
  * The same row sent again is the same row, in its batch and in any other: it never takes a second stamp.
  * Work begun by a process that dies continues without anybody's action; sending everything again changes nothing.
  * A batch without enough stamps waits visibly, and continues when the stamps arrive.
  * Each row leads to an ordinary stamping, with the money and the serial of an ordinary stamping.

Calls accounts, documents, drafts, orders, stamping, stamps, verification.
"""

from meterai.batches.events import BatchFinished
from meterai.batches.model import BatchState, RowState
from meterai.batches.service import BatchService
from meterai.batches.settings import BatchSettings

__all__ = ["BatchFinished", "BatchService", "BatchSettings", "BatchState", "RowState"]
