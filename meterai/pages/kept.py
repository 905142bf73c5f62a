"""Typed fields of a form that was not accepted, kept until the page of the form is shown again to the same person.

A route names the kept fields (`opt={"keeps": ("quantity",)}`), never a secret.  They are stored in a cookie of the
browser and shown once.  The form is not sent again automatically: the person submits it again.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Response
from litestar.datastructures import Cookie

from meterai.plumbing.config import ProcessSettings
from meterai.plumbing.http.requests import cookie_name

COOKIE = "kept"
# As long as a sign-in link is valid, so that signing in by it does not lose the form.
LIVES_SECONDS = 3_600
# Characters of the cookie: together with our other cookies it stays below the header limit of proxies (4 to 8 KB).
LENGTH_MAX = 2_000
OPTION = "keeps"  # key in `opt` of a route
# Key in the scope of a request, under which the kept form waits for the answer.
SCOPE = "meterai.kept"


@dataclass(frozen=True, slots=True)
class KeptForm:
    """The kept fields of a form, with the account and the page they belong to."""

    page: str
    account: str  # as text; empty if the browser sent no session
    fields: Mapping[str, str]

    @classmethod
    def read(cls, text: str) -> "KeptForm | None":
        """Parse the text of a cookie; None if it is malformed."""
        if not text or len(text) > LENGTH_MAX:
            return None
        try:
            page, account, fields = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (ValueError, TypeError, RecursionError):
            return None
        texts = [page, account, *fields.values()] if isinstance(fields, dict) else [None]
        return cls(page, account, fields) if all(isinstance(one, str) for one in texts) else None

    def text(self) -> str:
        """Return the text of the cookie; the fields are left out if they are too long."""
        for fields in (self.fields, {}):
            said = json.dumps([self.page, self.account, dict(fields)], separators=(",", ":"))
            text = urlsafe_b64encode(said.encode()).decode().rstrip("=")
            if len(text) <= LENGTH_MAX:
                return text
        return ""

    def is_for(self, page: str, account: str) -> bool:
        """True if the form belongs to this page and this account; a form kept without an account belongs to
        every account.
        """
        return self.page == page and self.account in ("", account)


def set_kept(answer: Response[Any], process: ProcessSettings, text: str) -> None:
    """Set the cookie of a kept form; an empty text deletes it."""
    answer.set_cookie(
        Cookie(
            cookie_name(COOKIE, process),
            path="/",
            value=text,
            max_age=LIVES_SECONDS if text else 0,
            secure=process.is_secure,
            httponly=True,
            samesite="lax",
        )
    )
