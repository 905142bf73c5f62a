"""A refusal: an exception by which a request is declined for a reason of the domain.

A refusal's `code` is a public promise: clients branch on it, translations are keyed by it and
dashboards count it, so a code is never renamed or reused.  Anything else that is raised is a
fault: it becomes a 500 and is logged and counted as an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from meterai.kit.text import one_line

FIELD_LENGTH_MAX = 100  # characters of a field's name; no name of ours is as long


class Refusal(Exception):
    """The request was understood and declined.  Subclass it in the room that declines.

    The message is for the log (subject, found, expected); the text for the person is a
    translation keyed by `code` and filled from `facts()`.  Neither holds secrets or personal
    data.
    """

    code: ClassVar[str]
    status: ClassVar[int] = 409
    # After so many seconds the same request may succeed by itself; None where time changes nothing.
    retry_after_seconds: ClassVar[int | None] = None
    # The limit that was reached, and the fact that says how much it is, where there is one.
    quota: ClassVar[tuple[str, str] | None] = None
    # Whether a command that is refused so may succeed later, where its status does not say: 503 does.
    passes: ClassVar[bool | None] = None
    # Whether what was asked for may have been done all the same: then nobody is told that nothing was.
    may_be_done: ClassVar[bool] = False

    def facts(self) -> dict[str, object]:
        """What a client needs to act, safe to show to the account that asked."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


class CommandRefusal(Refusal):
    """Declines a command of whoever operates the platform, or the start of a process.

    No request is answered so: what is written for those who ask us does not list it.
    """


_BY_CODE: dict[str, type[Refusal]] = {}
_BY_CONSTRAINT: dict[str, type[Refusal]] = {}


def refusal_of_database(kind: type[Refusal]) -> type[Refusal]:
    """Declare that `refuse(kind.code, ...)` in plpgsql is this refusal."""
    _BY_CODE[kind.code] = kind
    return kind


def refusal_of_constraint(name: str, kind: type[Refusal]) -> None:
    """Declare that breaking the named constraint is this refusal, which has no facts."""
    _BY_CONSTRAINT[name] = kind


def declared_for_code(code: str) -> type[Refusal] | None:
    """What `refusal_of_database` declared, or None: then the error of the database is a fault."""
    return _BY_CODE.get(code)


def declared_for_constraint(name: str | None) -> type[Refusal] | None:
    """What `refusal_of_constraint` declared, or None: then the broken constraint is a fault."""
    return _BY_CONSTRAINT.get(name) if name else None


class NotFound(Refusal):
    """No such thing, or not yours: a stranger must not learn which."""

    code = "not_found"
    status = 404


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence by its key in the catalogue and what fills it: told in the reader's language, and to a
    program by its code, the last part of the key, beside the facts."""

    key: str
    facts: Mapping[str, object]

    @property
    def code(self) -> str:
        """The code that a program branches on."""
        return self.key.rpartition(".")[2]


class Malformed(Refusal):
    """A field is missing or has a value that cannot be understood.

    What is expected is a code, as stable as that of a refusal: its sentence is `expected.<code>`, filled
    from `facts`.  So no words of a parser reach a client.
    """

    code = "malformed"
    status = 422

    def __init__(self, field: str, expected: str, /, **facts: object) -> None:
        # The field may be a name that the client made up.
        self.field = one_line(field[:FIELD_LENGTH_MAX])
        super().__init__(f"{self.field}: expected {expected}")
        self.expected = Sentence(f"expected.{expected}", facts)


class SignInRequired(Refusal):
    """The request says not who it is from, or what it says is not valid."""

    code = "sign_in_required"
    status = 401


class ProofRequired(Refusal):
    """Who asks is known, but proved it too long ago for what is asked: a session may be stolen."""

    code = "proof_required"
    status = 403
