"""Rehearsal: the capacity of an installation, measured, computed and reported.

A distribution beside `meterai` that adds the commands `rehearse`, `plan` and `assess`.

Promises
  * `rehearse` drives a running installation over HTTP only, as visitors do. It breaks parts only of an installation
    that it started itself, and sends nothing to another machine without a written list.
  * A run is one file (`results.py`). Values that were not measured are absent. A run whose limit was the
    generator, and not the installation, is void and says so.

Calls the floors of `meterai` (kit, plumbing, commands). Nothing in `meterai` depends on it.
"""

from importlib import resources

from meterai.plumbing.messages import also

__all__: list[str] = []
also(resources.files(__name__))
