"""A guest book: the toy room that docs/adding.md explains, as a room of the platform would be written.

Promises this room keeps
  * Every entered guest is welcomed.

Calls accounts.  Is in no list but that of its test (tests/apps/test_toy_room.py).
"""

__all__: list[str] = []
