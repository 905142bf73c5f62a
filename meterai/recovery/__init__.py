"""Recovery: the return to service after an outage, as steps that wait for numbers.

Promises of this room
  * One recovery is under way at a time. It belongs to an incident, which is not resolved before it ends.
  * Nothing paid is stopped: while buying and sign-up are closed every paid order continues, and nobody loses a
    place in a line.
  * A step is one transaction with all its changes, so that a crash leaves it complete or not begun, and repeating it
    changes nothing.
  * Automatic moves go forward only after the numbers were good without a break, back only after they were bad without
    one, and never where a second person may be needed.
  * Its end restores what it changed, and its incident announces each step in both languages.

Calls incidents, waiting_room, accounts, stamps, orders, stamping, refunds.
"""

from meterai.recovery.model import Recovery, RecoveryStep

__all__ = ["Recovery", "RecoveryStep"]
