"""The whole journey in a real browser: sign in, stamp, pay at the bank, download, check, refund."""

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    FilePayload,
    ViewportSize,
    expect,
)

from tests.support.applicant import NOW, PHONE, TO_PAY, Applicant
from tests.support.browser import WAIT_MS, WITH_SCRIPTS
from tests.support.instance import Instance
from tests.support.pdf import pdf

pytestmark = pytest.mark.sample(3, of="file")


@pytest.fixture(scope="module")
def shop(instance: Instance) -> Iterator[Instance]:
    """The shared instance. After all tests of this file every invariant must hold."""
    yield instance
    instance.assert_audit_holds()


both_ways = pytest.mark.parametrize("applicant", WITH_SCRIPTS, indirect=True)


@pytest.fixture
def applicant(
    chromium: Browser, shop: Instance, request: pytest.FixtureRequest
) -> Iterator[Applicant]:
    context = chromium.new_context(
        viewport=PHONE,
        locale="id-ID",
        java_script_enabled=getattr(request, "param", True),
        accept_downloads=True,
    )
    someone = Applicant(context, shop)
    yield someone
    context.close()
    assert someone.hosts == {"127.0.0.1"}
    assert someone.complaints == []


@pytest.mark.parametrize("applicant", [True, False], indirect=True)
def test_documents_are_stamped_paid_downloaded_and_checked(
    applicant: Applicant, tmp_path: Path
) -> None:
    originals = applicant.uploads("Surat lamaran.pdf", "Ijazah.pdf")
    applicant.places()
    applicant.orders_by_code("Rp20.000")
    applicant.sees(TO_PAY)
    applicant.pays()
    applicant.sees("2 dokumen sudah bermeterai")
    stamped = tmp_path / "stamped.pdf"
    content = applicant.downloads("Unduh dokumen bermeterai", stamped)
    assert content.startswith(originals[0])
    applicant.checks(stamped, "Asli")
    applicant.page.locator(".serials a").first.click()
    expect(applicant.page.locator(".state")).to_have_text("Sudah dibubuhkan")
    changed = tmp_path / "changed.pdf"
    changed.write_bytes(content.replace(b"595", b"594", 1))  # the page is one point narrower
    assert changed.read_bytes() != content
    applicant.checks(changed, "Diubah", is_good=False)


SMALL = ViewportSize(width=360, height=600)
QUESTION = re.compile(r"/orders/\w+/state\b")  # request of the page: has the order changed?
ITSELF = re.compile(r"/orders/\w+(\?\w+=\w+)?$")  # reload of the page without scripts


@both_ways
def test_order_is_paid_on_one_small_screen_and_executed_at_once(
    applicant: Applicant, tmp_path: Path
) -> None:
    page = applicant.page
    page.set_viewport_size(SMALL)
    applicant.signs_in("/buy")
    applicant.presses("Lanjut ke pembayaran")
    applicant.sees(TO_PAY)
    # QR, amount, time and instructions are all visible on a small phone.
    needed = [
        page.locator("h1"),
        page.locator(".until"),
        page.locator(".qr svg"),
        page.get_by_role("link", name="Simpan QR"),
        page.get_by_role("button", name="Saya sudah bayar"),
    ]
    for one in needed:
        box = one.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= SMALL["height"], one
    applicant.fits_the_screen()
    # Hold back the notice of the payment, so that the button can be pressed however slow this machine is. A
    # request that already waits at the server would get the notice.
    page.route(QUESTION, lambda route: route.fulfill(status=304))
    page.route(ITSELF, lambda route: route.fulfill(status=204))
    applicant.presses("Saya sudah bayar")
    expect(page.locator(".pay .note")).to_contain_text("belum tercatat")
    applicant.pays()
    with page.expect_navigation():
        applicant.presses("Saya sudah bayar")
    page.unroute_all()
    applicant.sees("1 meterai siap dipakai")


@both_ways
def test_cancelled_order_is_placed_again_by_one_press(applicant: Applicant) -> None:
    applicant.signs_in("/account")
    applicant.uploads("Surat lamaran.pdf")
    applicant.orders()
    applicant.sees(TO_PAY)
    first = urlsplit(applicant.page.url).path
    applicant.page.locator("summary", has_text="Batalkan pesanan").click()
    applicant.presses("Batalkan pesanan ini")
    applicant.sees("Dibatalkan")
    applicant.presses("Pesan lagi dengan QR baru")
    applicant.sees(TO_PAY)
    assert urlsplit(applicant.page.url).path != first
    applicant.pays()
    applicant.sees("1 dokumen sudah bermeterai")


def test_documents_are_downloaded_as_one_archive_or_joined_on_the_device(
    applicant: Applicant, tmp_path: Path
) -> None:
    applicant.signs_in("/account")
    originals = applicant.uploads("Surat.pdf", "Ijazah.pdf")
    applicant.orders()
    applicant.sees(TO_PAY)
    applicant.pays()
    applicant.sees("2 dokumen sudah bermeterai")
    content = applicant.downloads("Unduh semua, 2 dokumen (zip)", tmp_path / "all.zip")
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    assert archive.namelist() == ["Surat-bermeterai.pdf", "Ijazah-bermeterai.pdf"]
    # Only the appended bytes are transferred.
    fetched: list[str] = []
    page = applicant.page
    page.on("request", lambda request: fetched.append(urlsplit(request.url).path))
    page.locator("summary", has_text="Hemat data").click()
    original = FilePayload(name="a.pdf", mimeType="application/pdf", buffer=originals[1])
    with page.expect_download() as coming:
        page.locator("#original").set_input_files([original])
    coming.value.save_as(tmp_path / "joined.pdf")
    assert coming.value.suggested_filename == "Ijazah-bermeterai.pdf"
    assert (tmp_path / "joined.pdf").read_bytes() == archive.read("Ijazah-bermeterai.pdf")
    assert any(path.endswith("/delta") for path in fetched)
    assert not any(path.endswith("/document") for path in fetched)
    other = FilePayload(name="b.pdf", mimeType="application/pdf", buffer=pdf(words="Lain"))
    page.locator("#original").set_input_files([other])
    expect(page.locator("[data-join] output")).to_contain_text("bukan berkas asli")


@both_ways
def test_bought_stamps_are_used_and_the_rest_is_refunded(applicant: Applicant) -> None:
    applicant.signs_in("/buy")
    applicant.page.get_by_label("Jumlah meterai").fill("2")
    applicant.presses("Lanjut ke pembayaran")
    applicant.sees(TO_PAY)
    order = urlsplit(applicant.page.url).path
    applicant.pays()
    applicant.sees("2 meterai siap dipakai")
    applicant.uploads("Surat kuasa.pdf")
    applicant.orders(NOW)
    applicant.sees("Surat kuasa.pdf")
    expect(applicant.page.locator(".state")).to_have_text("Sudah bermeterai")
    applicant.goes_to(order)
    applicant.page.get_by_text("Kembalikan meterai yang belum dipakai").click()
    applicant.presses("Kembalikan 1 meterai")
    refund = applicant.page.locator(".refund")
    expect(refund.locator(".state")).to_have_text("Sudah kembali", timeout=WAIT_MS)
    expect(refund).to_contain_text("Rp10.000")
    expect(applicant.page.locator(".refunded td")).to_have_text("Rp10.000")
    applicant.fits_the_screen()
    applicant.goes_to("/history")
    expect(applicant.page.locator(".entry")).to_have_count(2)
    applicant.fits_the_screen()


# -- failures; a browser writes each refusal to its console ------------------------------------


@pytest.fixture
def erring(applicant: Applicant) -> Iterator[Applicant]:
    yield applicant
    refused = [one for one in applicant.complaints if "status of 4" in one]
    assert applicant.complaints == refused
    applicant.complaints.clear()


@both_ways
def test_wrong_field_gets_the_focus_and_keeps_its_input(erring: Applicant) -> None:
    erring.signs_in("/buy")
    erring.page.get_by_label("Jumlah meterai").fill("0")
    erring.presses("Lanjut ke pembayaran")
    expect(erring.page).to_have_title(re.compile("^Kesalahan: "))
    expect(erring.page.get_by_role("alert")).to_be_focused()
    expect(erring.page.get_by_label("Jumlah meterai")).to_have_value("0")


@both_ways
def test_unusable_file_shows_a_reason_and_the_others_continue(erring: Applicant) -> None:
    erring.signs_in("/account")
    erring.chooses(["foto.pdf", "Surat.pdf"], [b"JFIF", pdf(words="Surat")])
    photo = erring.page.locator(".document", has_text="foto.pdf")
    expect(photo).to_contain_text("Berkas ini bukan PDF.")
    erring.fits_the_screen()
    erring.orders()
    erring.sees(TO_PAY)
    expect(erring.page.locator(".document")).to_have_count(1)


# -- repeated and foreign requests, by HTTP, since no browser would send them ------------------
