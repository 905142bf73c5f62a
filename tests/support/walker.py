"""A person on the way from choosing a file to the stamped document, in any language, with and without scripts.

Elements are found by their role in the page, not by their words.
"""

import re
import uuid
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, FilePayload, Locator, ViewportSize, expect

from tests.support.applicant import PHONE
from tests.support.browser import WAIT_MS
from tests.support.instance import Instance, until

DESKTOP = ViewportSize(width=1280, height=800)
TO_ORDER = re.compile(r"/orders/ord_\w+$")


class Walker:
    """A person with a browser. `kept` are cookies of a browser that was closed."""

    def __init__(
        self,
        browser: Browser,
        instance: Instance,
        *,
        locale: str = "id-ID",
        screen: ViewportSize = PHONE,
        scripts: bool = True,
        kept: Any = None,
    ) -> None:
        self.instance = instance
        self.scripts = scripts
        self.context = browser.new_context(
            viewport=screen,
            locale=locale,
            java_script_enabled=scripts,
            accept_downloads=True,
            storage_state=kept,
        )
        self.context.set_default_timeout(WAIT_MS)
        self.page = self.context.new_page()
        self.email = f"{uuid.uuid4().hex[:12]}@example.org"
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    # -- the current page ------------------------------------------------------------------------

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    @property
    def away(self) -> Locator:
        """The message that is shown when there is no connection."""
        return self.page.locator("[data-away]")

    @property
    def use(self) -> Locator:
        return self.page.locator("button[value=use]")

    @property
    def prove(self) -> Locator:
        """The button of the form in which the code is typed."""
        return self.page.locator("form:has(#code) button")

    def opens(self, path: str) -> None:
        self.page.goto(f"{self.instance.url}{path}")

    def opens_again(self) -> None:
        """Close the page, as a phone does that needs memory, and open its address again."""
        there = self.page.url
        self.page.close()
        self.page = self.context.new_page()
        self.page.goto(there)

    # -- acts ----------------------------------------------------------------------------------

    def picks(self, name: str, content: bytes) -> None:
        file = FilePayload(name=name, mimeType="application/pdf", buffer=content)
        self.page.locator("#document").set_input_files([file])
        if not self.scripts:
            self.page.locator("form[data-uploads] button:not([type])").click()

    def chooses(self, name: str, content: bytes) -> None:
        """Choose a file that needs no message, and wait for its page."""
        self.picks(name, content)
        self.page.wait_for_url("**/stamp/place*")
        expect(self.use).to_be_visible()

    def places(self) -> None:
        self.use.click()
        self.page.wait_for_url("**/stamp/pay")

    def asks_for_a_code(self) -> None:
        self.page.locator("#email").first.fill(self.email)
        self.page.locator("form:has(#email) button").first.click()
        expect(self.page.locator("#code")).to_be_visible()

    def reads_the_code(self) -> str:
        def came() -> list[str]:
            subjects = [one["subject"] for one in self.instance.mails_to(self.email)]
            return [found[0] for one in subjects if (found := re.search(r"\b\d{6}\b", one))]

        found: str = until("the code comes", came)[0]
        return found

    def orders(self) -> None:
        """Type the code, and wait for the page of the order."""
        self.page.locator("#code").fill(self.reads_the_code())
        self.prove.click()
        self.page.wait_for_url(TO_ORDER)
        expect(self.page.locator(".qr")).to_be_visible()

    def pays(self) -> None:
        qr = self.page.locator("#qr-text").input_value()
        assert self.instance.bank.pay(qr).status == 200

    def sees_it_stamped(self) -> None:
        expect(self.page.locator(".document .state.delivered")).to_have_count(1, timeout=WAIT_MS)
        with self.page.expect_download() as coming:
            self.page.locator(".document a[href$='/document']").click()
        assert coming.value.suggested_filename.endswith(".pdf")
