"""The package `pages` works without any room; a room adds its own pages."""

from pathlib import Path

import pytest
from litestar import Litestar, get
from litestar.exceptions import HTTPException
from litestar.testing import TestClient

from meterai import pages
from meterai.accounts import Permission
from meterai.apps.settings import settings_of as make_settings
from meterai.kit.refusal import Refusal, SignInRequired
from meterai.pages import LinkPlace, Page, PageLink, PageRequest, RoomPages, ShownTo, Site
from meterai.pages.assets import address
from meterai.pages.files import KEPT_SECONDS
from meterai.pages.model import FormForeign
from meterai.plumbing.config import Settings
from meterai.plumbing.http.callers import Caller
from meterai.plumbing.http.problems import on_http_exception, on_refusal
from meterai.plumbing.messages import LANGUAGES, translate

TEMPLATE = (
    '{% extends "base.html" %}{% block title %}Wait{% endblock %}{% block main %}{% endblock %}'
)


class Somebody:
    """An authenticator for which no visitor is signed in."""

    async def caller(self, _: object, *, anew: bool = False) -> Caller:
        raise SignInRequired("unknown")

    def session_shown(self, _: object) -> tuple[str, str]:
        return "", ""

    def has_session(self, _: object) -> bool:
        return True


@get("/private")
async def private() -> str:
    raise SignInRequired("nobody is signed in")


@get("/foreign")
async def foreign() -> str:
    raise FormForeign("from elsewhere")


@get("/wait")
async def wait(request: PageRequest) -> Page:
    assert await pages.visitor(request) is None
    return pages.page(request, "queue/wait.html")


@get("/styled")
async def styled(request: PageRequest) -> Page:
    return pages.page_with_style(request, "queue/wait.html", "first.css")


def application(*rooms: RoomPages) -> Litestar:
    app = Litestar(
        [private, foreign, wait, styled, *pages.static_files(Permission.PUBLIC)],
        exception_handlers={
            Refusal: pages.page_or_problem(on_refusal),
            HTTPException: pages.page_or_problem(on_http_exception),
        },
    )
    app.state.services = {Settings: make_settings(), Site: Site(*rooms)}
    app.state.authenticator = Somebody()
    return app


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_work_without_any_room(language: str) -> None:
    with TestClient(application()) as browser:
        browser.headers.update({"Accept": "text/html", "Accept-Language": language})
        for path, status, code in (
            ("/nothing", 404, "not_found"),
            ("/foreign", 403, "form_foreign"),
            ("/private", 401, "sign_in_required"),
        ):
            answer = browser.get(path)
            assert answer.status_code == status
            assert translate(f"refusal.{code}", language) in answer.text
            assert '<form method="post"' not in answer.text, "nobody takes a choice of language"
            assert '<a href="/sign-in"' not in answer.text
            assert answer.headers["content-type"] == "text/html; charset=utf-8"
        style = browser.get("/static/site.css")
        assert style.status_code == 200
        assert style.headers["content-type"] == "text/css; charset=utf-8"
        assert browser.get("/static/order.js").status_code == 404


def test_file_is_immutable_at_the_url_of_its_version_alone() -> None:
    app = application()
    site: Site = app.state.services[Site]
    with TestClient(app) as browser:
        right = address(site.assets, "site.css")
        content = site.assets["site.css"].content
        for target, kept in (
            (right, f"public, max-age={KEPT_SECONDS}, immutable"),
            ("/static/site.css", "no-cache"),
            ("/static/site.css?v=0123456789", "no-cache"),
            (f"{right}&more=1", "no-cache"),
            (f"/static/site.css?v=0123456789&{right.partition('?')[2]}", "no-cache"),
        ):
            answer = browser.get(target)
            assert (answer.content, answer.headers["cache-control"]) == (content, kept), target


def room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> RoomPages:
    """A room with one page, as a package of its own."""
    package = folder / "queue_of_a_test"
    (package / "templates").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "templates" / "wait.html").write_text(TEMPLATE)
    monkeypatch.syspath_prepend(folder)
    return RoomPages(
        "queue",
        package.name,
        links=(
            PageLink(LinkPlace.NAVIGATION, 20, "/later", "page.later"),
            PageLink(LinkPlace.NAVIGATION, 10, "/first", "page.first"),
            PageLink(LinkPlace.NAVIGATION, 30, "/mine", "page.mine", ShownTo.SIGNED_IN),
            PageLink(LinkPlace.NAVIGATION, 30, "/who", "page.who", ShownTo.STRANGERS),
            PageLink(LinkPlace.FOOT, 10, "/below", "page.below"),
        ),
        sign_in="/who",
    )


def test_room_registers_templates_and_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TestClient(application(room(tmp_path, monkeypatch))) as browser:
        browser.headers["Accept"] = "text/html"
        text = browser.get("/wait").text
        places = [
            text.index(f'<a href="{path}"') for path in ("/first", "/later", "/who", "/below")
        ]
        assert places == sorted(places)
        assert '<a href="/mine"' not in text
        led = browser.get("/private", follow_redirects=False)
        assert (led.status_code, led.headers["location"]) == (303, "/who?next=%2Fprivate")
