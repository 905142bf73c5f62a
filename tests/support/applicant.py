"""A person with a phone who uses the pages of an instance in a real browser."""

import re
import uuid
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, FilePayload, ViewportSize, expect

from tests.support.browser import WAIT_MS
from tests.support.instance import Instance, until
from tests.support.pdf import pdf

NOW = "Bubuhkan meterai sekarang"
PHONE = ViewportSize(width=390, height=844)
TO_PAY = re.compile(r"^Bayar Rp[\d.]+$")


class Applicant:
    """A person with a phone who uses the pages of an instance."""

    def __init__(self, context: BrowserContext, instance: Instance) -> None:
        self.instance = instance
        self.email = f"{uuid.uuid4().hex[:12]}@example.org"
        self.codes = 0  # mails with a sign-in code that were received so far
        self.hosts: set[str | None] = set()
        self.complaints: list[str] = []
        context.set_default_timeout(WAIT_MS)
        context.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname))
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console",
            lambda said: self.complaints.append(said.text) if said.type == "error" else None,
        )

    def goes_to(self, path: str) -> None:
        self.page.goto(f"{self.instance.url}{path}")

    def presses(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def sees(self, headline: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text(headline, timeout=WAIT_MS)

    def signs_in(self, there: str) -> None:
        """Open a page without a session, sign in with the code of a mail, and return to the page."""
        self.goes_to(there)
        self.page.get_by_label("Alamat email").fill(self.email)
        self.presses("Kirim kode")
        self.types_the_code(there)

    def orders_by_code(self, amount: str) -> None:
        """On the review page: enter an address, type the code of the mail, and order."""
        self.page.get_by_label("Alamat email").fill(self.email)
        self.presses("Kirim kode")
        expect(self.page.get_by_label("Kode enam angka")).to_be_focused()
        self.types_the_code("/orders/*", f"Masuk dan bayar {amount} dengan QRIS")

    def types_the_code(self, there: str, button: str = "Masuk") -> None:
        """Type the newest code that was mailed, press the button and wait for the path `there`."""
        seen = self.codes

        def later() -> list[dict[str, str]]:
            found: list[dict[str, str]] = self.instance.mails_to(self.email)
            codes = [one for one in found if re.search(r"\b\d{6}\b", one["subject"])]
            return codes if len(codes) > seen else []

        mails = until("the code comes", later)
        self.codes = len(mails)
        found = re.search(r"\b\d{6}\b", mails[0]["subject"])
        assert found is not None
        self.page.get_by_label("Kode enam angka").fill(found[0])
        self.presses(button)
        self.page.wait_for_url(f"**{there}")

    def uploads(self, *names: str) -> list[bytes]:
        """Choose new documents with these names and return their bytes."""
        made = [pdf(words=name) for name in names]
        self.chooses(names, made)
        return made

    def chooses(self, names: Sequence[str], contents: Sequence[bytes]) -> None:
        """Choose documents and wait until each is listed as uploaded."""
        files = [
            FilePayload(name=name, mimeType="application/pdf", buffer=content)
            for name, content in zip(names, contents, strict=True)
        ]
        self.goes_to("/stamp")
        self.page.locator("#document").set_input_files(files)
        send = self.page.get_by_role("button", name="Unggah")
        if send.is_visible():
            send.click()
        for name in names:
            expect(self.page.locator(".name", has_text=name).first).to_be_visible()

    def places(self) -> None:
        """Continue from the list of files, and accept the suggested place of the stamp in each document."""
        self.goes_on_to_place()
        while urlsplit(self.page.url).path == "/stamp/place":
            with self.page.expect_navigation():
                self.presses("Pakai tempat ini")
        self.sees("Periksa dan bayar")

    def goes_on_to_place(self) -> None:
        """Open the placement page of the first document. If no file needs a message, the page does it
        automatically."""
        go_on = self.page.get_by_role("link", name="Lanjut: letakkan meterai")
        expect(self.page.locator("form.place").or_(go_on)).to_be_visible()
        if go_on.is_visible():
            with self.page.expect_navigation():  # the script queries the line first
                go_on.click()
        self.sees("Letakkan meterai")

    def orders(self, button: str | re.Pattern[str] = re.compile("^Bayar Rp")) -> None:
        """Place the stamps and submit the form of the review page."""
        self.places()
        self.page.get_by_role("button", name=button).click()

    def buys(self, quantity: int) -> None:
        """Order stamps with the form, pay, and wait until the page says that they are ready."""
        self.page.get_by_label("Jumlah meterai").fill(str(quantity))
        self.presses("Lanjut ke pembayaran")
        self.sees(TO_PAY)
        self.pays()
        self.sees(re.compile("^[0-9]+ meterai siap dipakai$"))

    def pays(self) -> None:
        """Pay the QR of the page at the stand-in bank."""
        qr = self.page.locator("#qr-text").input_value()
        assert self.instance.bank.pay(qr).status == 200

    def downloads(self, link: str, to: Path) -> bytes:
        with self.page.expect_download() as coming:
            self.page.get_by_role("link", name=link).first.click()
        coming.value.save_as(to)
        return to.read_bytes()

    def checks(self, document: Path, headline: str, *, is_good: bool = True) -> None:
        self.goes_to("/check")
        self.page.locator("#document").set_input_files(document)
        self.presses("Periksa dokumen")
        # The sign before the word is a picture, hidden from screen readers.
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(headline)
        picture = self.page.locator(".pictures img")
        expect(picture).to_have_count(int(is_good))
        assert (
            not is_good
            or picture.evaluate("(one) => one.decode().then(() => one.naturalWidth)") > 300
        )

    def fits_the_screen(self) -> None:
        beyond = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert beyond <= 0, f"{self.page.url} is {beyond} pixels too wide"
