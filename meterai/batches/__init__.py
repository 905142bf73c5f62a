"""Batches: many documents stamped in one call, each row by itself.

Promises of this room
  * A wrong row is reported with a code and a sentence, and stops no other row.
  * If a row is sent again, in the same or another batch, it takes no second stamp.
  * Work of a process that died continues without anybody's action; sending everything again changes nothing.
  * A batch that lacks stamps waits and is shown as waiting; it continues when the stamps arrive.
  * Each row leads to an ordinary stamping: the same payment, and the same kind of serial.

Calls accounts, documents, drafts, orders, stamping, stamps, verification.
"""

from meterai.batches.events import BatchFinished
from meterai.batches.model import BatchState, RowState
from meterai.batches.service import BatchService
from meterai.batches.settings import BatchSettings

__all__ = ["BatchFinished", "BatchService", "BatchSettings", "BatchState", "RowState"]
