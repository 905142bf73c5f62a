"""Installation: all processes on one machine, for development and rehearsal; its backup and restore.

Promises this room keeps
  * Only one process runs a data directory; a port is reserved before a process listens on it.
  * A process that dies is restarted; at the end all processes are stopped in order.
  * The manifest of a backup is written last, and a backup is read only if every file is unchanged.
  * A restored installation is audited before it is used.

Calls the rooms that provide keys, addresses and stand-ins for development.
"""

from meterai.installation.instance import PortTaken, holding, is_free

__all__ = ["PortTaken", "holding", "is_free"]
