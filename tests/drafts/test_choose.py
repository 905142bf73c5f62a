"""Choosing files in a browser: interrupted, reloaded, removed, dropped; with and without a script."""

import re
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

    def goes_straight_on(self) -> None:
        """Expect the redirect to the placement page, since no file needs a message, and go back to the files."""
        self.page.wait_for_url("**/stamp/place")
        self.page.goto(self.url + "/stamp")

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


def test_broken_part_shows_interruption_until_it_is_sent_again(chromium, instance):
    chooser = Chooser(chromium, instance)
    cuts: list[str] = []

    def cut(route: Route) -> None:
        if route.request.method == "PATCH" and len(cuts) < 3:
            cuts.append(route.request.url)
            return route.abort("connectionreset")
        return route.fallback()

    chooser.context.route("**/stamp/uploads/*", cut)
    chooser.chooses(payload("surat.pdf", LARGE))
    chooser.sees("surat.pdf", "Terputus, kami lanjutkan")
    chooser.sees("surat.pdf", "Siap")
    assert len(cuts) == 3
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


def test_ended_session_is_shown_and_no_other_file_begins(chromium, instance):
    chooser = Chooser(chromium, instance)
    begun: list[str] = []

    def end(route: Route) -> None:
        if route.request.method == "PATCH":
            route.fulfill(status=401, json={"code": "sign_in_required", "title": "Masuk dulu"})
        else:
            route.continue_()

    chooser.context.route("**/stamp/uploads/*", end)
    chooser.page.on(
        "request", lambda one: begun.append(one.method) if one.method == "POST" else None
    )
    with chooser.page.expect_navigation(url="**/stamp"):
        chooser.chooses(payload("besar.pdf", LARGE), payload("kecil.pdf", pdf(words="Kecil")))
    chooser.sees("besar.pdf", "Belum selesai terkirim")
    expect(chooser.row("kecil.pdf")).to_have_count(0)
    assert begun == ["POST"]
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


def test_file_is_taken_out_during_upload(chromium, instance):
    chooser = Chooser(chromium, instance, locale="en-GB")
    chooser.is_held = True
    chooser.chooses(payload("surat.pdf", LARGE), payload("lain.pdf", pdf(words="Lain")))
    chooser.sees("surat.pdf", "Uploading")
    chooser.row("surat.pdf").get_by_role("button").click()
    chooser.is_held = False
    chooser.goes_straight_on()
    chooser.sees("lain.pdf", "Ready")
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
    chooser.goes_straight_on()
    chooser.sees("jatuh.pdf", "Siap")
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


def test_file_under_examination_at_page_load_becomes_ready(chromium, instance):
    """This happens on another device, after a reload, or after the examining process was killed."""
    chooser = Chooser(chromium, instance, scripts=False)
    chooser.chooses(payload("baik.pdf", pdf(words="Baik")), payload("foto.pdf", b"\x89PNG" * 99))
    chooser.page.get_by_role("button", name="Unggah").click()
    chooser.sees("baik.pdf", "Siap")
    later = chromium.new_context(locale="id-ID")
    later.add_cookies(chooser.context.cookies())
    page = later.new_page()
    told = []

    def first(route: Route) -> None:
        shown = (
            route.fetch().text().replace('data-file-state="ready"', 'data-file-state="examining"')
        )
        told.append(shown := shown.replace("Siap", "Sedang diperiksa"))
        route.fulfill(body=shown, content_type="text/html; charset=utf-8")

    page.route("**/stamp", first, times=1)
    page.goto(chooser.url + "/stamp")
    expect(page.locator(".document", has_text="baik.pdf")).to_contain_text("Siap", timeout=WAIT_MS)
    assert "examining" in told[0]
    later.close()


def test_focus_stays_while_list_changes(chromium, instance):
    chooser = Chooser(chromium, instance)
    chooser.chooses(payload("baik.pdf", pdf(words="Baik")), payload("foto.pdf", b"\x89PNG"))
    chooser.sees("baik.pdf", "Siap")
    chooser.sees("foto.pdf", "Tidak dapat dikirim")
    chooser.is_held = True
    chooser.chooses(payload("surat.pdf", LARGE), payload("akhir.pdf", pdf(words="Akhir")))
    go_on = chooser.page.get_by_role("link", name="Lanjut: letakkan meterai")
    expect(go_on).to_be_hidden()  # leaving now would interrupt the upload
    mine = chooser.row("akhir.pdf").get_by_role("button")
    mine.focus()
    chooser.is_held = False
    chooser.sees("surat.pdf", "Siap")
    expect(mine).to_be_focused()
    chooser.row("baik.pdf").get_by_role("button").focus()
    chooser.sees("akhir.pdf", "Siap")
    expect(go_on).to_be_visible()
    expect(chooser.row("baik.pdf").get_by_role("button")).to_be_focused()
    assert chooser.complaints == []


def test_forgotten_upload_begins_again(chromium, instance):
    chooser = Chooser(chromium, instance)
    chooser.slow = 200
    chooser.chooses(payload("surat.pdf", LARGE))
    chooser.waits_for_parts(2)
    chooser.page.goto(chooser.url + "/stamp")
    chooser.sees("surat.pdf", "Belum selesai terkirim")
    chooser.slow = 0
    asked: list[str] = []

    def forgotten(route: Route) -> None:
        asked.append(route.request.method)
        if asked == ["GET"]:
            route.fulfill(status=404, content_type="application/problem+json", body="{}")
        else:
            route.fallback()

    chooser.context.route(re.compile(r"/stamp/uploads(/|$)"), forgotten)
    chooser.chooses(payload("surat.pdf", LARGE))
    expect(chooser.page.get_by_role("link", name="Lanjut: letakkan meterai")).to_be_visible()
    assert asked[:2] == ["GET", "GET"], "it is looked for again, and not given up"
    assert chooser.complaints == []


def busy_once(chooser: Chooser) -> list[str]:
    """Refuse the script's next list of files; return how each list was answered."""
    asked: list[str] = []

    def answered(route: Route) -> None:
        if route.request.resource_type != "fetch":
            return route.fallback()
        asked.append("list" if asked else "busy")
        if len(asked) > 1:
            return route.fallback()
        return route.fulfill(status=503, content_type="application/problem+json", body="{}")

    chooser.page.route(chooser.url + "/stamp", answered)
    return asked


def test_refused_list_is_requested_again_before_upload(chromium, instance):
    chooser = Chooser(chromium, instance)
    chooser.page.goto(chooser.url)
    asked = busy_once(chooser)
    chooser.chooses(payload("surat.pdf", pdf(words="Ramai")))
    chooser.page.wait_for_url("**/stamp/place")
    assert asked == ["busy", "list"]
    assert chooser.complaints == []


def test_refused_list_after_upload_is_requested_again(chromium, instance):
    chooser = Chooser(chromium, instance)
    asked = busy_once(chooser)
    chooser.chooses(payload("rusak.pdf", LARGE))
    chooser.sees("rusak.pdf", "Siap, sudah diperbaiki")
    expect(chooser.page.get_by_role("link", name="Lanjut: letakkan meterai")).to_be_visible()
    assert asked == ["busy", "list"]
    assert chooser.complaints == []


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(pdf(words="Salah"), id="one part", marks=pytest.mark.variant),
        pytest.param(LARGE, id="several parts"),
    ],
)
def test_file_taken_out_while_offline_stays_out(chromium, instance, content):
    """The last part arrived, but its answer was lost."""
    chooser = Chooser(chromium, instance)

    def lose_the_answer(route: Route) -> None:
        if route.request.headers.get("upload-complete") != "?1":
            return route.fallback()
        route.fetch()
        chooser.context.set_offline(True)
        return route.abort()

    uploads = re.compile(r"/stamp/uploads(/|$)")
    chooser.page.route(uploads, lose_the_answer)
    chooser.chooses(payload("salah.pdf", content))
    chooser.sees("salah.pdf", "Terputus, kami lanjutkan")
    chooser.row("salah.pdf").get_by_role("button").click()
    chooser.sees("salah.pdf", "Sedang dikeluarkan")
    chooser.page.unroute(uploads)
    chooser.context.set_offline(False)
    expect(chooser.row("salah.pdf")).to_have_count(0)
    chooser.chooses(payload("benar.pdf", pdf(words="Benar")))
    chooser.goes_straight_on()
    chooser.sees("benar.pdf", "Siap")
    expect(chooser.page.locator(".document")).to_have_count(1)
    assert chooser.complaints == []


def test_go_on_waits_for_pending_removal(chromium, instance):
    chooser = Chooser(chromium, instance)
    chooser.chooses(payload("salah.pdf", LARGE))
    chooser.sees("salah.pdf", "Siap, sudah diperbaiki")
    tried: list[str] = []
    is_seen = False

    def refuse(route: Route) -> None:
        if route.request.method != "DELETE" or len(tried) > 1:
            return route.fallback()
        tried.append(route.request.url)
        while len(tried) > 1 and not is_seen:
            chooser.page.wait_for_timeout(20)
        return route.fulfill(status=503, content_type="application/problem+json", body="{}")

    chooser.page.route("**/stamp/uploads/*", refuse)
    chooser.row("salah.pdf").get_by_role("button").click()
    chooser.sees("salah.pdf", "Sedang dikeluarkan")
    expect(chooser.page.get_by_role("link", name="Lanjut: letakkan meterai")).to_be_hidden()
    is_seen = True
    expect(chooser.row("salah.pdf")).to_have_count(0)
    assert len(tried) == 2
    assert chooser.complaints == []


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


def test_remark_about_file_is_shown_before_placing(chromium, instance):
    chooser = Chooser(chromium, instance)
    good = pdf(words="Baik")
    chooser.chooses(payload("baik.pdf", good), payload("sama.pdf", good))
    chooser.sees("sama.pdf", "Berkas yang sama")
    chooser.row("sama.pdf").get_by_role("button").click()
    expect(chooser.page.locator(".document")).to_have_count(1)
    chooser.chooses(payload("rusak.pdf", LARGE))
    chooser.sees("rusak.pdf", "Siap, sudah diperbaiki")
    assert chooser.page.url.endswith("/stamp")
    assert chooser.complaints == []


def test_file_that_is_uploaded_already_is_not_sent_again(chromium, instance):
    chooser = Chooser(chromium, instance)
    chooser.chooses(payload("surat.pdf", LARGE))
    chooser.sees("surat.pdf", "Siap, sudah diperbaiki")
    sent: list[str] = []
    chooser.page.on("request", lambda request: sent.append(request.method))
    chooser.page.goto(chooser.url)
    chooser.chooses(payload("surat.pdf", LARGE))
    expect(chooser.page.get_by_role("link", name="Lanjut: letakkan meterai")).to_be_visible()
    expect(chooser.row("surat.pdf")).to_have_count(1)
    assert not {"POST", "PATCH"} & set(sent)
    assert chooser.complaints == []
