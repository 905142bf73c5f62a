"""meterai: sell, issue, affix, check and refund electronic stamps.

Each capability is a package, called a room.  All rooms have modules of the same names inside (`model`, `store`,
`service`, `routes`, `jobs`).  A room calls only the rooms below it, and reports its changes to the rooms above by events.
`docs/architecture.md` describes this structure.
"""

__version__ = "0.1.0"
