"""State machines as tables.

A lifecycle is a mapping from (state, event) to the next state. The table is used by the check before a write, the
drawing in `docs/lifecycles.md` and the test of every pair. The transitions that the database accepts must be the same,
which a test checks.
"""

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from meterai.kit.refusal import Refusal

State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


class NotAllowedNow(Refusal):
    """The lifecycle has no transition for this event from this state."""

    code = "not_allowed_now"

    def __init__(self, subject: str, state: str, event: str) -> None:
        super().__init__(f"{subject} is {state}; {event} does not apply")
        self.subject = subject
        self.state = str(state)
        self.event = str(event)


class Lifecycle(Generic[State, Event]):
    """Table of the allowed transitions of one kind of object.

    The first state of the table is the initial one. `also_begins` are other initial states. `births` are events that create an
    object and have no transition in the table. `reopens` are events that open a closed object again, based on later and
    stronger evidence.
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
        """All states, as their enum."""
        return type(next(iter(self._edges))[0])

    @property
    def events(self) -> type[Event]:
        """All events, as their enum."""
        return type(next(iter(self._edges))[1])

    def after(self, state: State, event: Event) -> State:
        """Return the state that follows an event. Refuses `NotAllowedNow`."""
        try:
            return self._edges[state, event]
        except KeyError:
            raise NotAllowedNow(self.subject, state, event) from None

    def is_final(self, state: State) -> bool:
        """True if no transition leaves the state."""
        return all(origin != state for origin, _ in self._edges)

    def edges(self) -> Iterator[tuple[State, Event, State]]:
        """Yield (state, event, next state) of every allowed transition, in the order of the table."""
        return ((origin, event, target) for (origin, event), target in self._edges.items())

    def mermaid(self) -> str:
        """Return the Mermaid diagram for `docs/lifecycles.md`; a test keeps the document equal to it."""
        lines = [f"    {origin} --> {target}: {event}" for origin, event, target in self.edges()]
        return "\n".join(["stateDiagram-v2", *lines])
