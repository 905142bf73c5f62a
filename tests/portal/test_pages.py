"""Pages without a database: words, rules, and every state."""

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from jinja2 import meta
from litestar import Litestar, get, post
from litestar.testing import TestClient

from meterai import accounts, pages, portal, verification
from meterai.accounts import AccountService, ApiKeyView, Permission
from meterai.accounts.model import KeyMaker, PasskeyView, SessionView
from meterai.accounts.pages import routes as sign_in_routes
from meterai.apps import edge
from meterai.apps.rooms import pages_of
from meterai.kit.refusal import CommandRefusal
from meterai.orders import OrderState
from meterai.pages import Site, form_key, fresh_key, local_path, rendered
from meterai.pages.assets import address
from meterai.pages.model import FormForeign, return_path, wants_page
from meterai.payments import Stage, Way
from meterai.plumbing.http.bodies import UploadsFull
from meterai.plumbing.http.requests import saved_as
from meterai.plumbing.messages import (
    LANGUAGES,
    catalogue,
    translate,
)
from meterai.portal import reference
from meterai.portal.pages import stamped_name
from meterai.portal.routes import routes as portal_routes
from meterai.stamping import StampingState, why_refused
from meterai.stamps import StampState
from meterai.verification import VerificationService
from meterai.verification.pages import routes as verification_routes
from tests.support.pages import application, asked_by_somebody, browser_of
from tests.tidy.sources import refusals

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


def used_keys() -> set[str]:
    """Return the complete message keys of a template."""
    texts = [path.read_text() for path in TEMPLATES]
    return {key for text in texts for key in re.findall(r"""\bt\(\s*["']([a-z0-9_.]+)["']""", text)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_stamping_failure_has_a_sentence(language: str) -> None:
    for code in ("page_out_of_range", "placement_outside_page", "document_encrypted"):
        text = why_refused(code, language)
        assert "{" not in text
        assert code not in text
    for code in (
        "not_in_time",
        "stamping_failed",
    ):  # the stamp or the money was returned, which other texts say
        assert why_refused(code, language) not in ("", translate(f"refusal.{code}", language))
        assert not re.search("meterainya|given back|returned", why_refused(code, language))


def test_every_message_key_of_templates_exists() -> None:
    missing = {key for key in used_keys() if not key.endswith(".") and key not in catalogue()}
    assert not missing


def test_both_languages_use_the_same_facts() -> None:
    for key, texts in catalogue().items():
        if not key.startswith(("page.", "state.")):
            continue
        facts = {code: set(re.findall(r"{(\w+)}", texts[code])) for code in LANGUAGES}
        assert facts["id"] == facts["en"], key
        assert all(texts[code].strip() for code in LANGUAGES), key


@pytest.mark.parametrize(
    ("thing", "states"),
    [
        ("state.order", OrderState),
        ("state.stamping", StampingState),
        ("stage.refund", Stage),
        ("way.refund", Way),
        ("state.stamp", StampState),
    ],
)
def test_every_state_has_a_name(thing: str, states: Any) -> None:
    for state in states:
        assert f"{thing}.{state}" in catalogue()


def test_templates_use_only_facts_of_their_pages() -> None:
    for path in TEMPLATES:
        free = meta.find_undeclared_variables(SITE.environment.parse(path.read_text()))
        assert "caller" not in free, f"{path}: `caller` is Jinja's own word within macros"


def test_templates_have_no_inline_script_or_style() -> None:
    for path in TEMPLATES:
        # Our own style, allowed by digest in the policy of its page.
        text = path.read_text().replace("<style>{{ style | safe }}</style>", "")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text), path.name
        assert not re.search(r"<script(?![^>]* src=)", text), path.name
        assert not re.search(r"""(src|href|action)=["']?https?:""", text), path.name


# -- rules ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/orders/ord_x", "/sign-in?next=%2Fstamp", "/c/A B"])
def test_local_path_is_followed(path: str) -> None:
    assert local_path(path) == path


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


def test_malformed_form_key_is_refused() -> None:
    key = fresh_key()
    assert form_key(key) == key
    for other in ("", "frm_", "ord_" + key[4:], key.upper(), key + "0"):
        with pytest.raises(FormForeign):
            form_key(other)


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


def test_programs_get_no_pages() -> None:
    assert wants_page("/orders/x", "text/html,*/*")
    assert not wants_page("/orders/x", "*/*")
    for path in ("/v1/orders", "/v1", "/snap/v1.0/qr/qr-mpm-notify", "/openapi.json", "/metrics"):
        assert not wants_page(path, "text/html")
    assert wants_page("/v1x", "text/html")


def test_stamped_file_has_its_own_name() -> None:
    assert stamped_name("Surat.PDF") == "Surat-bermeterai.pdf"
    answer = saved_as('a"b\u00e9.pdf', b"", "application/pdf")
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=\"a_b_.pdf\"; filename*=UTF-8''a%22b%C3%A9.pdf"
    )


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


def test_keys_are_shown_with_scopes_end_and_maker(asked: Any) -> None:
    later, scopes = NOW + timedelta(days=2), ["order.read"]
    keys = [
        ApiKeyView("key_3", HOSTILE, scopes, NOW, None, None, None, "key_1"),
        ApiKeyView("key_1", HOSTILE, scopes, NOW, later, None, None, None),
        ApiKeyView("key_2", "kasir", scopes, NOW, None, NOW, NOW, None),
        ApiKeyView("key_4", "toko", scopes, NOW, NOW, NOW, None, None),
    ]
    facts = {
        "keys": keys,
        "makers": {"key_1": KeyMaker("key_1", "siti@b.id", has_left=True)},
        "now": NOW,
        "may_manage": True,
        "presets": {"reading": scopes},
        "scopes": scopes,
        "overlaps": (0, 24),
        "typed": {"name": HOSTILE, "preset": "chosen", "scope.order.read": "1"},
    }
    text = rendered(asked, "accounts/keys.html", facts)
    assert "<script>alert" not in text
    assert "siti@b.id" in text
    assert 'name="scope.order.read" value="1" checked' in text
    for over in ("key_2", "key_4"):
        assert f"/account/keys/{over}/end" not in text
    for open_ in ("key_1", "key_3"):
        assert f"/account/keys/{open_}/end" in text
    assert "/account/keys/key_3/replace" in text
    assert "/account/keys/key_1/replace" not in text, "it has a successor"
    seen = rendered(asked, "accounts/keys.html", facts | {"may_manage": False})
    assert "<button" not in seen.split("<main")[1].split("</main")[0]


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


def test_unknown_page_is_a_calm_page(browser: TestClient[Litestar]) -> None:
    answer = browser.get("/tidak-ada")
    assert answer.status_code == 404
    assert translate("page.refused.money", "id") in answer.text
    problem = browser.get("/tidak-ada", headers={"Accept": "application/json"})
    assert problem.headers["content-type"].startswith("application/problem+json")


def test_fault_page_shows_an_id_and_no_internals(browser: TestClient[Litestar]) -> None:
    answer = browser.get("/breaks")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert re.search(r"Nomor: [0-9a-f]{12}", answer.text)


def test_versioned_file_is_immutable(browser: TestClient[Litestar]) -> None:
    answer = browser.get(address(SITE.assets, "order.js"))
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    assert browser.get("/static/nothing.css").status_code == 404


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


@pytest.mark.parametrize(
    "form", ["/language", "/sign-out", "//sign-in/passkey", "/%2Fsign-in/passkey"]
)
def test_path_without_a_page_is_not_redirected(browser: TestClient[Litestar], form: str) -> None:
    shown = browser.get(f"http://testserver.local{form}", headers={"Accept": "text/html"})
    assert shown.status_code in (404, 405)


def test_every_refusal_is_documented_with_an_anchor(browser: TestClient[Litestar]) -> None:
    assert edge.HeadersTooLarge in refusals()  # declared by an application, not by a room
    text = browser.get("/docs/problems").text
    of_commands = {one.code for one in refusals() if issubclass(one, CommandRefusal)}
    assert {"already_running", "address_wrong", "configuration_wrong"} <= of_commands
    for key in catalogue():
        if key.startswith("refusal."):
            code = key.removeprefix("refusal.")
            assert (f'id="{code}"' in text) == (code not in of_commands), code
    shown = text.partition("<tbody>")[2].partition("</tbody>")[0]
    assert not re.search(r"[{}|]", shown)
    assert "At most … files at a time." in html.unescape(shown)


def test_documentation_lists_operations_with_examples() -> None:
    description = {
        "paths": {
            "/v1/orders": {
                "post": {
                    "summary": "Buy",
                    "parameters": [{"name": "Idempotency-Key", "in": "header", "required": True}],
                    "requestBody": {
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/O"}}
                        }
                    },
                    "responses": {"201": {"content": {}}, "400": {}},
                }
            },
            "/snap/x": {"post": {}},
        },
        "components": {
            "schemas": {"O": {"properties": {"quantity": {"type": "integer"}}, "required": []}}
        },
    }
    (operation,) = reference.operations(description, "http://h", {"quantity": "3"})
    assert operation.body == (reference.DocumentedField("quantity", "integer", False),)
    assert operation.answer_status == "201"
    assert "Idempotency-Key" in operation.curl
    assert """--json '{"quantity": 3}'""" in operation.curl


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
