"""Accessibility of our pages: axe-core, large text, small screens, the keyboard."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from meterai.kit.days import Month, day_of
from meterai.kit.ids import show
from tests.support.applicant import TO_PAY, Applicant
from tests.support.instance import Instance
from tests.support.seated import seated

pytestmark = pytest.mark.sample(2, of="file")

AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text()
Looks = tuple[tuple[int, Literal["light", "dark"]], ...]
LOOKS: Looks = ((360, "light"), (1280, "dark"))
OTHER_LOOKS: Looks = ((360, "dark"), (1280, "light"))
PUBLIC = (
    "/",
    "/stamp",
    "/check",
    "/check/many",
    "/help",
    "/status",
    pytest.param("/docs", marks=pytest.mark.variant),  # long: made of the blocks of the others
    "/docs/try",
    "/sign-in",
    "/nowhere",
)
HEADER_SHARE_MAX = 0.12  # share of the first screen of a phone
NO_REQUEST = show("apr", UUID(int=7))
LEVERS_LOOKED_AT = 3  # the forms of all levers are made by the same rules
WIDE = 1400  # pixels that a staff page uses on a screen 1600 pixels wide
SCREEN = 640  # pixels, the height of a small phone


class Looker(Applicant):
    """An applicant who examines each page at these widths and colour schemes."""

    looks: Looks = ()


@pytest.fixture(scope="module")
def context(chromium: Browser) -> Iterator[BrowserContext]:
    # Without the policy for scripts, so that axe-core can run within the page.
    made = chromium.new_context(locale="id-ID", bypass_csp=True, accept_downloads=True)
    yield made
    made.close()


@pytest.fixture(
    scope="module", params=[LOOKS, pytest.param(OTHER_LOOKS, marks=pytest.mark.variant)], ids=str
)
def somebody(context: BrowserContext, instance: Instance, request: pytest.FixtureRequest) -> Looker:
    found = Looker(context, instance)
    found.looks = request.param
    return found


def _barriers(found: dict[str, Any]) -> list[str]:
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]} {node.get('failureSummary', '')[:200]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def in_the_way(somebody: Looker, where: str) -> list[str]:
    """Violations that axe-core finds on the current page, also of its best practices."""
    page, wrong = somebody.page, []
    for width, scheme in somebody.looks:
        page.set_viewport_size({"width": width, "height": SCREEN})
        page.emulate_media(color_scheme=scheme)
        if not page.evaluate("typeof axe === 'object'"):
            page.evaluate(AXE)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        wrong += [f"{where} {width} {scheme}: {one}" for one in _barriers(found)]
    page.emulate_media(color_scheme="light")
    return wrong


def too_wide(somebody: Looker, where: str) -> list[str]:
    """Horizontal overflow on the smallest screen, at normal and at double text size, and a header that is too
    high."""
    page, wrong = somebody.page, []
    page.set_viewport_size({"width": 320, "height": SCREEN})
    for size in ("100%", "200%"):
        page.evaluate("size => { document.documentElement.style.fontSize = size; }", size)
        beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if beyond > 0:
            wrong.append(f"{where} at {size}: {beyond} pixels too wide")
    page.evaluate("document.documentElement.style.fontSize = ''")
    page.set_viewport_size({"width": 360, "height": SCREEN})
    header = page.locator("body > header").bounding_box()
    assert header is not None
    if header["height"] > HEADER_SHARE_MAX * SCREEN:
        wrong.append(f"{where}: the header takes {header['height']} pixels")
    return wrong


def look(somebody: Looker, name: str = "") -> list[str]:
    """Violations of the current page in both languages."""
    wrong = []
    here = somebody.page.url
    for language in ("id", "en"):
        url = somebody.instance.url
        somebody.page.context.add_cookies([{"name": "language", "value": language, "url": url}])
        somebody.page.goto(here)
        where = f"{name or urlsplit(here).path} {language}"
        wrong += in_the_way(somebody, where) + too_wide(somebody, where)
    somebody.page.context.add_cookies([{"name": "language", "value": "id", "url": url}])
    somebody.page.goto(here)
    return wrong


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_are_accessible(somebody: Looker, path: str) -> None:
    somebody.goes_to(path)
    wrong = look(somebody)
    assert not wrong, "\n".join(wrong)


def test_pages_from_choosing_to_checking_are_accessible(somebody: Looker, tmp_path: Path) -> None:
    somebody.chooses(["foto.pdf"], [b"JFIF"])
    somebody.uploads("Surat lamaran.pdf", "Ijazah.pdf")
    somebody.goes_on_to_place()
    wrong = look(somebody, "place")
    somebody.goes_to("/stamp")
    expect(somebody.page.locator("[data-file]")).to_have_count(2)
    wrong += look(somebody, "files")
    somebody.places()
    wrong += look(somebody, "review of a stranger")
    somebody.page.get_by_label("Alamat email").fill(somebody.email)
    somebody.presses("Kirim kode")
    expect(somebody.page.get_by_label("Kode enam angka")).to_be_visible()
    wrong += look(somebody, "code")
    somebody.types_the_code("/orders/*", "Masuk dan bayar Rp20.000 dengan QRIS")
    somebody.sees(TO_PAY)
    wrong += look(somebody, "to pay")
    somebody.pays()
    somebody.sees("2 dokumen sudah bermeterai")
    wrong += look(somebody, "stamped")
    content = somebody.downloads("Unduh dokumen bermeterai", tmp_path / "stamped.pdf")
    somebody.page.locator(".document .what a").first.click()
    somebody.page.wait_for_url("**/stampings/*")
    wrong += look(somebody, "document")
    serial = somebody.page.locator(".serials a").first.get_attribute("href")
    for path in ("/history", "/account", "/sign-in/again", "/buy", str(serial)):
        somebody.goes_to(path)
        wrong += look(somebody)
    # The page of a verdict is the answer to a form. It is examined without a reload, in one language.
    somebody.checks(tmp_path / "stamped.pdf", "Asli")
    wrong += in_the_way(somebody, "verdict") + too_wide(somebody, "verdict")
    assert io.BytesIO(content).read(4) == b"%PDF"
    assert not wrong, "\n".join(wrong)


def test_pages_of_staff_are_accessible(somebody: Looker) -> None:
    context = somebody.page.context
    desk = seated(context, somebody.instance, "support", "finance", "operations")
    wrong = []
    for path in (
        "/console",
        f"/console?q={desk.email}",
        "/console?q=nobody",
        f"/console?q={'x' * 201}",
        "/console/levers",
        "/console/approvals",
        f"/console/approvals/{NO_REQUEST}",
        "/console/regulator",
        "/console/statements",
        f"/console/statements/{Month.of(day_of(datetime.now(UTC)))}",
        "/console/statements/serial",
        "/console/channels",
        f"/console/finance/channels/{day_of(datetime.now(UTC))}",
        "/console/finance",
        "/console/finance/closes",
        "/console/finance/payouts",
        f"/console/finance/months/{Month.of(day_of(datetime.now(UTC)))}",
        f"/console/finance/statement?scope=day&of={day_of(datetime.now(UTC))}",
    ):
        somebody.goes_to(path)
        wrong += look(somebody)
    somebody.goes_to("/console/levers")
    levers = somebody.page.locator("main th a").all()
    for path in [str(one.get_attribute("href")) for one in levers[:LEVERS_LOOKED_AT]]:
        somebody.goes_to(path)
        wrong += look(somebody)
        somebody.page.locator("#reason").fill("Uji coba")
        with somebody.page.expect_navigation():
            somebody.page.locator("button[value=forecast]").click()
        # This page is the answer to a form. It is examined without a reload, in one language.
        wrong += in_the_way(somebody, f"{path} seen") + too_wide(somebody, f"{path} seen")
    somebody.page.set_viewport_size({"width": 1600, "height": 900})
    somebody.goes_to("/console")
    main = somebody.page.locator("main").bounding_box()
    context.clear_cookies()
    assert main is not None
    assert main["width"] > WIDE
    assert not wrong, "\n".join(wrong)
