"""Gate of the console: for other networks its paths do not exist."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.within import Asking, Given, settings_of, within

HTML = {"Accept": "text/html", "Accept-Language": "en"}
BEHIND = {"console_networks": "10.8.0.0/24, 2001:db8::/48", "proxies": 1}
PATHS = (
    "",
    "/",
    "/levers",
    "/levers/issuing.stop",
    "/approvals",
    "/subjects/order/ord_1",
    "/nothing",
)


def _asked(database_url: str, directory: Path, askings: list[Asking], **more: Any) -> list[Given]:
    async def ask() -> list[Given]:
        async with within(settings_of(database_url, directory, **more)) as web:
            return [await web.ask(one) for one in askings]

    return asyncio.run(ask())


def _of(method: str, path: str, headers: Mapping[str, str] = HTML) -> Asking:
    sent = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    body = b"" if method in ("GET", "HEAD", "OPTIONS") else b"a=b"
    return Asking(method, path.encode(), sent, body)


def _seen(answer: Given, path: str) -> tuple[object, ...]:
    """Return an answer without the path and the id of its request."""
    ours = ("request-id", "x-request-id", "content-length", "date")
    headers = sorted(one for one in answer.headers if one[0] not in ours)
    body = answer.body
    if answer.header("x-request-id"):
        body = body.replace(answer.header("x-request-id").encode(), b"")
    return answer.status, headers, body.replace(path.encode(), b"PATH")


@pytest.mark.parametrize(
    "more", [{"console_networks": "10.8.0.0/24"}, {"console_is_served": False}]
)
def test_console_path_from_another_network_answers_as_an_unknown_path(
    database_url: str, tmp_path: Path, more: dict[str, Any]
) -> None:
    asked = [
        (method, path, kind)
        for method in ("GET", "HEAD", "POST", "OPTIONS", "DELETE")
        for path in PATHS
        for kind in ("text/html", "application/json")
    ]
    both = [
        _of(method, f"/{first}{path}", {"Accept": kind, "Accept-Language": "en"})
        for method, path, kind in asked
        for first in ("console", "nowhere")
    ]
    answers = _asked(database_url, tmp_path, both, **more)
    for number, (method, path, kind) in enumerate(asked):
        ours, unknown = answers[2 * number : 2 * number + 2]
        assert _seen(ours, f"/console{path}") == _seen(unknown, f"/nowhere{path}"), (
            method,
            path,
            kind,
        )


@pytest.mark.parametrize(
    ("forwarded", "is_open"),
    [
        ("10.8.0.7", True),
        ("10.8.0.7, 203.0.113.5", False),  # a forged header is ignored
        ("203.0.113.5, 10.8.0.7", True),
        ("2001:db8::7", True),
        ("2001:db9::7", False),
        ("::ffff:10.8.0.7", True),
        ("nobody", False),
        ("", False),
    ],
)
def test_address_is_the_one_seen_by_our_proxy(
    database_url: str, tmp_path: Path, forwarded: str, is_open: bool
) -> None:
    headers = HTML | {"X-Forwarded-For": forwarded}
    [answer] = _asked(database_url, tmp_path, [_of("GET", "/console", headers)], **BEHIND)
    assert answer.status == (303 if is_open else 404)


@pytest.mark.parametrize("path", ["//console", "/console//levers", "/console/"])
def test_other_spelling_of_a_console_path_passes_the_same_gate(
    database_url: str, tmp_path: Path, path: str
) -> None:
    [answer] = _asked(database_url, tmp_path, [_of("GET", path)], console_networks="10.8.0.0/24")
    assert answer.status == 404
