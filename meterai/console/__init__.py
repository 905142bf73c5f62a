"""Console: pages of the operator's staff with search, timelines, work lists, levers (staff actions with a forecast)
and approvals.

Promises this room keeps
  * To a network outside `console_networks` the console is invisible: no status, page or method reveals it.
  * One search box leads to the timeline of a subject, to which every lower room contributes.
  * Each search and each opened page is recorded in the audit trail, because staff see personal data.
  * A lever is carried out only after its forecast was shown, and only if the forecast is still the same.
  * Everything that can be done in the console can also be done by a command.

Calls the public functions of every lower room, and the levers, timelines and work lists that rooms register.
"""

__all__: list[str] = []
