"""Actors. The caller carries one, and the audit trail stores it as text."""

from dataclasses import dataclass
from enum import StrEnum

from meterai.kit.refusal import Malformed

ID_LENGTH_MAX = 100  # characters; an id of ours, the name of a system user, the name of a handler


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
    """An actor: a kind, and the id of that kind if it is known. Refuses `Malformed`."""

    kind: ActorKind
    id: str | None = None

    def __post_init__(self) -> None:
        """Require one line of printable text, so that a record can be read."""
        if self.id is not None and not (
            1 <= len(self.id) <= ID_LENGTH_MAX and self.id.isprintable() and self.id.strip()
        ):
            raise Malformed("actor", "shown_text", length_max=ID_LENGTH_MAX)

    def __str__(self) -> str:
        """Return the text of the audit trail: `account`, `operator:budi`."""
        return self.kind if self.id is None else f"{self.kind}:{self.id}"
