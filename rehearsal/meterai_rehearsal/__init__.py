"""Rehearsal: what an installation can take, measured, computed and reported.

A distribution beside `meterai`, whose command line gets `rehearse`, `plan` and `assess` of it.

Promises it keeps
  * `rehearse` drives a running installation over HTTP alone, as visitors do.  It breaks parts only of an
    installation that it started itself, and speaks to no other machine without a written list.
  * A run is one file (`results.py`).  What was not measured is absent from it, and a run that measured
    its own generator is void and says so.

Calls the floors of `meterai` (kit, plumbing, commands).  Nothing in `meterai` knows it.
"""

from importlib import resources

from meterai.plumbing.messages import also

__all__: list[str] = []
also(resources.files(__name__))
