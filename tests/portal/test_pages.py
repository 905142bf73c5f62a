"""Pages without a database: words, rules, and every state."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from litestar import Litestar, get, post
from litestar.testing import TestClient

from meterai import accounts, pages, portal, verification
from meterai.accounts import AccountService, Permission
from meterai.accounts.model import PasskeyView, SessionView
from meterai.accounts.pages import routes as sign_in_routes
from meterai.apps.rooms import pages_of
from meterai.pages import Site, local_path, rendered
from meterai.pages.assets import address
from meterai.pages.model import return_path
from meterai.plumbing.http.bodies import UploadsFull
from meterai.plumbing.messages import (
    LANGUAGES,
    translate,
)
from meterai.portal.routes import routes as portal_routes
from meterai.verification import VerificationService
from meterai.verification.pages import routes as verification_routes
from tests.support.pages import application, asked_by_somebody, browser_of

SITE = Site(*pages_of())
TEMPLATES = [
    path
    for room in (pages, accounts, portal, verification)
    for path in Path(room.__path__[0]).rglob("*.html")
]
NOW = datetime(2026, 11, 24, 8, 4, tzinfo=UTC)
SERIAL = "1QQJXXBQNX00N0WZXZP2FV"
HOSTILE = "<script>alert('surat')</script>.pdf"


@get("/breaks", opt={"permission": Permission.PUBLIC}, include_in_schema=False)
async def breaks() -> str:
    raise RuntimeError("a secret of the inside")


@get("/full", opt={"permission": Permission.PUBLIC}, include_in_schema=False)
async def show_full() -> str:
    return ""


@post("/full", opt={"permission": Permission.PUBLIC}, include_in_schema=False)
async def full() -> str:
    raise UploadsFull("no room")


@pytest.fixture(scope="module")
def app() -> Litestar:
    own = [breaks, show_full, full]
    every = [*portal_routes, *sign_in_routes, *verification_routes, *own]
    return application(every, SITE, AccountService, VerificationService)


@pytest.fixture(scope="module")
def browser(app: Litestar) -> Iterator[TestClient[Litestar]]:
    yield from browser_of(app)


@pytest.fixture(params=LANGUAGES)
def asked(app: Litestar, request: pytest.FixtureRequest) -> Any:
    """Return a request of a signed-in person, in each language."""
    return asked_by_somebody(app, request.param)


# -- words ---------------------------------------------------------------------------------


def test_templates_have_no_inline_script_or_style() -> None:
    for path in TEMPLATES:
        # Our own style, allowed by digest in the policy of its page.
        text = path.read_text().replace("<style>{{ style | safe }}</style>", "")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text), path.name
        assert not re.search(r"<script(?![^>]* src=)", text), path.name
        assert not re.search(r"""(src|href|action)=["']?https?:""", text), path.name


# -- rules ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "",
        "stamp",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: session=x",
        "/\tevil",
        "/" + "a" * 600,
        "/surat\u00e9",
    ],
)
def test_other_path_leads_to_the_front_page(path: str) -> None:
    assert local_path(path) == "/"


@given(some.text(max_size=40))
def test_local_path_never_leads_to_another_host(text: str) -> None:
    path = local_path(text)
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))


@pytest.mark.parametrize(
    ("method", "path", "query", "there"),
    [
        ("GET", "/orders/ord_1", "", "/orders/ord_1"),
        ("GET", "/stamp", "a=1", "/stamp?a=1"),
        ("POST", "/stamp", "", "/stamp"),
        ("POST", "/orders/ord_1/withdraw", "", "/orders/ord_1"),
    ],
)
def test_sign_in_returns_to_the_page(method: str, path: str, query: str, there: str) -> None:
    assert return_path(method, path, query) == there


def test_static_files_are_versioned_and_small() -> None:
    files = SITE.assets
    assert re.fullmatch(r"/static/site\.css\?v=[0-9a-f]{10}", address(files, "site.css"))
    assert len(files["site.css"].content) < 20_000  # on a slow connection the page loads it once
    of_sandbox = {"try.js"}  # for developers alone
    names = {name for name in files if name.endswith(".js")} - of_sandbox
    scripts = [files[name].content for name in names]
    assert sum(map(len, scripts)) <= 25 * 1024  # of all pages together, uncompressed


# -- the account page ---------------------------------------------------------------------


def test_account_page_shows_the_balance(asked: Any) -> None:
    facts = {
        "contact": SimpleNamespace(email="a@b.id"),
        "balance": SimpleNamespace(available=4, held=1, used=7),
        "sessions": [
            SessionView("ses_1", "Chrome", "Android", NOW, None),
            SessionView("ses_2", "", "", NOW, NOW),
        ],
        "this_session": "ses_1",
        "is_fresh": True,
        "made_lately": [HOSTILE],
        "passkeys": [PasskeyView("psk_1", HOSTILE, NOW, None)],
    }
    text = rendered(asked, "portal/account.html", facts)
    assert "/account/passkeys/psk_1/end" in text
    assert "/account/passkeys/options" not in rendered(
        asked, "portal/account.html", facts | {"passkeys": None}
    ), "a place that is reached by a number has none"
    assert "a@b.id" in text
    assert "t" * 32 in text
    assert "<script>alert" not in text
    assert "Chrome di Android" in text or "Chrome on Android" in text
    assert "/account/sessions/ses_2/end" in text
    assert "/account/sessions/ses_1/end" not in text, "this one signs out by its own button"
    assert 'href="/account/keys"' in text


# -- over HTTP, in a browser without a session -----------------------------------------------


def test_front_page_shows_specimen_and_price(browser: TestClient[Litestar]) -> None:
    answer = browser.get("/")
    assert answer.status_code == 200
    assert "SPECIMEN" in answer.text
    assert "Rp10.000" in answer.text
    assert '<html lang="id">' in answer.text
    english = browser.get("/", headers={"Accept-Language": "en-GB,en;q=0.9"})
    assert '<html lang="en">' in english.text


@pytest.mark.parametrize("path", ["/buy", "/history", "/account", "/orders/ord_1"])
def test_stranger_is_redirected_to_sign_in_and_back(
    browser: TestClient[Litestar], path: str
) -> None:
    answer = browser.get(path, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/sign-in?next={path.replace('/', '%2F')}"
    assert f'name="next" value="{path}"' in browser.get(answer.headers["location"]).text


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/code", "/language", "/sign-out", "/check"])
def test_form_of_another_site_is_refused(browser: TestClient[Litestar], path: str) -> None:
    for origin in ("https://evil.example", "null", "http://testserver.local.evil.example"):
        answer = browser.post(path, data={"next": "/"}, headers={"Origin": origin})
        assert answer.status_code == 403
        assert translate("refusal.form_foreign", "id") in answer.text


def test_fault_page_shows_an_id_and_no_internals(browser: TestClient[Litestar]) -> None:
    answer = browser.get("/breaks")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert re.search(r"Nomor: [0-9a-f]{12}", answer.text)


def test_refusal_page_links_back_to_the_requested_page(browser: TestClient[Litestar]) -> None:
    answer = browser.post("/full")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert 'class="button" href="/full"' in answer.text
    assert "setelah 5 detik" in answer.text
    assert translate("refusal.uploads_full", "id") in answer.text
    # A command has no page of its own, and an unknown path is not retried.
    assert 'class="button" href="/breaks?a=1"' in browser.get("/breaks?a=1").text
    for path, kind in (("/tidak-ada", "lost"), ("/language", "refused")):
        shown = browser.get(path).text
        assert 'class="button"' not in shown
        assert f">{translate(f'page.refused.{kind}', 'id')}</h1>" in shown


def test_forms_of_signed_in_pages_have_a_token() -> None:
    public = {
        "choose.html",
        "front.html",
        "link.html",
        "part.html",
        "again.html",
        "many.html",
        "verdict.html",
        "base.html",
        "parts.html",
    }
    for path in TEMPLATES:
        forms = re.findall(r'<form[^>]*method="post".*?</form>', path.read_text(), re.DOTALL)
        if path.name not in public:
            assert all("parts.token()" in form for form in forms), path.name
