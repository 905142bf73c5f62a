"""Complaints in a real browser: one is answered from the facts, and one leads to a refund by staff."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import psycopg
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.support.applicant import PHONE, TO_PAY, Applicant
from tests.support.inside import Inside
from tests.support.instance import Instance, until
from tests.support.seated import seated

pytestmark = pytest.mark.sample(1, of="file")

MONITOR = ViewportSize(width=1600, height=900)
NO_STAMPS = "Sudah bayar, meterai belum ada"
QUANTITY = 110  # its price needs an approval
BACK = "Rp1.100.000"
SILENT_BANK = {"drop_notifications": -1, "query_500": -1}

Fields = dict[str, str | float | bool]
Seats = Callable[[str], Page]


@pytest.fixture
def applicant(
    chromium: Browser, audited: Instance, request: pytest.FixtureRequest
) -> Iterator[Applicant]:
    """A buyer; afterwards every invariant holds."""
    has_scripts = getattr(request, "param", True)
    with chromium.new_context(
        viewport=PHONE, locale="id-ID", java_script_enabled=has_scripts
    ) as context:
        someone = Applicant(context, audited)
        yield someone
        assert someone.complaints == []


@pytest.fixture
def seats(chromium: Browser, instance: Instance) -> Iterator[Seats]:
    """A page of the console for a member of staff with a role, in a browser of its own."""
    with ExitStack() as stack:

        def sit(role: str) -> Page:
            context = stack.enter_context(chromium.new_context(viewport=MONITOR, locale="en"))
            context.set_default_timeout(60_000)
            seated(context, instance, role)
            page = context.new_page()
            page.goto(f"{instance.url}/console")
            return page

        yield sit


def complains(applicant: Applicant, words: str) -> str:
    """Send a complaint from the page of an order, and return the path of the complaint."""
    applicant.page.get_by_role("link", name="Ada yang tidak beres dengan pesanan ini").click()
    applicant.page.get_by_label("Apa yang terjadi?").select_option(label=NO_STAMPS)
    applicant.page.get_by_label("Ceritakan dengan kata-kata Anda").fill(words)
    applicant.presses("Kirim pengaduan")
    applicant.sees(NO_STAMPS)
    return urlsplit(applicant.page.url).path


def stands(applicant: Applicant, state: str) -> None:
    """Check the state of the complaint on the page."""
    expect(applicant.page.locator(".state").first).to_have_text(state)


def mailed(applicant: Applicant, subject: str) -> str:
    """The mail with this subject."""

    def came() -> list[str]:
        mails = applicant.instance.mails_to(applicant.email)
        return [str(one) for one in mails if one["subject"].endswith(subject)]

    found: list[str] = until(f"a mail: {subject}", came)
    return found[0]


def seeks(page: Page, text: str, there: str) -> None:
    """Type into the search box of the console."""
    page.goto(f"{page.url.partition('/console')[0]}/console")
    page.get_by_role("searchbox").fill(text)
    page.get_by_role("button", name="Search", exact=True).click()
    page.wait_for_url(f"**/console/subjects/{there}")


@pytest.mark.parametrize("applicant", [True, False], indirect=True, ids=["scripts", "no scripts"])
def test_complaint_is_answered_from_the_facts_and_closed_by_its_person(
    applicant: Applicant,
) -> None:
    applicant.signs_in("/buy")
    applicant.buys(1)
    complaint = complains(applicant, "Saldo terpotong, kuota masih 0!")
    stands(applicant, "Sudah dijawab")
    answer = applicant.page.locator(".card", has_text="Jawaban").first
    expect(answer).to_contain_text("dan sudah dilaksanakan. Dari 1 meterai: 1 belum dipakai")
    applicant.fits_the_screen()
    assert "sudah dilaksanakan" in mailed(applicant, f"Jawaban atas pengaduan Anda: {NO_STAMPS}")
    applicant.presses("Ini menjawab pengaduan saya")
    stands(applicant, "Selesai")
    expect(applicant.page.locator("main")).to_contain_text("Anda menyatakan sudah terjawab.")
    assert urlsplit(applicant.page.url).path == complaint


def test_refund_by_two_of_staff_closes_the_case_automatically(
    applicant: Applicant, seats: Seats
) -> None:
    bank, page = applicant.instance.bank, applicant.page
    applicant.signs_in("/buy")
    bank.faults(**SILENT_BANK)
    try:
        page.get_by_label("Jumlah meterai").fill(str(QUANTITY))
        applicant.presses("Lanjut ke pembayaran")
        applicant.sees(TO_PAY)
        order = urlsplit(page.url).path.rpartition("/")[2]
        applicant.pays()
        complaint = complains(applicant, "Sudah bayar, kuota 0. Uang saya di mana?")
        stands(applicant, "Menunggu petugas")  # it is still unknown whether the order is paid
    finally:
        bank.clear_faults()
    applicant.goes_to(f"/orders/{order}")
    applicant.sees(f"{QUANTITY} meterai siap dipakai")

    support = seats("support")
    finds_and_asks(support, applicant, order)
    text = mailed(applicant, f"Petugas bertanya tentang pengaduan Anda: {NO_STAMPS}")
    assert "Masih perlu meterainya?" in text
    applicant.goes_to(complaint)
    stands(applicant, "Menunggu Anda")
    page.get_by_label("Tulis pesan").fill("Tidak, sudah beli di kantor pos.")
    applicant.presses("Kirim pesan")
    stands(applicant, "Menunggu petugas")

    finance = seats("finance")
    request = asks_for_the_money(finance, order)
    is_refused_to_approve_it(finance, request, applicant.instance)
    approves(seats("finance"), request)

    assert BACK in mailed(applicant, f"Pengaduan Anda selesai: {NO_STAMPS}")
    applicant.goes_to(complaint)
    stands(applicant, "Selesai")
    answer = page.locator(".card", has_text="Jawaban").first
    expect(answer).to_contain_text(f"{BACK} sudah kembali ke sumber pembayaran Anda")
    applicant.fits_the_screen()
    applicant.goes_to(f"/orders/{order}")
    expect(page.locator(".refunded td")).to_have_text(BACK)
    support.reload()
    expect(support.locator("main")).to_contain_text("All money")


def finds_and_asks(page: Page, applicant: Applicant, order: str) -> None:
    """A clerk finds the case by the order and by the mail address, takes it over, and asks the buyer."""
    seeks(page, order, f"order/{order}")
    expect(page.locator(".told")).to_contain_text(re.compile("Complaint cas_.* received"))
    seeks(page, applicant.email, "account/*")
    page.locator(".told a[href^='/console/cases/']").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Paid, but no stamps")
    expect(page.locator("main")).to_contain_text("Uang saya di mana?")
    page.get_by_role("button", name="Take over").click()
    expect(page.locator("dl.facts")).to_contain_text(re.compile("Owner\\s*acc_"))
    page.get_by_label("Message to the complainant").fill("Masih perlu meterainya?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator(".state").first).to_have_text("Waiting for you")


def asks_for_the_money(page: Page, order: str) -> str:
    """Request the refund of an order by its lever, and return the path of the request."""
    seeks(page, order, f"order/{order}")
    page.locator("a[href^='/console/levers/refunds.ask']").click()
    page.get_by_label("Reason").fill("Not wanted any more, says its buyer.")
    page.get_by_role("button", name="Show what will happen").click()
    forecast = page.locator("section.card", has_text="What will happen")
    expect(forecast).to_contain_text(BACK)
    expect(forecast).to_contain_text("needs a second person's approval")
    page.get_by_role("button", name="Ask for approval").click()
    page.wait_for_url("**/console/approvals/apr_*")
    return urlsplit(page.url).path


def is_refused_to_approve_it(page: Page, path: str, instance: Instance) -> None:
    """The requester cannot approve: the page has no button, the form is refused, and a named constraint forbids
    it."""
    expect(page.get_by_role("button", name="Approve and carry out")).to_have_count(0)
    expect(page.locator("main")).to_contain_text("Another person must decide")
    token = page.locator("input[name=form_token]").first.input_value()
    form: Fields = {"form_token": token, "do": "approve", "note": ""}
    headers = {"Origin": instance.url}
    sent = page.request.post(f"{instance.url}{path}", form=form, headers=headers)
    assert sent.status == 403
    assert "Another person must decide on your own request" in sent.text()
    with Inside(instance).connect() as owner, pytest.raises(psycopg.Error) as refused:
        owner.execute(
            "UPDATE approvals SET state = 'executed', decided_by = requested_by, decided_at = now()"
            " WHERE state = 'waiting'"
        )
    assert refused.value.diag.constraint_name == "approver_is_another"


def approves(page: Page, path: str) -> None:
    """Another member of staff approves on the page of approvals."""
    page.get_by_role("link", name="Approvals", exact=True).first.click()
    page.locator("section", has_text="Waiting for me").locator(f"a[href='{path}']").click()
    expect(page.locator("main")).to_contain_text("Same as shown.")
    page.get_by_role("button", name="Approve and carry out").click()
    expect(page.locator(".state").first).to_have_text("Approved and carried out")
