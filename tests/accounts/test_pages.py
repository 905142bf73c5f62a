"""Pages of sign-in, without a database and without other rooms."""

from collections.abc import Iterator

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from meterai.accounts import AccountService
from meterai.accounts.pages import PAGES, routes
from meterai.pages import Site
from tests.support.pages import application, browser_of


@pytest.fixture(scope="module")
def app() -> Litestar:
    return application(routes, Site(PAGES), AccountService)


@pytest.fixture(scope="module")
def browser(app: Litestar) -> Iterator[TestClient[Litestar]]:
    yield from browser_of(app)


def test_sign_in_redirects_to_own_paths_alone(browser: TestClient[Litestar]) -> None:
    answer = browser.get("/sign-in", params={"next": "//evil.example"})
    assert "evil.example" not in answer.text


def test_chosen_language_is_kept_and_redirects_back(browser: TestClient[Litestar]) -> None:
    form = {"language": "en", "next": "/check"}
    answer = browser.post("/language", data=form, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/check")
    assert "language=en" in answer.headers["set-cookie"]
    browser.cookies.clear()
    unknown = browser.post(
        "/language", data={"language": "xx", "next": "//e"}, follow_redirects=False
    )
    assert unknown.headers["location"] == "/"
    assert "set-cookie" not in unknown.headers
