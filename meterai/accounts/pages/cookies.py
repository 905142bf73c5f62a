"""The cookies of signing in: what each holds, and for how long."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from uuid import UUID

from litestar.datastructures import Cookie

from meterai.kit.ids import compact, from_compact
from meterai.pages import Page, PageRequest
from meterai.plumbing.config import ProcessSettings
from meterai.plumbing.http.requests import cookie_name

LANGUAGE = "language"
ASKED = "asked"  # the sign-in that began here, see `Begun`
PASSKEY = "passkey"  # with which challenge of a passkey was asked
DEVICE = "device"  # which addresses signed in here; opens nothing
KEPT_SECONDS = 31_536_000  # of what a browser chose, or did, for good


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that began in this browser: which code was sent, where to, and the mark of whoever
    asked.  By itself it opens nothing.
    """

    challenge: UUID
    email: str  # only to be shown again
    mark: str

    @classmethod
    def read(cls, text: str) -> "Begun | None":
        """The sign-in of a cookie, or None where it is not one of ours."""
        challenge, _, rest = text.partition(".")
        email, _, mark = rest.partition(".")
        try:
            padded = email + "=" * (-len(email) % 4)
            return cls(from_compact(challenge), urlsafe_b64decode(padded).decode(), mark)
        except ValueError:  # no id, not base64, not ASCII, not UTF-8
            return None

    def text(self) -> str:
        """What the cookie holds."""
        email = urlsafe_b64encode(self.email.encode()).decode().rstrip("=")
        return f"{compact(self.challenge)}.{email}.{self.mark}"


def set_cookie(
    process: ProcessSettings, answer: Page, name: str, value: str, seconds: float
) -> None:
    """Set a cookie for so many seconds; one without time left is deleted by the browser."""
    answer.set_cookie(
        Cookie(
            cookie_name(name, process),
            path="/",
            value=value,
            max_age=int(seconds),
            secure=process.is_secure,
            httponly=True,
        )
    )


def cookie(process: ProcessSettings, request: PageRequest, name: str) -> str:
    """The text of a cookie of ours, empty where there is none."""
    return request.cookies.get(cookie_name(name, process), "")
