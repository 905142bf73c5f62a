"""How a stand-in refuses outside SNAP: an error with a stable code and an HTTP status.

The stand-ins know nothing of the platform, so they have a base class of their own.
"""

from typing import ClassVar


class Refusal(Exception):
    """The request is declined; shown as JSON or as a note on the page."""

    code: ClassVar[str]
    status: ClassVar[int] = 409


class NotUnderstood(Refusal):
    """The body is not the JSON object that was expected, or a field has another type."""

    code = "not_understood"
    status = 400


class NotFound(Refusal):
    """There is no such thing here."""

    code = "not_found"
    status = 404
