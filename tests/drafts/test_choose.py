"""Choosing files in a browser: cut off, reloaded, taken out, dropped; with and without a script."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import (
    Browser,
    FilePayload,
    Locator,
    Page,
    Route,
    ViewportSize,
    expect,
    sync_playwright,
)

from meterai.drafts.model import PART_BYTES_MAX
from tests.support.applicant import ARGUMENTS, CHROMIUM, WAIT_MS
from tests.support.instance import Instance
from tests.support.pdf import pdf

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")

PHONE = ViewportSize(width=360, height=740)
LARGE = pdf(words="Surat kuasa") + b"\n%" + b"x" * (5 * PART_BYTES_MAX) + b"\n%%EOF\n"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def payload(name: str, content: bytes) -> FilePayload:
    return FilePayload(name=name, mimeType="application/pdf", buffer=content)


class Chooser:
    """Somebody who chooses files, and every part that left the browser."""

    def __init__(
        self, browser: Browser, instance: Instance, *, scripts: bool = True, locale: str = "id-ID"
    ) -> None:
        self.url = instance.url
        self.context = browser.new_context(
            viewport=PHONE, java_script_enabled=scripts, locale=locale
        )
        self.context.set_default_timeout(WAIT_MS)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.parts: list[int] = []
        self.slow = 0
        self.context.route("**/stamp/uploads/*", self._count)
        self.page.goto(self.url + "/stamp")

    def _count(self, route: Route) -> None:
        request = route.request
        if request.method == "PATCH":
            self.parts.append(int(request.headers["upload-offset"]))
            self.page.wait_for_timeout(self.slow)
        route.continue_()

    def chooses(self, *files: FilePayload) -> None:
        self.page.locator("input[type=file]").set_input_files(list(files))

    def waits_for_parts(self, count: int) -> None:
        """Until so many have left; the browser works only while it is asked something."""
        for _ in range(WAIT_MS // 20):
            if len(self.parts) >= count:
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(self.parts)

    def row(self, name: str) -> Locator:
        return self.page.locator(".document", has_text=name)

    def sees(self, name: str, *words: str) -> None:
        for one in words:
            expect(self.row(name)).to_contain_text(one, timeout=WAIT_MS)


def test_a_good_file_one_that_is_no_pdf_and_a_broken_one(chromium, instance):
    chooser = Chooser(chromium, instance)
    chooser.chooses(
        payload("baik.pdf", pdf(words="Baik")),
        payload("foto.pdf", b"\x89PNG" + b"x" * 3000),
        payload("rusak.pdf", b"%PDF-1.7\n" + b"x" * 3000),
    )
    chooser.sees("baik.pdf", "Siap")
    chooser.sees("foto.pdf", "Tidak dapat dikirim", "Berkas ini bukan PDF")
    chooser.sees("rusak.pdf", "Tidak dapat dibubuhi")
    expect(chooser.page.get_by_role("status")).to_contain_text("rusak.pdf")
    chooser.row("foto.pdf").get_by_role("button").click()
    expect(chooser.row("foto.pdf")).to_have_count(0)
    chooser.row("rusak.pdf").get_by_role("button").click()
    expect(chooser.row("rusak.pdf")).to_have_count(0)
    expect(chooser.page.locator("input[type=file]")).to_be_focused()
    chooser.page.get_by_role("link", name="Lanjut: letakkan meterai").click()
    chooser.page.wait_for_url("**/stamp/place**")
    assert chooser.complaints == []


def test_offline_in_the_middle_goes_on_by_itself(chromium, instance):
    chooser = Chooser(chromium, instance)
    chooser.slow = 100
    chooser.chooses(payload("surat.pdf", LARGE))
    chooser.waits_for_parts(2)
    chooser.context.set_offline(True)
    chooser.sees("surat.pdf", "Tidak ada sambungan")
    sent = list(chooser.parts)
    chooser.context.set_offline(False)
    chooser.sees("surat.pdf", "Siap")
    again = [one for one in chooser.parts[len(sent) :] if one in sent]
    assert len(again) <= 2, (sent, chooser.parts)
    assert chooser.complaints == []


def test_after_a_reload_the_same_file_goes_on(chromium, instance):
    chooser = Chooser(chromium, instance)
    chooser.slow = 200
    chooser.chooses(payload("surat.pdf", LARGE))
    chooser.waits_for_parts(3)
    chooser.page.goto(chooser.url + "/stamp")
    chooser.sees("surat.pdf", "Belum selesai terkirim", "Pilih berkas yang sama")
    sent = list(chooser.parts)
    chooser.slow = 0
    chooser.chooses(payload("nama lain.pdf", LARGE))
    chooser.sees("surat.pdf", "Siap")
    expect(chooser.page.locator(".document")).to_have_count(1)
    assert min(chooser.parts[len(sent) :]) >= sent[-1]
    assert chooser.complaints == []


def test_a_file_is_taken_out_while_it_is_sent(chromium, instance):
    chooser = Chooser(chromium, instance, locale="en-GB")
    chooser.slow = 300
    chooser.chooses(payload("surat.pdf", LARGE), payload("lain.pdf", pdf(words="Lain")))
    chooser.sees("surat.pdf", "Being sent")
    chooser.row("surat.pdf").get_by_role("button").click()
    chooser.sees("lain.pdf", "Ready")
    chooser.page.reload()
    expect(chooser.page.locator(".document")).to_have_count(1)
    assert chooser.complaints == []


def test_files_are_dropped_onto_the_page(chromium, instance):
    chooser = Chooser(chromium, instance)
    dropped = chooser.page.evaluate_handle(
        """(bytes) => {
            const given = new DataTransfer();
            given.items.add(new File([new Uint8Array(bytes)], "jatuh.pdf"));
            return given;
        }""",
        list(pdf(words="Jatuh")),
    )
    chooser.page.dispatch_event("main", "drop", {"dataTransfer": dropped})
    chooser.sees("jatuh.pdf", "Siap")
    assert chooser.complaints == []


def test_without_a_script_the_same_page_does_the_same(chromium, instance):
    chooser = Chooser(chromium, instance, scripts=False)
    chooser.chooses(payload("baik.pdf", pdf(words="Baik")), payload("foto.pdf", b"\x89PNG" * 99))
    chooser.page.get_by_role("button", name="Unggah").click()
    chooser.sees("baik.pdf", "Siap")
    chooser.sees("foto.pdf", "Tidak dapat dibubuhi")
    chooser.row("foto.pdf").get_by_role("button").click()
    expect(chooser.row("foto.pdf")).to_have_count(0)
    chooser.sees("baik.pdf", "Siap")


def test_the_focus_stays_while_the_list_changes(chromium, instance):
    chooser = Chooser(chromium, instance)
    chooser.chooses(payload("baik.pdf", pdf(words="Baik")))
    chooser.sees("baik.pdf", "Siap")
    chooser.slow = 100
    chooser.chooses(payload("surat.pdf", LARGE), payload("akhir.pdf", pdf(words="Akhir")))
    go_on = chooser.page.get_by_role("link", name="Lanjut: letakkan meterai")
    expect(go_on).to_be_hidden()  # whoever left now would leave what is being sent
    mine = chooser.row("akhir.pdf").get_by_role("button")
    mine.focus()
    chooser.sees("surat.pdf", "Siap")
    expect(mine).to_be_focused()
    chooser.row("baik.pdf").get_by_role("button").focus()
    chooser.sees("akhir.pdf", "Siap")
    expect(go_on).to_be_visible()
    expect(chooser.row("baik.pdf").get_by_role("button")).to_be_focused()
    assert chooser.complaints == []


def test_an_upload_that_was_forgotten_before_anything_came_begins_anew(chromium, instance):
    chooser = Chooser(chromium, instance)
    asked: list[str] = []

    def forgotten(route: Route) -> None:
        asked.append(route.request.method)
        if asked == ["HEAD"]:
            route.fulfill(status=404, content_type="application/problem+json", body="{}")
        else:
            route.fallback()

    chooser.context.route("**/stamp/uploads/*", forgotten)
    chooser.chooses(payload("surat.pdf", pdf(words="Surat")))
    chooser.sees("surat.pdf", "Siap")
    assert asked[:2] == ["HEAD", "GET"], "it is looked for, and not given up"
    assert chooser.complaints == []
