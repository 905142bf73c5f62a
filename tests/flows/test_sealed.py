"""A document that was extended after it was stamped: its readers get the sealed revision."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, expect

from meterai.plumbing.messages import LANGUAGES, translate
from meterai.sealing import load_issuers
from tests.support.attacks.lab import OVER_WORDS, Lab
from tests.support.instance import Instance, until
from tests.support.money import payable
from tests.support.pdf import pdf

pytestmark = pytest.mark.sample(2, of="file")

PDF = {"Content-Type": "application/pdf"}


class Extended:
    """A customer's stamped letter, also signed by a stranger afterwards."""

    def __init__(self, instance: Instance, directory: Path) -> None:
        self.anybody = instance.anybody()
        customer = instance.customer()
        instance.bank.pay(payable(customer, customer.place(1)))
        until("a stamp is issued", lambda: customer.balance()["available"] == 1)
        stamping = customer.stamp(pdf()).json
        self.serials = stamping["serials"]
        self.stamped = customer.get(stamping["document_url"]).body
        until("it is genuine", lambda: self.anybody.verify(self.stamped)["verdict"] == "genuine")
        issuer = load_issuers(instance.data / "keys" / "issuer").current
        self.signed = Lab(issuer, directory).signed(
            self.stamped, "Notaris", on_page=0, box=OVER_WORDS
        )


@pytest.fixture(scope="module")
def extended(instance: Instance, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Extended]:
    yield Extended(instance, tmp_path_factory.mktemp("lab"))
    instance.assert_audit_holds()


def test_api_describes_and_returns_the_sealed_revision(extended: Extended) -> None:
    found = extended.anybody.verify(extended.signed)
    sealed = found["sealed"]
    assert found["verdict"] == "genuine_then_extended"
    assert sealed["serials"] == extended.serials
    assert sealed["bytes"] == len(extended.stamped)
    assert sealed["sha256"] == hashlib.sha256(extended.stamped).hexdigest()
    assert sealed["sealed_at"] == found["sealed_at"]
    assert found["later_bytes"] == len(extended.signed) - len(extended.stamped)
    assert [one["signer"] for one in found["later_signatures"]] == ["Notaris Budi"]
    assert found["earlier"] == []
    for given in (extended.signed, extended.stamped):
        reply = extended.anybody.post("/v1/verifications/sealed", given, headers=PDF)
        assert (reply.status, reply.headers["content-type"]) == (200, "application/pdf")
        assert reply.body == extended.stamped


def test_file_without_sealed_revision_is_refused(extended: Extended) -> None:
    for given, verdict in (
        (extended.signed.replace(b"595", b"594", 1), "altered"),
        (pdf(), "not_sealed"),
        (b"x", "unreadable"),
    ):
        found = extended.anybody.verify(given)
        assert (found["verdict"], found["sealed"], found["later_bytes"]) == (verdict, None, None)
        reply = extended.anybody.post("/v1/verifications/sealed", given, headers=PDF)
        assert (reply.status, reply.json["code"]) == (422, "no_sealed_revision")
        assert reply.json["verdict"] == verdict


@pytest.mark.parametrize("language", LANGUAGES)
def test_browser_cuts_the_chosen_file(
    extended: Extended, chromium: Browser, instance: Instance, tmp_path: Path, language: str
) -> None:
    locale = {"id": "id-ID", "en": "en-GB"}[language]
    context = chromium.new_context(locale=locale, base_url=instance.url)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto("/check")
    file = FilePayload(name="Surat.pdf", mimeType="application/pdf", buffer=extended.signed)
    page.locator("#document").set_input_files([file])
    page.get_by_role("button", name=translate("page.check.upload", language), exact=True).click()
    expect(page.locator(".verdict.act h1")).to_be_visible(timeout=30_000)
    taking = page.get_by_role("link", name=translate("page.verdict.take", language))
    with page.expect_download() as coming:
        taking.click()
    coming.value.save_as(tmp_path / "sealed.pdf")
    assert coming.value.suggested_filename == "Surat-meterai.pdf"
    assert (tmp_path / "sealed.pdf").read_bytes() == extended.stamped
    expect(page.locator('form[action="/check/sealed"]')).to_have_count(0)
    expect(page.locator("details", has_text="Notaris")).not_to_have_attribute("open", "")
    expect(
        page.get_by_role("button", name=translate("page.verdict.print", language))
    ).to_be_visible()
    page.get_by_role("link", name=translate("page.verdict.another", language)).click()
    expect(page.locator("#document")).to_be_visible()
    context.close()
    assert complaints == []
