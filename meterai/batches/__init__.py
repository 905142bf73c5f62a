"""Batches: many documents stamped in one call, each row by itself.

Promises this room keeps
  * A row that is wrong is named, with a code and a sentence, and stops no other.
  * The same row again is the same row, in its batch and in any other: it never takes a second stamp.
  * What a process that dies has begun goes on by itself; whoever sends everything again changes nothing.
  * A batch without enough stamps waits visibly, and goes on by itself when they come.
  * Each row leads to an ordinary stamping, and its money and its serial are where those of any stamping are.

Calls accounts, documents, drafts, orders, stamping, stamps, verification.
"""

from meterai.batches.events import BatchFinished
from meterai.batches.model import BatchState, RowState
from meterai.batches.service import BatchService
from meterai.batches.settings import BatchSettings

__all__ = ["BatchFinished", "BatchService", "BatchSettings", "BatchState", "RowState"]
