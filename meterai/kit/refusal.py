"""Refusals: exceptions that decline a request for a reason of the domain.

The `code` of a refusal is a public promise: clients branch on it, translations are keyed by it and dashboards count
it, so a code is never renamed or reused. Any other exception is a fault: it becomes a 500 and is logged and counted as
an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from meterai.kit.text import one_line

FIELD_LENGTH_MAX = 100  # characters of a field's name; all our names are shorter


class Refusal(Exception):
    """The request was understood and declined. The room that declines it defines the subclass.

    The message is for the log, and states the subject, the value found and the value expected. The text for the person is a
    translation keyed by `code` and filled from `facts()`. Neither contains secrets or personal data.
    """

    code: ClassVar[str]
    status: ClassVar[int] = 409
    # Seconds after which the same request may succeed; None if waiting does not help.
    retry_after_seconds: ClassVar[int | None] = None
    # (name of the limit, name of the fact with its value) if a limit was reached.
    quota: ClassVar[tuple[str, str] | None] = None
    # True if a command refused with this may succeed later; None: as the status says, where 503 means true.
    passes: ClassVar[bool | None] = None
    # True if the requested act may have been done nevertheless: then the answer does not say that nothing was done.
    may_be_done: ClassVar[bool] = False

    def facts(self) -> dict[str, object]:
        """Return the facts that a client needs to react; all are safe to show to the calling account."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


class CommandRefusal(Refusal):
    """Declines a command of an operator, or the start of a process.

    It never answers a request, so the documentation for clients does not list it.
    """


_BY_CODE: dict[str, type[Refusal]] = {}
_BY_CONSTRAINT: dict[str, type[Refusal]] = {}


def refusal_of_database(kind: type[Refusal]) -> type[Refusal]:
    """Declare that `refuse(kind.code, ...)` in plpgsql raises this refusal."""
    _BY_CODE[kind.code] = kind
    return kind


def refusal_of_constraint(name: str, kind: type[Refusal]) -> None:
    """Declare that a violation of the named constraint raises this refusal, which has no facts."""
    _BY_CONSTRAINT[name] = kind


def declared_for_code(code: str) -> type[Refusal] | None:
    """Return the refusal declared for a code of `refuse`; None if there is none: then the database error is a fault."""
    return _BY_CODE.get(code)


def declared_for_constraint(name: str | None) -> type[Refusal] | None:
    """Return the refusal declared for a constraint; None if there is none: then its violation is a fault."""
    return _BY_CONSTRAINT.get(name) if name else None


class NotFound(Refusal):
    """No object has this id, or it belongs to another account: the caller must not learn which."""

    code = "not_found"
    status = 404


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the message catalogue, given by its key and the facts that fill it.

    People get it in their language; programs get its code, which is the last part of the key, and the facts.
    """

    key: str
    facts: Mapping[str, object]

    @property
    def code(self) -> str:
        """The code of the sentence, for programs to branch on."""
        return self.key.rpartition(".")[2]


class Malformed(Refusal):
    """A field is missing or has an invalid value.

    `expected` is a stable code, like the code of a refusal; its sentence is the message `expected.<code>`, filled from `facts`.
    So no text of a parser reaches a client.
    """

    code = "malformed"
    status = 422

    def __init__(self, field: str, expected: str, /, **facts: object) -> None:
        # A client may have invented the name of the field.
        self.field = one_line(field[:FIELD_LENGTH_MAX])
        super().__init__(f"{self.field}: expected {expected}")
        self.expected = Sentence(f"expected.{expected}", facts)


class SignInRequired(Refusal):
    """The request has no credentials, or invalid credentials."""

    code = "sign_in_required"
    status = 401


class ProofRequired(Refusal):
    """The caller is known, but signed in too long ago for this act: the session may be stolen."""

    code = "proof_required"
    status = 403
