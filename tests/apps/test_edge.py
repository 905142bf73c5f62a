"""Properties of every answer, and conditions of every request."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from markupsafe import escape

from meterai.accounts import AccountService
from meterai.accounts.model import OPEN
from meterai.apps.container import build_services
from meterai.apps.edge import Edge, headers_of_all
from meterai.kit.clock import WIB
from meterai.kit.ids import new_id
from meterai.kit.refusal import Malformed
from meterai.kit.serial import SerialMaker
from meterai.payments.adapters.snap import NOTIFY_PATH
from meterai.payments.adapters.snap.signing import sign_asymmetric, string_to_sign
from meterai.plumbing.db import connections as link
from meterai.plumbing.http.front import Front
from meterai.plumbing.http.requests import read_json
from meterai.plumbing.messages import LANGUAGES, translate
from tests.support.keys import BANK_KEY
from tests.support.shop import TESTER
from tests.support.within import Asking, Given, Within, admission, settings_of, within

JSON = {"Content-Type": "application/json"}
HTML = {"Accept": "text/html"}
Act = Callable[[Within], Awaitable[None]]


def run(database_url: str, directory: Path, act: Act, **settings: Any) -> None:
    async def whole() -> None:
        async with within(settings_of(database_url, directory, **settings)) as web:
            await act(web)

    asyncio.run(whole())


async def a_key(web: Within) -> dict[str, str]:
    account = await web.container.of(AccountService).create(
        f"{new_id().hex}@example.org", actor=TESTER
    )
    key = await web.container.of(AccountService).create_api_key(account, "test", actor=TESTER)
    return {"Authorization": f"Bearer {key}"}


def handlers(web: Within) -> list[tuple[str, str, HTTPRouteHandler]]:
    """(method, path with parameters filled, handler) of every route."""
    found = []
    for route in web.app.routes:
        assert isinstance(route, HTTPRoute)
        parts = [
            one if isinstance(one, str) else "1" if one.type is int else "x"
            for one in route.path_components
        ]
        for handler in route.route_handlers:
            found += [
                (str(method), "/" + "/".join(parts), handler)
                for method in handler.http_methods
                if method != "OPTIONS"
            ]
    return found


# -- methods -----------------------------------------------------------------------------------


def test_head_is_allowed_wherever_get_is(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within) -> None:
        methods: dict[str, set[str]] = {}
        for method, path, _ in handlers(web):
            methods.setdefault(path, {"OPTIONS"}).add(method)
        for path, found in methods.items():
            expected = ", ".join(sorted(found | ({"HEAD"} if "GET" in found else set())))
            for refused in {"DELETE", "PATCH", "BREW"} - found:
                given = await web.ask(Asking(refused, path.encode()))
                assert (given.status, given.header("allow")) == (405, expected), path
            options = await web.ask(Asking("OPTIONS", path.encode()))
            assert (options.status, options.header("allow")) == (204, expected), path
            head = await web.ask(Asking("HEAD", path.encode()))
            if "GET" not in found:
                assert head.status == 405, path
                continue
            get = await web.get(path)
            assert head.status == get.status, path
            assert head.body == b"", path
            # HEAD gives no turn of the line before buying, since only the page sets that cookie.
            names = {name for name, _ in get.headers} - {"set-cookie"}
            assert {name for name, _ in head.headers} - {"set-cookie"} == names, path

    run(database_url, tmp_path, act)


# -- origin of forms ---------------------------------------------------------------------------


def test_form_of_another_site_is_refused_by_every_page(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within) -> None:
        key = await a_key(web)
        foreign = ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"})
        asked = 0
        for method, path, handler in handlers(web):
            is_of_page = handler.opt["permission"] != "provider" and not path.startswith("/v1/")
            if method in ("GET", "HEAD") or not is_of_page:
                continue
            asked += 1
            for headers in (key | one for one in foreign):
                given = await web.ask(Asking(method, path.encode(), _raw(headers)))
                assert given.status == 403, (method, path, given)
                assert json.loads(given.body)["code"] == "form_foreign", (method, path)
        assert asked > 30

    run(database_url, tmp_path, act)


# -- caching ----------------------------------------------------------------------------------


def test_answer_to_account_is_not_stored_by_caches(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within) -> None:
        key = await a_key(web)
        for method, path, handler in handlers(web):
            for headers in ({}, key, key | HTML):
                given = await web.ask(Asking(method, path.encode(), _raw(headers)))
                told = given.header("cache-control")
                assert told, (method, path)
                if handler.opt["permission"] not in OPEN or given.status >= 400:
                    assert "no-store" in told, (method, path, told)
                if "set-cookie" in dict(given.headers):
                    assert "no-store" in told, (method, path, told)

    run(database_url, tmp_path, act)


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


@pytest.mark.parametrize("environment", ["development", "production"])
def test_production_demands_tls_of_browsers(
    database_url: str, tmp_path: Path, environment: str
) -> None:
    async def act(web: Within) -> None:
        headers = headers_of_all(is_production=environment == "production")
        web._admitted = Front(web.app, [Edge(web.app, {}, admission(web.app), headers)])
        for path in ("/", "/v1/orders", "/nothing/here"):
            told = (await web.get(path)).header("strict-transport-security")
            assert told.startswith("max-age=") == (environment == "production")
            if told:
                assert int(told.removeprefix("max-age=")) >= 31_536_000

    run(database_url, tmp_path, act)


def test_too_long_head_is_answered_with_a_page(database_url: str, tmp_path: Path) -> None:
    long = {"Cookie": "a=" + "b" * 20_000}

    async def act(web: Within) -> None:
        for language in LANGUAGES:
            reader = {**HTML, "Accept-Language": language}
            told = await web.ask(Asking("GET", b"/check", _raw(reader | long)))
            assert (told.status, told.header("content-type")) == (431, "text/html; charset=utf-8")
            said = translate("page.refused.too_long", language)
            assert str(escape(said)) in told.body.decode()
        told = await web.ask(Asking("GET", b"/v1/orders", _raw(HTML | long)))
        assert json.loads(told.body)["code"] == "headers_too_large"

    run(database_url, tmp_path, act)


# -- JSON --------------------------------------------------------------------------------------


class Small(msgspec.Struct, forbid_unknown_fields=True):
    quantity: int
    inner: dict[str, int] = {}


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"quantity": "1"}', "quantity"),
        ('{"quantity": 1.0}', "quantity"),
        ('{"quantity": 1e3}', "quantity"),
        ('{"quantity": true}', "quantity"),
        ('{"quantity": 1, "quantity": 1}', "quantity"),
        ('{"quantity": 1, "quantity": 2}', "quantity"),
        ('{"quantity": 2, "qu\\u0061ntity": 1}', "quantity"),
        ('{"quantity": 1, "inner": {"a": 1, "a": 2}}', "a"),
        ('{"quantity": 1, "inner": {"a": "1"}}', "inner[...]"),
        ('{"quantity": 1, "more": 2}', "more"),
        ("{}", "quantity"),
        ('{"quantity": NaN}', "body"),
        ('{"quantity": 1}}', "body"),
        ("\ufeff{}", "body"),
        ("[" * 100_000, "body"),
    ],
    ids=lambda value: value[:40],
)
def test_json_is_read_strictly_and_wrong_field_is_named(text: str, field: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_json(text.encode(), Small)
    assert refused.value.field == field


# -- the description of the API ------------------------------------------------------------------


# -- failures ---------------------------------------------------------------------------------

SERIAL = SerialMaker(7).make().text


async def responses_to_each(web: Within, key: dict[str, str]) -> tuple[Given, Given, Given, Given]:
    """The same failure for an account's program, an anonymous program, a browser and the bank.

    The requests run one after the other. Four at once would open three more connections, and a server that is
    slow to give a connection counts as down (503).
    """
    return (
        await web.get("/v1/orders", key),
        await web.get(f"/v1/stamps/{SERIAL}"),
        await web.get(f"/c/{SERIAL}", HTML),
        await web.post(NOTIFY_PATH, NEWS, signed(NEWS)),
    )


NEWS = json.dumps(
    {
        "originalPartnerReferenceNo": "x",
        "originalReferenceNo": "y",
        "latestTransactionStatus": "00",
        "amount": {"value": "10000.00", "currency": "IDR"},
        "additionalInfo": {"rrn": "1"},
    }
).encode()


def signed(body: bytes) -> dict[str, str]:
    """Headers of the bank's own notification."""
    at = datetime.now(UTC).astimezone(WIB).strftime("%Y-%m-%dT%H:%M:%S+07:00")
    text = string_to_sign("POST", NOTIFY_PATH, body, at)
    external = str(new_id().int)[:36]
    return {"X-TIMESTAMP": at, "X-SIGNATURE": sign_asymmetric(BANK_KEY, text),
            "X-EXTERNAL-ID": external, "X-PARTNER-ID": "METERAI"} | JSON  # fmt: skip


def assert_each_in_their_words(asked: tuple[Given, ...], status: int, code: str) -> None:
    *programs, page, bank = asked
    for given in asked:
        assert given.status == status, given
        assert (int(given.header("retry-after") or 0) >= 1) == (status == 503)
    for given in programs:
        assert given.header("content-type") == "application/problem+json"
        assert json.loads(given.body)["code"] == code
    assert page.header("content-type").startswith("text/html")
    assert b"<main" in page.body
    assert bank.header("content-type").startswith("application/json")
    told = json.loads(bank.body)
    assert set(told) == {"responseCode", "responseMessage"}
    assert told["responseCode"] == f"{status}5200"


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is slow to give a connection does not count as down."""
    monkeypatch.setattr(link, "CONNECT_SECONDS_MAX", 30)
    monkeypatch.setitem(link._PARAMETERS, "connect_timeout", 30)


@pytest.mark.usefixtures("patient")
def test_locked_row_is_answered_to_programs_and_people(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = build_services.__wrapped__.__kwdefaults__  # type: ignore[attr-defined]
    monkeypatch.setitem(given, "lock_wait_ms", 20)

    async def act(web: Within) -> None:
        key = await a_key(web)
        with psycopg.connect(database_url) as connection:
            connection.execute("LOCK TABLE orders, notification_inbox, serial_directory")
            asked = await responses_to_each(web, key)
        assert_each_in_their_words(asked, 503, "busy")

    run(database_url, tmp_path, act)


@pytest.mark.usefixtures("patient")
def test_fault_is_answered_to_programs_and_people(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within) -> None:
        key = await a_key(web)
        with psycopg.connect(database_url, autocommit=True) as connection:
            for name in ("orders", "notification_inbox", "serial_directory"):
                connection.execute(f"ALTER TABLE {name} RENAME TO {name}_gone")
        assert_each_in_their_words(await responses_to_each(web, key), 500, "fault")

    run(database_url, tmp_path, act)


def test_bank_gets_too_large_body_refused_in_its_format(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within) -> None:
        given = await web.post(NOTIFY_PATH, b" " * 65_537, signed(b""))
        assert (given.status, json.loads(given.body)["responseCode"]) == (413, "4135200")

    run(database_url, tmp_path, act)
