"""Actors: kind and id of the person or program that acts. The audit trail stores an actor as text."""

from dataclasses import dataclass
from enum import StrEnum

from meterai.kit.refusal import Malformed

ID_LENGTH_MAX = 100  # characters; one of our ids, or the name of a system user or handler


class ActorKind(StrEnum):
    """Kind of actor."""

    VISITOR = "visitor"  # unknown person
    ACCOUNT = "account"  # the account itself; the id is of its session or API key
    MEMBER = "member"  # a person with a role in the organization; the id is of its own account
    STAFF = "staff"  # a person who works for the operator; the id is of its own account
    PROVIDER = "provider"  # the bank or switch, by a signed notification
    JOB = "job"  # an event handler or a periodic task; the id is its name
    OPERATOR = "operator"  # at the command line; the id is a name


@dataclass(frozen=True, slots=True)
class Actor:
    """An actor: its kind, and its id if known. Refuses `Malformed` for an invalid id."""

    kind: ActorKind
    id: str | None = None

    def __post_init__(self) -> None:
        """Refuse an id that is not one line of printable text, which would make records unreadable."""
        if self.id is not None and not (
            1 <= len(self.id) <= ID_LENGTH_MAX and self.id.isprintable() and self.id.strip()
        ):
            raise Malformed("actor", "shown_text", length_max=ID_LENGTH_MAX)

    def __str__(self) -> str:
        """Return the actor as text for the audit trail, such as `account` or `operator:budi`."""
        return self.kind if self.id is None else f"{self.kind}:{self.id}"
