"""A refusal: the platform saying no for a reason that belongs to the domain.

A refusal's `code` is a public promise: clients branch on it, translations are keyed by it and
dashboards count it, so a code is never renamed or reused.  Anything else that is raised is a
fault: it becomes a 500 and wakes somebody.
"""

from typing import ClassVar


class Refusal(Exception):
    """The request was understood and declined.  Subclass it in the room that declines.

    The message is for the log (subject, found, expected); the text for the person is a
    translation keyed by `code` and filled from `facts()`.  Neither holds secrets or personal
    data.
    """

    code: ClassVar[str]
    status: ClassVar[int] = 409

    def facts(self) -> dict[str, object]:
        """What a client needs to act, safe to show to the account that asked."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


class NotFound(Refusal):
    """No such thing, or not yours: a stranger must not learn which."""

    code = "not_found"
    status = 404


class Malformed(Refusal):
    """A field is missing or has a value that cannot be understood."""

    code = "malformed"
    status = 422

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: expected {expected}")
        self.field = field
        self.expected = expected
