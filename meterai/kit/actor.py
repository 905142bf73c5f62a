"""Who acts.  It travels with the caller, and the audit trail keeps it as text."""

from dataclasses import dataclass
from enum import StrEnum

from meterai.kit.refusal import Malformed

ID_LENGTH_MAX = 100  # characters; an id of ours, a name of the system, the name of a handler


class ActorKind(StrEnum):
    """What somebody is to what is done."""

    VISITOR = "visitor"  # nobody knows who
    ACCOUNT = "account"  # the account it is done to; the id is of its session or API key
    MEMBER = "member"  # a person with a role in the organization; the id is of its own account
    STAFF = "staff"  # somebody who works for the operator; the id is of its own account
    PROVIDER = "provider"  # the bank or switch, by a signed notification
    JOB = "job"  # an event handler or a periodic task; the id is its name
    OPERATOR = "operator"  # at the command line; the id is a name


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a kind, and who of that kind where it is known.  Refuses `Malformed`."""

    kind: ActorKind
    id: str | None = None

    def __post_init__(self) -> None:
        """One line of printable text, so that a record can be read."""
        if self.id is not None and not (
            1 <= len(self.id) <= ID_LENGTH_MAX and self.id.isprintable() and self.id.strip()
        ):
            raise Malformed("actor", "shown_text", length_max=ID_LENGTH_MAX)

    def __str__(self) -> str:
        """`account`, `operator:budi`: what the audit trail keeps."""
        return self.kind if self.id is None else f"{self.kind}:{self.id}"
