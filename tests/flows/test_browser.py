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
    Page,
    ViewportSize,
    expect,
)

from tests.support.applicant import NOW, PHONE, TO_PAY, Applicant
from tests.support.browser import WAIT_MS, WITH_SCRIPTS
from tests.support.instance import Client, Instance
from tests.support.pdf import pdf

pytestmark = pytest.mark.sample(4, of="file")

Fields = dict[str, str | float | bool]


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


@both_ways
def test_whole_order_is_refunded(applicant: Applicant) -> None:
    applicant.signs_in("/buy")
    applicant.page.get_by_label("Jumlah meterai").fill("2")
    applicant.presses("Lanjut ke pembayaran")
    applicant.pays()
    applicant.sees("2 meterai siap dipakai")
    applicant.page.get_by_text("Kembalikan meterai yang belum dipakai").click()
    applicant.presses("Kembalikan 2 meterai")
    applicant.sees("Uang sudah dikembalikan")
    expect(applicant.page.locator(".refunded td")).to_have_text("Rp20.000")
    expect(applicant.page.locator(".in_flight td")).to_have_text("Rp0")


@both_ways
def test_withdrawn_order_shows_no_qr(applicant: Applicant) -> None:
    applicant.signs_in("/buy")
    applicant.presses("Lanjut ke pembayaran")
    applicant.page.locator("summary", has_text="Batalkan pesanan").click()
    applicant.presses("Batalkan pesanan ini")
    applicant.sees("Dibatalkan")
    expect(applicant.page.locator(".qr")).to_have_count(0)


@both_ways
def test_language_can_be_changed_and_session_ended(applicant: Applicant) -> None:
    applicant.signs_in("/account")
    applicant.presses("English")
    applicant.sees("Account")
    applicant.presses("Sign out")
    applicant.sees("Electronic stamps for your documents")
    applicant.goes_to("/account")
    applicant.sees("Sign in")


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


@both_ways
def test_session_ended_before_the_order_loses_nothing(applicant: Applicant) -> None:
    applicant.signs_in("/account")
    applicant.uploads("Surat lamaran.pdf")
    applicant.places()
    applicant.page.context.clear_cookies(name="session")
    applicant.presses("Bayar Rp10.000 dengan QRIS")
    applicant.sees("Masuk")
    applicant.goes_to("/stamp")
    expect(applicant.page.locator(".document")).to_have_count(0)
    applicant.page.get_by_role("link", name="Masuk untuk melanjutkan").click()
    applicant.sees("Masuk")
    applicant.goes_to("/stamp/pay")
    applicant.page.get_by_label("Alamat email").fill(applicant.email)
    applicant.presses("Kirim kode")
    applicant.types_the_code("/stamp/pay")
    applicant.presses("Bayar Rp10.000 dengan QRIS")
    applicant.sees(TO_PAY)
    expect(applicant.page.locator(".document")).to_have_text(re.compile("Surat lamaran.pdf"))


@both_ways
def test_number_typed_into_an_old_page_is_kept_through_sign_in(applicant: Applicant) -> None:
    applicant.signs_in("/buy")
    applicant.page.get_by_label("Jumlah meterai").fill("3")
    applicant.page.context.clear_cookies(name="session")
    applicant.presses("Lanjut ke pembayaran")
    applicant.sees("Masuk")
    applicant.page.get_by_label("Alamat email").fill(applicant.email)
    applicant.presses("Kirim kode")
    applicant.types_the_code("/buy")
    expect(applicant.page.get_by_label("Jumlah meterai")).to_have_value("3")
    expect(applicant.page.locator("main .note")).to_contain_text("belum terkirim")
    applicant.presses("Lanjut ke pembayaran")
    applicant.sees(re.compile("Bayar Rp30.000"))


def test_two_stamps_for_three_documents_stamp_none(applicant: Applicant) -> None:
    """With two stamps for three documents nothing is stamped or charged. With a third stamp the same draft
    stamps all."""
    applicant.signs_in("/buy")
    applicant.buys(2)
    applicant.uploads("Surat.pdf", "Ijazah.pdf", "Kuasa.pdf")
    applicant.places()
    expect(applicant.page.get_by_label("Pakai meterai di akun saya (ada 2)")).to_be_disabled()
    seen = applicant.page
    applicant.page = seen.context.new_page()
    applicant.goes_to("/buy")
    applicant.buys(1)
    applicant.goes_to("/stamp/pay")
    form = {
        name: applicant.page.locator(f'main form input[name="{name}"]').first.input_value()
        for name in ("form_token", "draft", "seen")
    }
    applicant.page.get_by_label("Pakai meterai di akun saya (ada 3)").check()
    applicant.page.get_by_role("button", name=NOW).click()
    applicant.sees("Meterai saya")
    expect(applicant.page.locator(".document .state.delivered")).to_have_count(3)
    # The same form once more, from another window or after a lost answer, does nothing.
    again = applicant.page.context.request.post(
        f"{applicant.instance.url}/stamp/pay", form={**form, "pay": "qris"}, max_redirects=0
    )
    assert (again.status, again.headers["location"]) == (303, "/history")


@both_ways
def test_file_sent_before_is_shown_and_needs_a_confirmation(erring: Applicant) -> None:
    """The first answer was lost, and the same file comes again with a new draft."""
    erring.signs_in("/buy")
    erring.buys(2)
    [letter] = erring.uploads("Surat.pdf")
    erring.orders(NOW)
    erring.sees("Surat.pdf")
    erring.chooses(["Surat.pdf"], [letter])
    erring.orders(NOW)
    for _ in range(2):
        expect(erring.page.get_by_role("alert")).to_contain_text(
            "Surat.pdf sudah pernah Anda kirim"
        )
        expect(erring.page.locator(".document .state")).to_have_text("Sudah bermeterai")
        expect(erring.page.locator("main .note")).to_contain_text("Belum ada yang dibubuhi")
        erring.fits_the_screen()
        with erring.page.expect_navigation():  # the next page looks the same
            erring.page.get_by_role("button", name=NOW).click()
    erring.page.get_by_label("Ya, bubuhkan 1 meterai lagi").check()
    erring.page.get_by_role("button", name=NOW).click()
    erring.sees("Surat.pdf")
    erring.goes_to("/history")
    expect(erring.page.locator(".document .state.delivered")).to_have_count(2)


def test_wrong_code_can_be_typed_again(erring: Applicant) -> None:
    erring.goes_to("/sign-in")
    erring.page.get_by_label("Alamat email").fill("bukan alamat")
    erring.presses("Kirim kode")
    expect(erring.page.get_by_role("alert")).to_contain_text("alamat email lengkap")
    erring.page.get_by_label("Alamat email").fill(erring.email)
    erring.presses("Kirim kode")
    expect(erring.page.locator(".lead")).to_contain_text(erring.email)
    erring.page.get_by_label("Kode enam angka").fill("12")
    erring.presses("Masuk")
    expect(erring.page.get_by_role("alert")).to_contain_text("enam angka")
    # The right code once in a million runs.
    erring.page.get_by_label("Kode enam angka").fill("000000")
    erring.presses("Masuk")
    expect(erring.page.get_by_role("alert")).to_contain_text("Kode salah, sisa 4 percobaan")


# -- repeated and foreign requests, by HTTP, since no browser would send them ------------------


def _form(page: Page) -> dict[str, str]:
    return {
        name: page.locator(f'main form input[name="{name}"]').first.input_value()
        for name in ("form_token", "key")
    }


def test_form_sent_twice_makes_one_order(applicant: Applicant) -> None:
    applicant.signs_in("/buy")
    form: Fields = {**_form(applicant.page), "quantity": "1"}
    send = applicant.page.context.request.post
    answers = [send(f"{applicant.instance.url}/buy", form=form, max_redirects=0) for _ in range(2)]
    assert [answer.status for answer in answers] == [303, 303]
    assert answers[0].headers["location"] == answers[1].headers["location"]
    other = send(f"{applicant.instance.url}/buy", form={**form, "quantity": "2"})
    assert other.status == 422
    forged = send(f"{applicant.instance.url}/buy", form={**form, "form_token": "0" * 32})
    assert forged.status == 403


def test_stranger_sees_nothing_of_an_order(applicant: Applicant, chromium: Browser) -> None:
    applicant.signs_in("/buy")
    applicant.presses("Lanjut ke pembayaran")
    applicant.sees(TO_PAY)
    order = urlsplit(applicant.page.url).path
    context = chromium.new_context(locale="id-ID")
    stranger = Applicant(context, applicant.instance)
    stranger.signs_in("/account")
    files = ("qr.png", "receipt.pdf", "documents.zip")
    for path in (
        order,
        f"{order}/state",
        f"{order}/state?wait=1",
        *(f"{order}/{x}" for x in files),
    ):
        assert context.request.get(f"{applicant.instance.url}{path}").status == 404
    context.close()
    assert Client(applicant.instance.url).get(f"{order}/state").status == 401


def test_unchanged_order_gets_an_empty_answer(applicant: Applicant) -> None:
    applicant.signs_in("/buy")
    applicant.presses("Lanjut ke pembayaran")
    applicant.sees(TO_PAY)
    ask = applicant.page.context.request.get
    state = f"{applicant.page.url}/state"
    first = ask(state)
    tag = first.headers["etag"].removeprefix("W/")  # the tag is weak if the answer is compressed
    again = ask(state, headers={"If-None-Match": f"W/{tag}"})
    assert (first.status, again.status) == (200, 304)
    assert again.body() == b""
