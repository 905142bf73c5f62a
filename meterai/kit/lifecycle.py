"""State machines as tables.

A lifecycle is a mapping from (state, event) to the next state. Everything else is derived from this table: the check
before a write, the edges that the database accepts (a test compares them), the drawing in `docs/lifecycles.md` and the
test of every pair.
"""

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from meterai.kit.refusal import Refusal

State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


class NotAllowedNow(Refusal):
    """The event has no edge from this state."""

    code = "not_allowed_now"

    def __init__(self, subject: str, state: str, event: str) -> None:
        super().__init__(f"{subject} is {state}; {event} does not apply")
        self.subject = subject
        self.state = str(state)
        self.event = str(event)


class Lifecycle(Generic[State, Event]):
    """Table of allowed moves.

    `reopens` are later, stronger facts that open what was closed; `also_begins` are states that begin a life beside
    the first one, `births` events by which one begins and which have no edge.
    """

    def __init__(
        self,
        subject: str,
        edges: Mapping[tuple[State, Event], State],
        *,
        reopens: Collection[Event] = (),
        also_begins: Collection[State] = (),
        births: Collection[Event] = (),
    ) -> None:
        self.subject = subject
        self._edges = dict(edges)
        self.reopens = frozenset(reopens)
        self.also_begins = frozenset(also_begins)
        self.births = frozenset(births)

    @property
    def states(self) -> type[State]:
        """All states, the first one first."""
        return type(next(iter(self._edges))[0])

    @property
    def events(self) -> type[Event]:
        """All events."""
        return type(next(iter(self._edges))[1])

    def after(self, state: State, event: Event) -> State:
        """Return the next state. Refuses `NotAllowedNow`."""
        try:
            return self._edges[state, event]
        except KeyError:
            raise NotAllowedNow(self.subject, state, event) from None

    def is_final(self, state: State) -> bool:
        """True if no edge leaves the state."""
        return all(origin != state for origin, _ in self._edges)

    def edges(self) -> Iterator[tuple[State, Event, State]]:
        """Yield every allowed move, in the order of the table."""
        return ((origin, event, target) for (origin, event), target in self._edges.items())

    def mermaid(self) -> str:
        """Return the drawing of `docs/lifecycles.md`; a test keeps the two equal."""
        lines = [f"    {origin} --> {target}: {event}" for origin, event, target in self.edges()]
        return "\n".join(["stateDiagram-v2", *lines])
