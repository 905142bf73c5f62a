"""Refusals of a stand-in outside SNAP: errors with a stable code and an HTTP status. The stand-ins import nothing of the
platform, so they have their own base class.
"""

from typing import ClassVar


class Refusal(Exception):
    """The request is refused; shown as JSON or as a note on the page."""

    code: ClassVar[str]
    status: ClassVar[int] = 409


class NotUnderstood(Refusal):
    """The body is not the expected JSON object, or a field has another type."""

    code = "not_understood"
    status = 400


class NotFound(Refusal):
    """The requested object does not exist."""

    code = "not_found"
    status = 404
