"""meterai: sell, issue, affix, check and refund electronic stamps.

A capability is a room; every room has the same inside (`model`, `store`, `service`, `routes`,
`jobs`); calls go down, events go up.  `docs/architecture.md` has the picture.
"""

__version__ = "0.1.0"
