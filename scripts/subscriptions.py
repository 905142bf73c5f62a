"""Write the SQL function `subscribers` from the handlers of the rooms, for a new migration.

`.venv/bin/python -m scripts.subscriptions` prints it; a test compares the database with the rooms.
"""

import sys
from collections.abc import Iterator

from meterai.apps.rooms import subscriptions_of, unheard_of
from meterai.plumbing.events import name_of_event


def subscribers() -> dict[str, list[str]]:
    """The handlers of every event, by the names of both."""
    found: dict[str, list[str]] = {name_of_event(event): [] for event in unheard_of()}
    for one in subscriptions_of():
        found.setdefault(one.kind, []).append(one.name)
    return found


def function() -> Iterator[str]:
    """The lines of its definition."""
    yield "CREATE OR REPLACE FUNCTION subscribers(p_event text) RETURNS text[]"
    yield "LANGUAGE sql IMMUTABLE AS $$"
    yield "    SELECT CASE p_event"
    for event, handlers in sorted(subscribers().items()):
        listed = ", ".join(f"'{name}'" for name in handlers)
        yield f"        WHEN '{event}' THEN ARRAY[{listed}]{'' if handlers else '::text[]'}"
    yield "    END;"
    yield "$$;"


if __name__ == "__main__":
    sys.stdout.write("\n".join([*function(), ""]))
