"""Refusals: exceptions that decline a request for a reason of the domain.

The `code` of a refusal is a public promise: clients branch on it, translations are keyed by it and dashboards count
it, so a code is never renamed or reused. Any other exception is a fault: it becomes a 500 and is logged and counted as
an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from meterai.kit.text import one_line

FIELD_LENGTH_MAX = 100  # characters of a field's name; longer than any name of ours


class Refusal(Exception):
    """The request was understood and declined. The room that declines defines the subclass.

    The message is for the log (subject, found, expected). The text for the person is a translation keyed by `code` and
    filled from `facts()`. Neither contains secrets or personal data.
    """

    code: ClassVar[str]
    status: ClassVar[int] = 409
    # Seconds after which the same request may succeed; None if time changes nothing.
    retry_after_seconds: ClassVar[int | None] = None
    # The reached limit, and the name of the fact with its value, if there is one.
    quota: ClassVar[tuple[str, str] | None] = None
    # True if a command refused with this may succeed later, where its status does not tell: 503 does.
    passes: ClassVar[bool | None] = None
    # True if the requested act may have been done nevertheless: then the answer does not claim that nothing was done.
    may_be_done: ClassVar[bool] = False

    def facts(self) -> dict[str, object]:
        """Return what a client needs to act, safe to show to the calling account."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


class CommandRefusal(Refusal):
    """Declines a command of an operator, or the start of a process.

    No request gets such an answer: the documentation for clients does not list it.
    """


_BY_CODE: dict[str, type[Refusal]] = {}
_BY_CONSTRAINT: dict[str, type[Refusal]] = {}


def refusal_of_database(kind: type[Refusal]) -> type[Refusal]:
    """Declare that `refuse(kind.code, ...)` in plpgsql raises this refusal."""
    _BY_CODE[kind.code] = kind
    return kind


def refusal_of_constraint(name: str, kind: type[Refusal]) -> None:
    """Declare that a violation of the named constraint is this refusal, which has no facts."""
    _BY_CONSTRAINT[name] = kind


def declared_for_code(code: str) -> type[Refusal] | None:
    """Return the refusal declared for a code, or None: then the database error is a fault."""
    return _BY_CODE.get(code)


def declared_for_constraint(name: str | None) -> type[Refusal] | None:
    """Return the refusal declared for a constraint, or None: then its violation is a fault."""
    return _BY_CONSTRAINT.get(name) if name else None


class NotFound(Refusal):
    """Nothing has this id, or it belongs to another account: the caller must not learn which."""

    code = "not_found"
    status = 404


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence by its key in the catalogue, with its facts: in the reader's language for people, for programs as its
    code, the last part of the key, beside the facts.
    """

    key: str
    facts: Mapping[str, object]

    @property
    def code(self) -> str:
        """Code for programs to branch on."""
        return self.key.rpartition(".")[2]


class Malformed(Refusal):
    """A field is missing or has an invalid value.

    The expectation is a code, as stable as that of a refusal: its sentence is `expected.<code>`, filled from `facts`.
    So no text of a parser reaches a client.
    """

    code = "malformed"
    status = 422

    def __init__(self, field: str, expected: str, /, **facts: object) -> None:
        # The field may be a name invented by the client.
        self.field = one_line(field[:FIELD_LENGTH_MAX])
        super().__init__(f"{self.field}: expected {expected}")
        self.expected = Sentence(f"expected.{expected}", facts)


class SignInRequired(Refusal):
    """The request has no credentials, or invalid ones."""

    code = "sign_in_required"
    status = 401


class ProofRequired(Refusal):
    """The caller is known, but their proof is too old for this act: the session may be stolen."""

    code = "proof_required"
    status = 403
