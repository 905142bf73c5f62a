"""Files chosen before a sign-in belong to the account that signs in from their page or confirms them."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.support.applicant import PHONE, TO_PAY, Applicant
from tests.support.instance import Instance, until

ADOPT = "Masukkan ke akun saya"
QRIS = "Bayar Rp10.000 dengan QRIS"


@pytest.fixture
def applicant(chromium: Browser, instance: Instance) -> Iterator[Applicant]:
    context = chromium.new_context(viewport=PHONE, locale="id-ID")
    yield Applicant(context, instance)
    context.close()


def has_none_elsewhere(chromium: Browser, applicant: Applicant) -> None:
    """Another device of this account shows no file."""
    context = chromium.new_context(viewport=PHONE, locale="id-ID")
    other = Applicant(context, applicant.instance)
    other.email, other.codes = applicant.email, applicant.codes
    other.signs_in("/account")
    other.goes_to("/stamp")
    expect(other.page.locator(".document")).to_have_count(0)
    context.close()


def test_files_are_adopted_only_on_confirmation_after_a_sign_in_elsewhere(
    chromium: Browser, applicant: Applicant
) -> None:
    applicant.uploads("Surat lamaran.pdf")
    applicant.places()
    applicant.signs_in("/account")
    applicant.goes_to("/stamp")
    expect(applicant.page.locator(".document")).to_have_count(1)
    expect(applicant.page.locator(".note")).to_contain_text("Surat lamaran.pdf")
    applicant.goes_to("/stamp/pay")
    expect(applicant.page.get_by_role("button", name=ADOPT)).to_be_visible()
    expect(applicant.page.get_by_role("button", name=re.compile("^Bayar"))).to_have_count(0)
    has_none_elsewhere(chromium, applicant)
    applicant.presses(ADOPT)
    applicant.presses(QRIS)
    applicant.sees(TO_PAY)


def test_link_of_another_mail_adopts_no_files(chromium: Browser, applicant: Applicant) -> None:
    applicant.uploads("Surat lamaran.pdf")
    applicant.places()
    # Another person requested a code, and sends the link of that mail to the person who chose files here.
    instance = applicant.instance
    instance.anybody().post(
        "/sign-in",
        f"email={applicant.email}&next=/stamp/pay".encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Origin": instance.url},
    )
    follow_the_link(applicant)
    expect(applicant.page.get_by_role("button", name=ADOPT)).to_be_visible()
    applicant.codes = 1
    has_none_elsewhere(chromium, applicant)


def follow_the_link(applicant: Applicant, mails: int = 1) -> None:
    """Open the link of the newest mail, and press its button."""

    def came() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = applicant.instance.mails_to(applicant.email)
        return found if len(found) >= mails else []

    mail = until("the code comes", came)[0]
    link = re.search(r"/sign-in/link\?\S+", mail["text"])
    assert link is not None
    applicant.goes_to(link[0])
    with applicant.page.expect_navigation(url=lambda url: "/sign-in/link" not in url):
        applicant.page.locator("main").get_by_role("button").click()
