"""A clerk who checks many documents in a real browser: interruptions, reloads, a table to keep."""

import csv
import io
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import segno
import urllib3
from playwright.sync_api import Browser, FilePayload, Page, Route, expect

from meterai.plumbing.messages import translate
from tests.flows.test_many import Papers
from tests.support.applicant import PHONE
from tests.support.browser import WITH_SCRIPTS
from tests.support.instance import Instance
from tests.support.pdf import pdf

pytestmark = pytest.mark.sample(2, of="file")


@pytest.fixture(params=WITH_SCRIPTS)
def page(chromium: Browser, instance: Instance, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = chromium.new_context(
        viewport=PHONE, locale="id-ID", java_script_enabled=request.param, base_url=instance.url
    )
    found = context.new_page()
    complaints: list[str] = []
    found.on("pageerror", lambda error: complaints.append(str(error)))
    yield found
    context.close()
    assert complaints == []


def papers(*names: str) -> list[FilePayload]:
    return [
        FilePayload(name=name, mimeType="application/pdf", buffer=pdf(words=name)) for name in names
    ]


def test_many_files_become_one_table(page: Page) -> None:
    page.goto("/check")
    page.get_by_role("link", name="Pilih banyak berkas").click()
    page.wait_for_url("**/check/many")  # the previous page has a field of this name too
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("c.pdf", pdf())
        archive.writestr("d.txt", b"catatan")
    archived = FilePayload(name="x.zip", mimeType="application/zip", buffer=out.getvalue())
    page.locator("#document").set_input_files([*papers("a.pdf", "b.pdf"), archived])
    page.get_by_role("button", name="Periksa semua").click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(4)
    for verdict, count in (("not_sealed", 3), ("unreadable", 1)):
        told = f"! {translate(f'verdict.{verdict}', 'id')} {count}"
        expect(page.locator("[role=status]").last).to_contain_text(told)
    assert sorted(page.locator("tbody th").all_text_contents()) == [
        "a.pdf",
        "b.pdf",
        "c.pdf",
        "d.txt",
    ]
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize("page", [True], indirect=True)
def test_lost_connection_costs_one_file_and_a_reload_none(page: Page, tmp_path: Path) -> None:
    sent = 0

    def cut(route: Route) -> None:
        nonlocal sent
        sent += 1
        if sent == 2:
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/check/many/rows", cut)
    page.goto("/check/many")
    files = papers("a.pdf", "=b.pdf", "c.pdf")
    page.locator("#document").set_input_files(files)
    page.get_by_role("button", name="Periksa semua").click()
    expect(page.locator("tbody tr")).to_have_count(3)
    assert sent == 4, "one was sent again"
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(3)
    with page.expect_download() as coming:
        page.get_by_role("button", name="Simpan sebagai tabel").click()
    coming.value.save_as(tmp_path / "table.csv")
    assert coming.value.suggested_filename == "hasil-pemeriksaan.csv"
    text = (tmp_path / "table.csv").read_bytes().decode()
    rows = list(
        csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=";", strict=True)
    )
    assert text[0] == "\ufeff"
    assert text.count("\r\n") == 4
    assert rows[0] == translate("page.many.csv_columns", "id").split("|")
    assert sorted(row[0] for row in rows[1:]) == ["'=b.pdf", "a.pdf", "c.pdf"]
    page.get_by_role("button", name="Hapus tabel ini").click()
    expect(page.locator("tbody tr")).to_have_count(0)


@pytest.mark.parametrize("page", [True], indirect=True)
def test_file_with_the_serial_of_an_earlier_file_is_marked(
    page: Page, instance: Instance, tmp_path: Path
) -> None:
    stamped = Papers(instance).good
    names = ("Budi.pdf", "Ani.pdf")
    both = [FilePayload(name=one, mimeType="application/pdf", buffer=stamped) for one in names]
    page.goto("/check/many")
    for one in both:
        page.locator("#document").set_input_files([one])
        page.get_by_role("button", name="Periksa semua").click()
        expect(page.locator("tbody").get_by_text(one["name"]).first).to_be_visible()
    seen = translate("page.many.seen_in", "id")
    for name, other in (names, reversed(names)):
        row = page.locator("tbody tr.bad").filter(has_text=f"{seen} {other}")
        expect(row.locator("th")).to_have_text(name)
    shared = translate("page.many.shared", "id")
    expect(page.locator("[role=status]")).to_contain_text(f"✕ {shared} 2")
    expect(page.locator("[role=status]")).to_contain_text(translate("page.many.done", "id"))
    with page.expect_download() as coming:
        page.get_by_role("button", name="Simpan sebagai tabel").click()
    coming.value.save_as(tmp_path / "table.csv")
    text = (tmp_path / "table.csv").read_bytes().decode()
    rows = list(
        csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=";", strict=True)
    )
    assert [row[-1] for row in rows[1:]] == ["Ani.pdf", "Budi.pdf"]
    assert [row[1] for row in rows[1:]] == [shared] * 2


@pytest.mark.parametrize("page", [True], indirect=True)
def test_proxy_that_refuses_a_file_or_is_away_stops_no_other_file(page: Page) -> None:
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            route.fulfill(status=413, content_type="text/html", body="<h1>413</h1>")
        elif len(asked) == 2:
            route.fulfill(status=502, content_type="text/html", body="<h1>502</h1>")
        else:
            route.continue_()

    page.route("**/check/many/rows", refuse)
    page.goto("/check/many")
    page.locator("#document").set_input_files(papers("a.pdf", "b.pdf"))
    page.get_by_role("button", name="Periksa semua").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("tbody")).to_contain_text("terlalu besar")
    expect(page.locator("tbody")).not_to_contain_text("413")


# -- the code on paper -------------------------------------------------------------------------

PHONES = 12  # phones of one household or office
SERIAL = "1QQJXXBQNX00N0WZXZP2FV"


def photo(text: str) -> FilePayload:
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="png", scale=6, border=8)
    return FilePayload(name="foto.png", mimeType="image/png", buffer=out.getvalue())


def test_phones_behind_one_address_wait_and_are_not_refused(instance: Instance) -> None:
    code = photo(f"{instance.url}/c/{SERIAL}/1ABCD")
    file = (code["name"], code["buffer"], code["mimeType"])
    body, kind = urllib3.encode_multipart_formdata({"photo": file})

    def send(_: int) -> str:
        reply = instance.anybody().post("/check/qr", body, headers={"Content-Type": kind})
        return f"{reply.status} {reply.headers.get('location')}"

    with ThreadPoolExecutor(PHONES) as phones:
        assert set(phones.map(send, range(PHONES))) == {f"303 /c/{SERIAL}/1ABCD"}


DETECTOR = """
window.BarcodeDetector = class {
  static getSupportedFormats() { return Promise.resolve(["qr_code"]); }
  detect() { return Promise.resolve((window.seen ?? []).map((rawValue) => ({ rawValue }))); }
};
"""
NOT_ALLOWED = """
navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotAllowedError"));
"""


@pytest.mark.parametrize("is_allowed", [True, False])
def test_camera_reads_a_code_and_is_switched_off(
    chromium: Browser, instance: Instance, is_allowed: bool
) -> None:
    context = chromium.new_context(viewport=PHONE, locale="id-ID", base_url=instance.url)
    if not is_allowed:
        context.add_init_script(NOT_ALLOWED)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.add_init_script(DETECTOR)
    page.goto("/check")
    page.get_by_role("button", name="Pakai kamera").click()
    said = page.locator("[data-camera] [role=status]")
    if is_allowed:
        expect(said).to_contain_text("Arahkan kamera")
        page.evaluate("window.seen = ['https://evil.example/c/x']")
        expect(said).to_contain_text("bukan kode meterai")
        page.get_by_role("button", name="Matikan kamera").click()
        expect(page.locator("video")).to_be_hidden()
        page.get_by_role("button", name="Pakai kamera").click()
        page.evaluate(f"window.seen = ['HTTPS://EVIL.EXAMPLE/C/{SERIAL}']")
        page.wait_for_url(f"{instance.url}/c/{SERIAL}?address=elsewhere")
        expect(page.locator(".verdict")).to_contain_text(translate("page.claim.elsewhere", "id"))
    else:
        expect(said).to_contain_text("Kamera tidak dapat dipakai")
    context.close()
    assert not [one for one in complaints if "violat" in one.lower()]
