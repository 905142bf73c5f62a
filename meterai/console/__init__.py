"""Console: pages of the operator's staff: search, timelines, work lists, levers, approvals.

Promises this room keeps
  * For a network that may not use it, it is not there: no status, page or method tells of it.
  * One search box answers with one timeline, which every room below tells its part of.
  * Whoever searches, and what is opened, is in the audit trail: staff see what is personal.
  * A lever is pulled only as it was forecast, and only after its forecast was shown.
  * It has no power that no command has.

Calls every room below by its front door, and levers, knowledge and work lists by what rooms offer.
"""

__all__: list[str] = []
