"""What was typed into a form that could not be taken, until its page is shown to the same person again.

Only what a route names (`opt={"keeps": ("quantity",)}`), so no secret; it lies with the browser alone, in
one cookie, and is shown once.  It does nothing by itself: the page asks for another press.
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
LIVES_SECONDS = (
    3_600  # as long as the link of a mail opens: whoever signs in by it has not lost the form
)
# Of the whole cookie: beside our others it stays below what proxies take as one header (4 to 8 KB).
LENGTH_MAX = 2_000
OPTION = "keeps"  # in `opt` of a route
SCOPE = "meterai.kept"  # where the scope of a request has it until there is an answer


@dataclass(frozen=True, slots=True)
class KeptForm:
    """The fields of a form by their names, for whom, and on which page they are shown again."""

    page: str
    account: str  # as text; empty where the browser did not say whose session had ended
    fields: Mapping[str, str]

    @classmethod
    def read(cls, text: str) -> "KeptForm | None":
        """The form of a cookie, or None where it is not one of ours."""
        if not text or len(text) > LENGTH_MAX:
            return None
        try:
            page, account, fields = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (ValueError, TypeError, RecursionError):
            return None
        texts = [page, account, *fields.values()] if isinstance(fields, dict) else [None]
        return cls(page, account, fields) if all(isinstance(one, str) for one in texts) else None

    def text(self) -> str:
        """What the cookie holds; where the fields are too long, no fields."""
        for fields in (self.fields, {}):
            said = json.dumps([self.page, self.account, dict(fields)], separators=(",", ":"))
            text = urlsafe_b64encode(said.encode()).decode().rstrip("=")
            if len(text) <= LENGTH_MAX:
                return text
        return ""

    def is_for(self, page: str, account: str) -> bool:
        """True on its page, for whoever sent it."""
        return self.page == page and self.account in ("", account)


def set_kept(answer: Response[Any], process: ProcessSettings, text: str) -> None:
    """Have the browser keep a form; an empty text has it forget."""
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
