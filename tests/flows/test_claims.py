"""The QR of a stamp leads to a page that states what the QR proves and what it does not."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pypdfium2
import pytest
import zxingcpp

from meterai.kit.serial import UNLEASED, SerialMaker
from meterai.plumbing.messages import LANGUAGES, translate
from meterai.sealing import claim, load_issuers
from tests.support.attacks.lab import OVER_WORDS, Lab
from tests.support.instance import Client, Instance, until
from tests.support.money import payable
from tests.support.pdf import pdf

STAMPS = 4
HTML = {"Accept": "text/html"}


class Stamped:
    """A customer's stamped letter and the text of its QR."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.customer = instance.customer()
        order = self.customer.place(STAMPS)
        instance.bank.pay(payable(self.customer, order))
        until("stamps are issued", lambda: self.customer.balance()["available"] == STAMPS)
        self.original = pdf()
        self.view = self.customer.stamp(self.original).json
        self.document = self.customer.get(self.view["document_url"]).body
        self.scanned = scanned(self.document)
        self.path = urlsplit(self.scanned).path
        until("the serial is found", lambda: self.anybody.get(self.claims).status == 200)

    @property
    def anybody(self) -> Client:
        return self.instance.anybody()

    @property
    def claims(self) -> str:
        return f"/v1/claims{self.path.removeprefix('/C')}"


def scanned(document: bytes) -> str:
    """The text of the QR on the first page, as a phone reads it."""
    opened = pypdfium2.PdfDocument(io.BytesIO(document))
    opened.init_forms()
    try:
        (found,) = zxingcpp.read_barcodes(opened[0].render(scale=5).to_numpy())
    finally:
        opened.close()
    return str(found.text)


@pytest.fixture(scope="module")
def stamped(instance: Instance) -> Iterator[Stamped]:
    yield Stamped(instance)
    instance.assert_audit_holds()


def other(text: str) -> str:
    """The text with another letter in its signature."""
    at = len(text) - 9
    return text[:at] + ("1" if text[at] == "0" else "0") + text[at + 1 :]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("capitals", [True, False])
def test_qr_leads_to_the_page_of_its_claim(stamped: Stamped, language: str, capitals: bool) -> None:
    headers = HTML | {"Accept-Language": language}
    path = stamped.path if capitals else stamped.path.lower()
    shown = stamped.anybody.get(path, headers=headers)
    text = shown.body.decode()
    assert shown.status == 200
    assert translate("claim.holds", language) in text
    assert translate("page.claim.one_document", language) in text
    assert hashlib.sha256(stamped.original).hexdigest()[:32] in text
    assert translate("state.stamp.affixed", language) in text
    assert 'action="/check"' in text  # a plain form, which needs no script


@pytest.mark.parametrize("language", LANGUAGES)
def test_forged_or_broken_qr_leads_to_a_clear_page(stamped: Stamped, language: str) -> None:
    unknown = stamped.path[: stamped.path.rindex("/") + 2] + "0000" + stamped.path[-135:]
    for path, code in (
        (other(stamped.path), "claim_forged"),
        (stamped.path[:-1], "claim_malformed"),
        (f"/C/{SerialMaker(UNLEASED).make()}/{stamped.path[-140:]}", "claim_forged"),
        (unknown, "claim_key_unknown"),
    ):
        headers = HTML | {"Accept-Language": language}
        shown = stamped.anybody.get(path, headers=headers)
        assert shown.status == 422, path
        assert translate(f"claim.{code}", language) in shown.body.decode()
        problem = stamped.anybody.get(f"/v1/claims{path.removeprefix('/C')}")
        assert (problem.status, problem.json["code"]) == (422, code)


def test_signed_claim_of_an_unsold_serial_does_not_hold(stamped: Stamped) -> None:
    key = load_issuers(stamped.instance.data / "keys" / "issuer").current.claim_key
    assert key is not None
    serial = SerialMaker(UNLEASED).make()
    at = serial.made_at()
    made = claim.make(serial, at, hashlib.sha256(stamped.original).digest(), key)
    assert stamped.anybody.get(f"/v1/claims/{serial}/{made}").json["verdict"] == "unknown_serial"
    known = claim.read(stamped.scanned, {key.id: key.public}).serial
    swapped = claim.make(known, at, hashlib.sha256(b"another").digest(), key)
    assert stamped.anybody.get(f"/v1/claims/{known}/{swapped}").json["verdict"] == "serial_mismatch"


def test_extended_document_can_be_stamped_again_and_altered_one_cannot(
    stamped: Stamped, tmp_path: Path
) -> None:
    assert stamped.anybody.verify(stamped.document)["verdict"] == "genuine"
    issuer = load_issuers(stamped.instance.data / "keys" / "issuer").current
    signed = Lab(issuer, tmp_path).signed(stamped.document, on_page=0, box=OVER_WORDS)
    found = stamped.anybody.verify(signed)
    assert found["verdict"] == "genuine_then_extended"
    assert found["sealed"]["bytes"] == len(stamped.document)
    # Other than the place of the first stamp.
    elsewhere = {"page": 1, "x": 60, "y": 400, "width": 80}
    altered = signed.replace(b"595", b"594", 1)
    refused = stamped.customer.stamp(altered, elsewhere)
    assert (refused.status, refused.json["code"]) == (422, "seal_spoilt")
    again = stamped.customer.stamp(signed, elsewhere)
    assert again.status == 201, again.body
    twice = stamped.anybody.verify(stamped.customer.get(again.json["document_url"]).body)
    assert twice["verdict"] == "genuine"
    assert twice["serials"] == again.json["serials"]
    [earlier] = twice["earlier"]
    assert earlier["serials"] == stamped.view["serials"]
    assert earlier["bytes"] <= len(stamped.document)


def test_document_with_a_password_is_refused_with_advice(stamped: Stamped) -> None:
    refused = stamped.customer.stamp(pdf(password="rahasia"))
    assert (refused.status, refused.json["code"]) == (422, "document_encrypted")
    open_to_all = stamped.customer.stamp(pdf(owner_password="rahasia"))
    assert open_to_all.status == 201, open_to_all.body
    document = stamped.customer.get(open_to_all.json["document_url"]).body
    assert stamped.anybody.verify(document)["verdict"] == "genuine"
