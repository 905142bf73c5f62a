"""Cookies of sign-in: their content and lifetime."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from uuid import UUID

from litestar.datastructures import Cookie

from meterai.kit.ids import compact, from_compact
from meterai.pages import Page, PageRequest
from meterai.plumbing.config import ProcessSettings
from meterai.plumbing.http.requests import cookie_name

LANGUAGE = "language"
ASKED = "asked"  # sign-in that began in this browser, see `Begun`
PASSKEY = "passkey"  # challenge for the authenticator
DEVICE = "device"  # addresses that signed in with this browser; authenticates nobody
KEPT_SECONDS = 31_536_000  # lifetime of the language and device cookies


@dataclass(frozen=True, slots=True)
class Begun:
    """Content of the cookie of a sign-in that began in this browser: challenge, address, and the mark of the browser.

    The cookie alone does not sign in.
    """

    challenge: UUID
    email: str  # used only to show it again
    mark: str

    @classmethod
    def read(cls, text: str) -> "Begun | None":
        """Parse the cookie of a sign-in; None if it is malformed."""
        challenge, _, rest = text.partition(".")
        email, _, mark = rest.partition(".")
        try:
            padded = email + "=" * (-len(email) % 4)
            return cls(from_compact(challenge), urlsafe_b64decode(padded).decode(), mark)
        except ValueError:  # not an id, not base64, not ASCII, or not UTF-8
            return None

    def text(self) -> str:
        """Return the text of the cookie."""
        email = urlsafe_b64encode(self.email.encode()).decode().rstrip("=")
        return f"{compact(self.challenge)}.{email}.{self.mark}"


def set_cookie(
    process: ProcessSettings, answer: Page, name: str, value: str, seconds: float
) -> None:
    """Set a cookie in an answer; it lives for `seconds`, and 0 deletes it."""
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
    """Return the text of a cookie that we set; empty if the request has no such cookie."""
    return request.cookies.get(cookie_name(name, process), "")
