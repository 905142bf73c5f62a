"""Choosing files in a browser: interrupted, reloaded, removed, dropped; with and without a script."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    FilePayload,
    Locator,
    Page,
    Route,
    ViewportSize,
    expect,
)

from meterai.drafts.choose_pages import FORM_PARTS_MAX
from meterai.drafts.model import PART_BYTES_MAX, DraftFull
from meterai.plumbing.messages import translate
from meterai.stamping import StampingSettings
from tests.support.browser import WAIT_MS, WITH_SCRIPTS
from tests.support.instance import Client, Instance
from tests.support.pdf import pdf

pytestmark = pytest.mark.sample(5, of="file")

PHONE = ViewportSize(width=360, height=740)
# More bytes follow its end than a PDF may have, so it is repaired, and the page says so.
LARGE = pdf(words="Surat kuasa") + b"\n%" + b"x" * (5 * PART_BYTES_MAX) + b"\n%%EOF\n"


def payload(name: str, content: bytes) -> FilePayload:
    return FilePayload(name=name, mimeType="application/pdf", buffer=content)


class Chooser:
    """A visitor who chooses files, with every part that left the browser."""

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
        self.is_held = False  # while true, no part leaves the browser
        self.context.route("**/stamp/uploads/*", self._count)
        self.page.goto(self.url + "/stamp")

    def _count(self, route: Route) -> None:
        request = route.request
        if request.method == "PATCH":
            self.parts.append(int(request.headers["upload-offset"]))
            self.page.wait_for_timeout(self.slow)
        while self.is_held:
            self.page.wait_for_timeout(20)
        route.continue_()

    def chooses(self, *files: FilePayload) -> None:
        self.page.locator("input[type=file]").set_input_files(list(files))

    def waits_for_parts(self, count: int) -> None:
        """Wait until `count` parts have left; the browser works only while this is called."""
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


def test_good_file_foreign_file_and_broken_file_show_their_states(chromium, instance):
    chooser = Chooser(chromium, instance)
    chooser.chooses(
        payload("baik.pdf", pdf(words="Baik")),
        payload("foto.pdf", b"\x89PNG" + b"x" * 3000),
        payload("rusak.pdf", b"%PDF-1.7\n" + b"x" * 3000),
        payload("awan.pdf", b""),
    )
    chooser.sees("baik.pdf", "Siap")
    chooser.sees("awan.pdf", "Tidak dapat dibubuhi", "Berkas ini kosong")
    chooser.sees("foto.pdf", "Tidak dapat dikirim", "Berkas ini bukan PDF")
    chooser.sees("rusak.pdf", "Tidak dapat dibubuhi")
    expect(chooser.page.get_by_role("status")).to_contain_text("awan.pdf")
    chooser.row("awan.pdf").get_by_role("button").click()
    expect(chooser.row("awan.pdf")).to_have_count(0)
    chooser.row("foto.pdf").get_by_role("button").click()
    expect(chooser.row("foto.pdf")).to_have_count(0)
    chooser.row("rusak.pdf").get_by_role("button").click()
    expect(chooser.row("rusak.pdf")).to_have_count(0)
    expect(chooser.page.locator("input[type=file]")).to_be_focused()
    chooser.page.get_by_role("link", name="Lanjut: letakkan meterai").click()
    chooser.page.wait_for_url("**/stamp/place**")
    assert chooser.complaints == []


def test_upload_resumes_after_offline_time(chromium, instance):
    chooser = Chooser(chromium, instance)
    chooser.slow = 100
    chooser.chooses(payload("surat.pdf", LARGE))
    chooser.waits_for_parts(2)
    chooser.context.set_offline(True)
    chooser.sees("surat.pdf", "Terputus, kami lanjutkan")
    sent = list(chooser.parts)
    chooser.context.set_offline(False)
    chooser.sees("surat.pdf", "Siap")
    again = [one for one in chooser.parts[len(sent) :] if one in sent]
    assert len(again) <= 2, (sent, chooser.parts)
    assert chooser.complaints == []


def test_progress_is_shown_within_part(chromium, instance):
    chooser = Chooser(chromium, instance)
    network = chooser.context.new_cdp_session(chooser.page)
    network.send("Network.enable")
    slow = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": 100 * 1024}
    network.send("Network.emulateNetworkConditions", {"offline": False, **slow})
    chooser.page.evaluate(
        """() => {
            window.seen = [];
            const look = () => {
                const bar = document.querySelector("[data-files] progress");
                if (bar) seen.push(bar.value);
            };
            setInterval(look, 50);
        }"""
    )
    chooser.chooses(payload("surat.pdf", LARGE))
    chooser.page.wait_for_function("() => new Set(seen.filter((one) => one % 262144)).size > 2")
    assert chooser.complaints == []


def test_upload_of_same_file_resumes_after_reload(chromium, instance):
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


def test_page_without_script_uploads_files(chromium, instance):
    chooser = Chooser(chromium, instance, scripts=False)
    chooser.chooses(payload("baik.pdf", pdf(words="Baik")), payload("foto.pdf", b"\x89PNG" * 99))
    chooser.page.get_by_role("button", name="Unggah").click()
    chooser.sees("baik.pdf", "Siap")
    chooser.sees("foto.pdf", "Tidak dapat dibubuhi")
    chooser.row("foto.pdf").get_by_role("button").click()
    expect(chooser.row("foto.pdf")).to_have_count(0)
    chooser.sees("baik.pdf", "Siap")


@pytest.mark.parametrize("beyond", [1, 50, FORM_PARTS_MAX])
def test_files_beyond_limit_of_draft_are_named(instance, beyond):
    files_max = StampingSettings().stampings_per_order_max
    parts = [
        f'--zz\r\nContent-Disposition: form-data; name="document"; filename="{number}.pdf"\r\n\r\n'.encode()
        + pdf(words=str(number))
        + b"\r\n"
        for number in range(files_max + beyond)
    ]
    kind = {"Content-Type": "multipart/form-data; boundary=zz"}
    reply = Client(instance.url).post("/stamp/files", b"".join(parts) + b"--zz--\r\n", headers=kind)
    page = reply.body.decode()
    assert reply.status == DraftFull.status
    # A form longer than the limit is not read.
    is_read = beyond < FORM_PARTS_MAX
    said = translate("refusal.draft_full", "id", files_max=files_max)
    assert (said in page) == is_read
    assert ("kirim lebih sedikit" in page) != is_read
    assert page.count("data-file=") == (files_max if is_read else 0)
    assert (f"{files_max}.pdf" in page) == is_read


# -- straight on ---------------------------------------------------------------------------


@pytest.mark.parametrize("scripts", WITH_SCRIPTS)
def test_good_file_leads_straight_to_placing_and_back(chromium, instance, scripts):
    chooser = Chooser(chromium, instance, scripts=scripts)
    page = chooser.page
    seen: list[str] = []
    page.on("framenavigated", lambda frame: seen.append(urlsplit(frame.url).path))
    page.goto(chooser.url)
    chooser.chooses(payload("satu.pdf", pdf(words="Satu")), payload("dua.pdf", pdf(words="Dua")))
    if not scripts:
        page.get_by_role("button", name="Unggah").click()
    page.wait_for_url("**/stamp/place")
    assert seen == ["/", "/stamp/place"]
    expect(page.locator(".documents .name")).to_have_count(2)
    page.get_by_role("link", name="Kembali ke daftar berkas").click()
    page.wait_for_url("**/stamp")
    for name in ("satu.pdf", "dua.pdf"):
        chooser.sees(name, "Siap")
    expect(page.locator("input[type=file]")).to_be_visible()  # another file can be added
    assert chooser.complaints == []
