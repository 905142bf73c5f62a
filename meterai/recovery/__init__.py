"""Recovery: the return to service after an outage, in steps that continue when live numbers are good.

Promises of this room
  * Only one recovery is under way at a time. It belongs to an incident, which is not resolved before the recovery ends.
  * Paid orders are not stopped: they continue while buying and sign-up are closed, and nobody loses a place in a line.
  * A step makes all its changes in one transaction, so that after a crash it is complete or not begun. Repeating a
    step changes nothing.
  * A recovery moves forward automatically only after its numbers were good for a time without a break, and back only
    after they were bad for a time without a break. Moves that may need a second person are never automatic.
  * When a recovery ends, buying, sign-up and checking return to their state before the recovery. Its incident
    announces each step in both languages.

Calls incidents, waiting_room, accounts, stamps, orders, stamping, refunds.
"""

from meterai.recovery.model import Recovery, RecoveryStep

__all__ = ["Recovery", "RecoveryStep"]
