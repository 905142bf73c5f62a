"""Recovery: the way back after an outage, as steps that wait for numbers.

Promises this room keeps
  * One recovery is under way at a time; it belongs to an incident, which is not resolved before it ends.
  * Nothing that is paid is stopped: while buying and sign-up are closed every paid order goes on, and nobody loses a
    place in a line.
  * A step is one transaction with all it demands, so that a crash leaves it whole or not begun, and doing it again
    changes nothing.
  * By itself it goes on only where its numbers held without a break, back only where they were worse without one, and
    nowhere where a second person may be needed.
  * What it changed is put back as it was, and each step is told in both languages by its incident.

Calls incidents, waiting_room, accounts, stamps, orders, stamping, refunds.
"""

from meterai.recovery.model import Recovery, RecoveryStep

__all__ = ["Recovery", "RecoveryStep"]
