"""A person with a browser before the whole web application, in the test's own process."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

from httpx import Cookies, Response
from litestar import Litestar
from litestar.testing import TestClient

from meterai.accounts import CodeService
from meterai.accounts.pages import Begun
from meterai.room import Container
from tests.support.pdf import pdf
from tests.support.within import browsed, settings_of


def fields(text: str, action: str, named: str = "") -> dict[str, str]:
    """Fields of the first form with this action and with a field of this name, with their values."""
    for form in re.findall(rf'<form[^>]*action="{re.escape(action)}".*?</form>', text, re.S):
        found = {}
        for one in re.findall(r"<input[^>]*>", form):
            name = re.search(r'name="([^"]*)"', one)
            value = re.search(r'value="([^"]*)"', one)
            is_chosen = 'type="radio"' not in one or " checked" in one
            if name and 'type="checkbox"' not in one and is_chosen:
                found[name[1]] = unescape(value[1]) if value else ""
        if not named or named in found:
            return found
    raise AssertionError(f"no form for {action} with {named}: {text}")


class WalkIn:
    """A browser: its cookies, and the page that it was shown last."""

    def __init__(self, client: TestClient[Litestar]) -> None:
        self.client = client
        client.follow_redirects = False
        client.headers.update({"Accept": "text/html", "Accept-Language": "en"})

    @property
    def container(self) -> Container:
        found: Container = self.client.app.state.container
        return found

    def get(self, path: str) -> str:
        """The page at a path, which must exist."""
        shown = self.client.get(path)
        assert shown.status_code == 200, (shown.status_code, shown.headers, shown.text)
        return shown.text

    def sends(self, path: str, form: Mapping[str, str], **headers: str) -> Response:
        return self.client.post(path, data=dict(form), headers=headers)

    def goes(self, path: str, form: Mapping[str, str]) -> str:
        """Submit a form that must succeed, and return the address to which it leads."""
        sent = self.sends(path, form)
        assert sent.status_code == 303, (sent.status_code, sent.text)
        return sent.headers["location"]

    def cookie(self, name: str) -> str:
        return self.client.cookies.get(name) or ""

    def code(self) -> str:
        """The code of the mail that this browser requested."""
        begun = Begun.read(self.cookie("asked"))
        assert begun is not None
        return self.container.of(CodeService).code(begun.challenge)

    def signs_in(self, email: str = "ani@example.id", there: str = "/account") -> None:
        """Sign in on the pages for that purpose."""
        asked = self.goes("/sign-in", {"email": email, "next": there})
        form = fields(self.get(asked), "/sign-in/code", "code")
        assert self.goes("/sign-in/code", form | {"code": self.code()}) == there

    def places(self, name: str = "surat.pdf", content: bytes | None = None) -> str:
        """Choose a document and accept the suggested place. Return the review page."""
        document = {"document": (name, content or pdf(words=name), "application/pdf")}
        assert self.client.post("/stamp/files", files=document).status_code == 303
        form = fields(self.get("/stamp/place"), "/stamp/place", "file")
        assert self.goes("/stamp/place", form | {"do": "use"}) == "/stamp/pay"
        return self.get("/stamp/pay")

    @contextmanager
    def as_another(self) -> Iterator[None]:
        """Within the block, use the application from a browser without these cookies."""
        kept = Cookies(self.client.cookies)
        self.client.cookies.clear()
        yield
        self.client.cookies.clear()
        self.client.cookies.update(kept)


@contextmanager
def walk_in(database_url: str, directory: Path, **more: Any) -> Iterator[WalkIn]:
    """A browser before an application that reaches no bank."""
    with browsed(settings_of(database_url, directory, **more)) as client:
        yield WalkIn(client)
