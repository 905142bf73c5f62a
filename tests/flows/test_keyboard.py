"""The whole journey by keyboard alone. At each step the focus is visible."""

from typing import Any

import pytest
from playwright.sync_api import (
    FileChooser,
    FilePayload,
    TimeoutError,
    ViewportSize,
    expect,
)

from tests.support.browser import WAIT_MS
from tests.support.instance import Instance
from tests.support.pdf import pdf
from tests.support.seated import seated
from tests.support.walker import TO_ORDER, Walker

pytestmark = pytest.mark.sample(1, of="file")

CHOOSER_PRESSES, CHOOSER_MS = 3, 30_000
TABS_MAX = 60  # on one page; more means a keyboard trap
# The element with the focus, whether its focus is drawn, and whether it is visible and not covered.
FOCUSED = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    const style = getComputedStyle(one);
    const box = one.getClientRects()[0];
    // The middle of what is in sight of it: what holds a whole part of a page is longer than a screen.
    const x = (Math.max(0, box.left) + Math.min(innerWidth, box.right)) / 2;
    const y = (Math.max(0, box.top) + Math.min(innerHeight, box.bottom)) / 2;
    const top = document.elementFromPoint(x, y);
    return {
        what: one.outerHTML.slice(0, 160),
        drawn: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        seen: Math.min(innerHeight, box.bottom) - Math.max(0, box.top) >= Math.min(box.height, 40) - 1,
        covered: !one.contains(top),
    };
}"""


class Typist(Walker):
    """A person without a mouse."""

    def looks(self) -> None:
        """Check that the focus is visible."""
        found: dict[str, Any] | None = self.page.evaluate(FOCUSED)
        if found is None:
            return  # the focus is in the browser's own controls
        assert found["drawn"], found
        assert found["seen"], found
        assert not found["covered"], found

    def tabs_to(self, selector: str) -> None:
        """Press Tab until the wanted element has the focus."""
        for _ in range(TABS_MAX):
            if self.page.evaluate("(one) => document.activeElement.matches(one)", selector):
                self.looks()
                return
            self.page.keyboard.press("Tab")
            self.looks()
        raise AssertionError(f"{selector} is not reached on {self.page.url}")

    def presses(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)


def opens_the_files(somebody: Typist) -> FileChooser:
    """Open the browser's file dialog. On a busy machine it may not open at the first key press."""
    for _ in range(CHOOSER_PRESSES):
        try:
            with somebody.page.expect_file_chooser(timeout=CHOOSER_MS) as chooser:
                somebody.presses("Space")
        except TimeoutError:
            continue
        return chooser.value
    raise AssertionError("no dialogue for files")


def chooses(somebody: Typist) -> None:
    expect(
        somebody.page.locator("form[data-uploads] > button")
    ).to_be_hidden()  # the script has been loaded
    somebody.tabs_to("#document")
    file = FilePayload(name="surat.pdf", mimeType="application/pdf", buffer=pdf(words="Surat"))
    opens_the_files(somebody).set_files([file])
    somebody.page.wait_for_url("**/stamp/place")
    expect(somebody.page.locator(".handle")).to_be_visible()


def places(somebody: Typist) -> None:
    page = somebody.page
    somebody.tabs_to(".handle")
    before = page.locator("#x-1").input_value()
    somebody.presses("ArrowLeft", "Shift+ArrowUp")
    somebody.looks()
    assert page.locator("#x-1").input_value() != before
    somebody.tabs_to("main summary")
    somebody.presses("Enter")
    somebody.tabs_to("#x-1")
    somebody.presses("Shift+Tab")
    somebody.looks()
    page.reload()
    expect(page.locator(".handle")).to_be_visible()
    somebody.tabs_to("button[value=use]")
    somebody.presses("Enter")
    page.wait_for_url("**/stamp/pay")


def orders(somebody: Typist) -> None:
    page = somebody.page
    somebody.tabs_to("#email")
    page.keyboard.type(somebody.email)
    somebody.tabs_to("form:has(#email) button")
    somebody.presses("Space")
    expect(page.locator("#code")).to_be_focused()
    somebody.looks()
    page.keyboard.type(somebody.reads_the_code())
    somebody.presses("Enter")
    page.wait_for_url(TO_ORDER)
    expect(page.locator(".qr")).to_be_visible()


@pytest.mark.parametrize("width", [360, pytest.param(1280, marks=pytest.mark.variant)])
def test_journey_works_by_keyboard_alone(chromium, instance: Instance, width: int) -> None:
    somebody = Typist(chromium, instance, screen=ViewportSize(width=width, height=640))
    page = somebody.page
    somebody.opens("/")
    chooses(somebody)
    places(somebody)
    orders(somebody)
    somebody.tabs_to("form[action$='/paid'] button")
    somebody.presses("Space")
    expect(page.locator(".pay .note")).to_be_visible()
    somebody.tabs_to("main summary")
    somebody.pays()
    expect(page.locator(".document .state.delivered")).to_have_count(1, timeout=WAIT_MS)
    somebody.looks()  # the focused element is gone, and the focus is on the main part of the page
    somebody.tabs_to(".document a[href$='/document']")
    with page.expect_download() as coming:
        somebody.presses("Enter")
    assert coming.value.suggested_filename == "surat-bermeterai.pdf"
    assert somebody.complaints == []


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_console_works_by_keyboard_alone(chromium, instance: Instance, scripts: bool) -> None:
    screen = ViewportSize(width=360, height=640)
    somebody = Typist(chromium, instance, screen=screen, scripts=scripts)
    page = somebody.page
    seated(somebody.context, instance, "support", "finance", "operations")
    somebody.opens("/console")
    for path in ("/console/levers", "/console/approvals", "/console"):
        somebody.tabs_to(".menu summary")
        somebody.presses("Enter")
        somebody.tabs_to(f".menu a[href='{path}']")
        somebody.presses("Enter")
        page.wait_for_url(f"**{path}")
    somebody.tabs_to("#q")
    page.keyboard.type("nobody at all")
    somebody.presses("Enter")
    page.wait_for_url("**/console?q=nobody+at+all")
    expect(page.locator("main .note")).to_be_visible()
    somebody.tabs_to("#file")
    assert somebody.complaints == []
