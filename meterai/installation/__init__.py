"""Installation: everything on one machine, for development and rehearsal; a backup of it, and what is made of one.

Promises this room keeps
  * One process runs a data directory; a port is held before anybody listens on it.
  * A process that dies is started again, and all are stopped in order.
  * A backup has its manifest last, and is read only where every file is unchanged.
  * A restored installation is audited before anybody uses it.

Calls the rooms whose keys, addresses and stand-ins an installation for development has.
"""

from meterai.installation.instance import PortTaken, holding, is_free

__all__ = ["PortTaken", "holding", "is_free"]
