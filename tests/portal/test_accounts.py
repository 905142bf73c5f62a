"""Sign-in and API keys, in a browser behind TLS and one proxy, and over the API."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from httpx import Cookies
from litestar import Litestar
from litestar.exceptions import HTTPException
from litestar.testing import TestClient

from meterai import pages
from meterai.accounts import (
    AccountService,
    CodeService,
    PasskeyService,
    Permission,
    SigningIn,
    require_permission,
)
from meterai.accounts.pages import routes as sign_in_routes
from meterai.accounts.routes import routes as account_routes
from meterai.apps.rooms import pages_of, services_of
from meterai.apps.settings import settings_of as make_settings
from meterai.kit.clock import SystemClock
from meterai.kit.ids import read
from meterai.kit.refusal import Refusal
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.http.callers import injected
from meterai.plumbing.http.problems import on_http_exception, on_refusal
from meterai.plumbing.messages import format_clock
from meterai.portal.routes import routes

URL = "https://meterai.example.id"
SETTINGS = make_settings(public_url=URL, proxies=1, codes_per_hour_max=2)
ANI = "ani@example.id"
Browser = TestClient[Litestar]


def application(url: str, settings: Settings) -> Litestar:
    """Return the portal and the routes of accounts over a real database."""
    database = Database(url, connections=4)
    given = database, b"k" * 32, settings, SystemClock()
    service, codes, passkeys = AccountService(*given), CodeService(*given), PasskeyService(*given)

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        await database.open()
        app.state.services = {
            Settings: settings,
            Database: database,
            AccountService: service,
            CodeService: codes,
            PasskeyService: passkeys,
            SigningIn: SigningIn(codes, passkeys, service, settings),
            pages.Site: pages.Site(*pages_of()),
        }
        app.state.authenticator = service
        yield
        await database.close()

    return Litestar(
        [*routes, *sign_in_routes, *account_routes, *pages.static_files(Permission.PUBLIC)],
        dependencies=injected(services_of()),
        before_request=require_permission,
        lifespan=[lifespan],
        exception_handlers={
            Refusal: pages.page_or_problem(on_refusal),
            HTTPException: pages.page_or_problem(on_http_exception),
        },
    )


@pytest.fixture
def app(database_url: str) -> Litestar:
    return application(database_url, SETTINGS)


def browser_of(app: Litestar, language: str = "en") -> Browser:
    """Return a browser without cookies, whose requests pass our proxy."""
    browser = TestClient(app, base_url=URL)
    browser.follow_redirects = False
    browser.headers.update(
        {"Accept": "text/html", "Accept-Language": language, "X-Forwarded-For": "203.0.113.7"}
    )
    return browser


@pytest.fixture
def browser(app: Litestar) -> Iterator[Browser]:
    with browser_of(app) as made:
        yield made


@contextmanager
def somebody_else(browser: Browser) -> Iterator[Browser]:
    """Return the same application for a client without the cookies."""
    kept = Cookies(browser.cookies)
    browser.cookies.clear()
    yield browser
    browser.cookies.clear()
    browser.cookies.update(kept)


def ask(browser: Browser, email: str = ANI, **headers: str) -> Any:
    return browser.post("/sign-in", data={"email": email, "next": "/account"}, headers=headers)


def enter_code(browser: Browser, asked: Any) -> Any:
    assert asked.status_code == 303, asked.text
    challenge = parse_qs(urlsplit(asked.headers["location"]).query)["challenge"][0]
    codes = browser.app.state.services[CodeService]
    code = codes.code(read("chl", challenge))
    form = {"challenge": challenge, "code": code, "next": "/account"}
    return browser.post("/sign-in/code", data=form)


def sign_in(browser: Browser, email: str = ANI) -> Any:
    done = enter_code(browser, ask(browser, email))
    assert (done.status_code, done.headers["location"]) == (303, "/account"), done.text
    return done


def fields(text: str, action: str) -> dict[str, str]:
    """Return the hidden fields of the form with this action."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', text, re.S)
    assert form, action
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[0]))


def make_key(browser: Browser, name: str = "kasir") -> str:
    form = fields(browser.get("/account/keys").text, "/account/keys")
    shown = browser.post("/account/keys", data=form | {"name": name})
    assert shown.status_code == 201 or shown.status_code == 200, shown.text
    assert shown.headers["cache-control"] == "private, no-store"
    key = re.search(r"mtr_[\w-]+", shown.text)
    assert key
    return key[0]


# -- cookies ---------------------------------------------------------------------------------


def test_cookies_are_bound_to_host_and_tls(browser: Browser) -> None:
    answers = [ask(browser), sign_in(browser), browser.post("/language", data={"language": "id"})]
    token = fields(browser.get("/account").text, "/sign-out")
    answers.append(browser.post("/sign-out", data=token))
    cookies = [one for answer in answers for one in answer.headers.get_list("set-cookie")]
    names = {one.partition("=")[0] for one in cookies}
    assert names == {f"__Host-{name}" for name in ("asked", "session", "device", "language")}
    for one in cookies:
        attributes = [part.strip().lower() for part in one.split(";")[1:]]
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= set(attributes), one
        assert not any(part.startswith("domain") for part in attributes), one
    assert "__Host-session" not in browser.cookies, "signing out takes it away"
    assert browser.get("/account").headers["location"].startswith("/sign-in")


def test_cookie_settable_by_a_sibling_domain_is_ignored(browser: Browser) -> None:
    sign_in(browser)
    session = browser.cookies["__Host-session"]
    with somebody_else(browser) as other:
        other.cookies.set("session", session)
        assert other.get("/account").headers["location"].startswith("/sign-in")
        other.cookies.set("__Host-session", session)
        assert other.get("/account").status_code == 200


# -- limits ----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["id", "en"])
def test_page_of_too_many_codes_shows_the_retry_time(app: Litestar, language: str) -> None:
    with browser_of(app, language) as browser:
        ask(browser)
        ask(browser)
        before = SystemClock().now()
        refused = ask(browser)
        assert refused.status_code == 429
        seconds = int(refused.headers["retry-after"])
        assert 3_590 <= seconds <= 3_660
        # The header and the page show the same minute.
        at = (before + timedelta(seconds=seconds)).replace(second=0, microsecond=0)
        said = {format_clock(at + timedelta(minutes=n), language) for n in (0, 1)}
        assert any(one in unescape(refused.text) for one in said), refused.text
        assert 'role="alert"' in refused.text


def test_stranger_does_not_lock_out_a_known_browser(browser: Browser) -> None:
    sign_in(browser)
    browser.cookies.delete("__Host-session")
    with somebody_else(browser) as stranger:
        while ask(stranger).status_code == 303:
            pass
        assert ask(stranger).status_code == 429
    sign_in(browser)


def test_forged_forwarding_headers_do_not_change_the_network(database_url: str) -> None:
    settings = make_settings(public_url=URL, proxies=1, codes_per_hour_per_network_max=3)
    with browser_of(application(database_url, settings)) as browser:
        del browser.headers["X-Forwarded-For"]
        said = []
        for number in range(6):
            lines = [("X-Forwarded-For", f"6.6.6.{number}"), ("X-Forwarded-For", "203.0.113.7")]
            form = {"email": f"a{number}@example.id", "next": "/"}
            said.append(browser.post("/sign-in", data=form, headers=lines).status_code)
        assert said == [303] * 3 + [429] * 3


# -- keys ------------------------------------------------------------------------------------


def test_owner_makes_lists_uses_and_ends_a_key(browser: Browser) -> None:
    sign_in(browser)
    key = make_key(browser, "kasir <toko>")
    shown = browser.get("/account/keys").text
    assert "kasir &lt;toko&gt;" in shown
    assert key not in shown, "its text is shown once"
    bearer = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
    [listed] = browser.get("/v1/api-keys", headers=bearer).json()["api_keys"]
    assert listed["name"] == "kasir <toko>"
    assert listed["ended_at"] is None
    made, used = (datetime.fromisoformat(listed[name]) for name in ("made_at", "last_used_at"))
    assert made <= used
    assert key[-32:] not in str(listed)
    action = f"/account/keys/{listed['id']}/end"
    ended = browser.post(action, data=fields(browser.get("/account/keys").text, action))
    assert (ended.status_code, ended.headers["location"]) == (303, "/account/keys")
    assert browser.get("/v1/api-keys", headers=bearer).status_code == 401
    assert action not in browser.get("/account/keys").text


def test_keys_of_another_account_are_not_found(browser: Browser) -> None:
    sign_in(browser)
    make_key(browser)
    [theirs] = re.findall(r"/account/keys/(key_\w+)/end", browser.get("/account/keys").text)
    with somebody_else(browser) as stranger:
        assert stranger.post(f"/account/keys/{theirs}/end").headers["location"] == (
            "/sign-in?next=%2Faccount%2Fkeys"
        )
        sign_in(stranger, "budi@example.id")
        page = stranger.get("/account/keys").text
        assert theirs not in page
        form = fields(stranger.get("/account").text, "/sign-out")
        assert stranger.post(f"/account/keys/{theirs}/end", data=form).status_code == 404
        assert stranger.post("/account/keys/nonsense/end", data=form).status_code == 404
        ours = fields(page, "/account/keys") | {"name": "x"}
        stolen = stranger.post("/account/keys", data=ours | {"form_token": "t" * 32})
        assert stolen.status_code == 403
    assert f"/account/keys/{theirs}/end" in browser.get("/account/keys").text


# -- sessions --------------------------------------------------------------------------------


def test_new_sign_in_ends_the_previous_session(browser: Browser) -> None:
    sign_in(browser)
    sign_in(browser)
    assert browser.get("/account").text.count("this device") >= 1
    assert "/account/sessions/" not in browser.get("/account").text


# -- a form sent twice ----------------------------------------------------------------------------


def test_form_sent_twice_signs_in_with_either_answer(browser: Browser) -> None:
    asked = ask(browser)
    assert 'data-busy="' in browser.get(asked.headers["location"]).text
    before = Cookies(browser.cookies)
    assert enter_code(browser, asked).status_code == 303
    browser.cookies.clear()
    browser.cookies.update(before)  # the browser dropped the first answer
    assert enter_code(browser, asked).headers["location"] == "/account"
    assert browser.get("/account").status_code == 200
    assert enter_code(browser, asked).status_code == 422, "the mark goes with the first answer"
    browser.cookies.clear()
    assert enter_code(browser, asked).status_code == 422, "nobody else has it"


# -- change of language
# -----------------------------------------------------------------------------


# -- documents that are too large together -----------------------------------------------------


# -- a stolen session
# -------------------------------------------------------------------------------


def age(browser: Browser) -> None:
    """Sign in, and make the session an hour old."""
    sign_in(browser)
    database = browser.app.state.services[Database]
    aged = "UPDATE sessions SET created_at = now() - interval '1 hour' WHERE ended_at IS NULL"
    with psycopg.connect(database.url) as owner:
        owner.execute(aged)


def told(browser: Browser) -> list[tuple[str, str, str]]:
    """Return (kind, change, name) of the mails to the owner."""
    database = browser.app.state.services[Database]
    query = "SELECT facts FROM jobs WHERE kind = 'credential_changed' ORDER BY job_id"
    with psycopg.connect(database.url) as owner:
        found = [row[0] for row in owner.execute(query)]
    return [(one["kind"], one["change"], one["name"]) for one in found]


def test_stolen_session_makes_no_lasting_credential(browser: Browser) -> None:
    age(browser)
    form = fields(browser.get("/account").text, "/sign-out")
    for path in ("/account/passkeys/options", "/account/passkeys", "/account/keys"):
        asked = browser.post(path, data=form | {"name": "x"})
        assert asked.headers["location"].startswith("/sign-in/again"), path
    script = browser.post("/account/passkeys/options", data=form, headers={"Accept": "*/*"})
    assert script.status_code == 403
    assert script.json()["code"] == "proof_required"


def test_sign_out_everywhere_can_end_recent_credentials(browser: Browser) -> None:
    sign_in(browser)
    key, old = make_key(browser, "baru"), make_key(browser, "lama")
    database = browser.app.state.services[Database]
    with psycopg.connect(database.url) as owner:
        owner.execute(
            "UPDATE api_keys SET created_at = now() - interval '40 days' WHERE name = 'lama'"
        )
    page = browser.get("/account").text
    assert "made in the last 30 days: baru<" in page.replace("</label>", "<")
    form = fields(page, "/account/sign-out-everywhere") | {"made_lately": "1"}
    assert browser.post("/account/sign-out-everywhere", data=form).status_code == 303
    headers = {"Accept": "application/json"}
    said = [
        browser.get(
            "/v1/api-keys", headers=headers | {"Authorization": f"Bearer {one}"}
        ).status_code
        for one in (key, old)
    ]
    assert said == [401, 200]
    assert ("api_key", "ended", "baru") in told(browser)
