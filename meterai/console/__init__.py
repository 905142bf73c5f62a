"""Console: pages of the operator's staff: search, timelines, work lists, levers, approvals.

Promises this room keeps
  * To a network outside `console_networks` it is invisible: no status, page or method reveals it.
  * One search box leads to one timeline, to which every room below contributes.
  * Each search and each opened page is in the audit trail, because staff see personal data.
  * A lever is pulled only after its forecast was shown, and only as forecast.
  * It has no power that no command has.

Calls every room below by its front door, and levers, knowledge and work lists by what rooms offer.
"""

__all__: list[str] = []
