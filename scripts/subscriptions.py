"""Write the SQL function `subscribers` from the handlers of the rooms.

`.venv/bin/python -m scripts.subscriptions` writes the file of the function; a test compares the database with the rooms.
"""

from collections.abc import Iterator
from pathlib import Path

from meterai.apps.rooms import ROOMS, subscriptions_of, unheard_of
from meterai.plumbing.work.events import name_of_event
from meterai.room import Rooms

FILE = Path(__file__).parents[1] / "meterai" / "plumbing" / "sql" / "functions" / "subscribers.sql"


def subscribers(rooms: Rooms = ROOMS) -> dict[str, list[str]]:
    """Return the handlers of every event, by name."""
    found: dict[str, list[str]] = {name_of_event(event): [] for event in unheard_of(rooms)}
    for one in subscriptions_of(rooms):
        found.setdefault(one.kind, []).append(one.name)
    return found


def function(rooms: Rooms = ROOMS) -> Iterator[str]:
    """Yield the lines of its file."""
    yield "-- The handlers of an event; none where nobody listens, null where no such event is declared."
    yield "-- Written by `python -m scripts.subscriptions` from the HANDLERS of the rooms."
    yield "CREATE OR REPLACE FUNCTION subscribers(p_event text) RETURNS text[]"
    yield "LANGUAGE sql IMMUTABLE AS $$"
    yield "    SELECT CASE p_event"
    for event, handlers in sorted(subscribers(rooms).items()):
        listed = ", ".join(f"'{name}'" for name in handlers)
        yield f"        WHEN '{event}' THEN ARRAY[{listed}]{'' if handlers else '::text[]'}"
    yield "    END;"
    yield "$$;"


if __name__ == "__main__":
    FILE.write_text("\n".join([*function(), ""]))
