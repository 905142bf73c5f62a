"""Write docs/lifecycles.md from the lifecycles that rooms register: `.venv/bin/python -m scripts.lifecycles`.

The sentence of each state is the comment beside it in the room's model, so there is only one place to change. A test
compares the file with the output of this program.
"""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from meterai.apps.rooms import ROOMS, subscriptions_of, unheard_of
from meterai.kit.lifecycle import Lifecycle
from meterai.plumbing.work.events import Event, name_of_event
from meterai.plumbing.work.outgoing import CIRCUIT

FILE = Path(__file__).parents[1] / "docs" / "lifecycles.md"
COMMAND = ".venv/bin/python -m scripts.lifecycles"
HEAD = f"""# Lifecycles

How each thing of the platform may change. A move that is not drawn is refused with
`not_allowed_now`, by the model and by the functions of the database alike; a circuit is in no database.

This file is written by `{COMMAND}` from the lifecycles that rooms
register (`lifecycles` of a `Room`); tests compare it with the tables, and the tables with what the
database does.
"""


EVENTS_HEAD = """\
What is told when something happened, and who listens ([21](decisions/0021-events.md)): the Structs of
`meterai/*/events.py`, which say when each is written. A handler that gives up does so after 12 tries."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One lifecycle, with its room and module. A lifecycle without a final state lasts as long as its process."""

    room: str
    lifecycle: Lifecycle[Any, Any]
    module: str = "model"
    has_end: bool = True

    @property
    def title(self) -> str:
        """Title of its chapter."""
        return self.lifecycle.subject.removeprefix("the ").capitalize()

    @property
    def states(self) -> type[StrEnum]:
        """Every state of its table."""
        return self.lifecycle.states

    @property
    def events(self) -> type[StrEnum]:
        """Every event of its table."""
        return self.lifecycle.events


LIFECYCLES = (
    *(Drawn(room.name, one) for room in ROOMS for one in room.lifecycles),
    Drawn("plumbing", CIRCUIT, "work/outgoing", has_end=False),
)
_MEMBER = re.compile(r'^    [A-Z_]+ = "(\w+)"(?:  # (.+))?$')


def sentences(states: type[StrEnum]) -> dict[str, str]:
    """Return the comment beside each state; empty without a comment."""
    found = {}
    for line in inspect.getsource(states).splitlines():
        if member := _MEMBER.match(line):
            found[member[1]] = member[2] or ""
    assert set(found) == {state.value for state in states}, f"{states} is written otherwise"
    return found


def chapter(drawn: Drawn) -> Iterator[str]:
    """Yield the lines of one lifecycle."""
    yield f"## {drawn.title}"
    yield ""
    yield f"`meterai/{drawn.room}/{drawn.module}.py`"
    yield ""
    yield "```mermaid"
    yield from drawn.lifecycle.mermaid().splitlines()
    yield "```"
    yield ""
    yield "| state | |"
    yield "|---|---|"
    for state, sentence in sentences(drawn.states).items():
        is_final = drawn.lifecycle.is_final(drawn.states(state))
        text = f"{sentence} (final)".strip() if is_final else sentence
        yield f"| `{state}` | {text} |"


def events() -> Iterator[str]:
    """Yield the lines of the table of events."""
    yield "## Events"
    yield ""
    yield EVENTS_HEAD
    yield ""
    yield "| event | facts | handlers |"
    yield "|---|---|---|"
    listening: dict[type[Event], list[str]] = {event: [] for event in unheard_of()}
    for one in subscriptions_of():
        text = f"`{one.name}`{' (gives up)' if one.gives_up else ''}"
        listening.setdefault(one.event, []).append(text)
    for event in sorted(listening, key=name_of_event):
        facts = [f"`{name}`" for name in event.__struct_fields__ if name != "account"]
        handlers = listening[event] or [f"none: {unheard_of()[event]}"]
        yield f"| `{name_of_event(event)}` | {', '.join(facts)} | {', '.join(handlers)} |"


def document() -> str:
    """Return the whole file."""
    chapters = ["\n".join(chapter(drawn)) for drawn in LIFECYCLES]
    return "\n".join([HEAD, "\n\n".join([*chapters, "\n".join(events())]), ""])


def main() -> None:
    """Write the file."""
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(document())


if __name__ == "__main__":
    main()
