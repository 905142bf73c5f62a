"""Capacity: what an installation can take, measured, computed and reported.

Promises this room keeps
  * `rehearse` drives a running installation over HTTP alone, as visitors do.  It breaks parts only of an
    installation that it started itself, and speaks to no other machine without a written list.
  * A run is one file (`results.py`).  What was not measured is absent from it, and a run that measured
    its own generator is void and says so.

Calls nothing but the floors (kit, plumbing, commands, room).  Nobody calls it.
"""

__all__: list[str] = []
