"""Receipts: content in both languages, and validity as PDF files."""

import io
from dataclasses import astuple, replace
from typing import Any

import msgspec
import pikepdf
import pypdfium2
import pytest

from meterai.kit.money import Rupiah
from meterai.kit.serial import Serial
from meterai.kit.text import groups
from meterai.operator import Seller
from meterai.orders import OrderKind, OrderState
from meterai.pages.paper import PaperLine, Receipt, written
from meterai.payments import Captured
from meterai.plumbing.messages import LANGUAGES, translate
from meterai.portal.routes.receipts import order_receipt, refund_receipt
from meterai.refunds import RefundCause, RefundState
from meterai.stamping import StampingState
from tests.support.shown import NOW, SERIAL, TOTAL, money, order, refund, stamping

SELLER = Seller(
    "PT Contoh Meterai",
    "Jalan Contoh 1, Jakarta",
    "tanya@contoh.id, 021 555 0100",
    "0012345678901000",
    "0012345678901000000012",
)
ALL_OF_SELLER = astuple(SELLER)
PAYMENTS = [Captured("623400000017", Rupiah(TOTAL), NOW)]


def text_of(content: bytes) -> list[str]:
    """Return the text of each page, as extracted by a reader."""
    opened = pypdfium2.PdfDocument(io.BytesIO(content))
    found = [" ".join(page.get_textpage().get_text_range().split()) for page in opened]
    opened.close()
    return found


def paper(title: str, language: str, lines: list[PaperLine], mark: str = "") -> bytes:
    return written(Receipt(title, language, lines, mark))


@pytest.mark.parametrize("language", LANGUAGES)
def test_paid_order_has_a_receipt(language: str) -> None:
    sums = money(captured=TOTAL, executed=10_500, refunded=10_500)
    one = order(OrderState.EXECUTED, OrderKind.DOCUMENTS, None, sums)
    documents = [
        replace(stamping(StampingState.DELIVERED), document_name="Surat (é).pdf"),
        stamping(StampingState.FAILED, name="Rusak.pdf"),
    ]
    content = paper(
        "Bukti", language, order_receipt(SELLER, one, PAYMENTS, documents, "a@example.id", language)
    )
    [text] = text_of(content)
    assert all(
        said in text
        for said in (
            " ".join(groups(one.id)),
            *("QRIS", "a@example.id", "Rp21.000", "Rp10.500"),
            *ALL_OF_SELLER,
        )
    )
    assert translate("receipt.sum", language, quantity=2, price="Rp10.000", sum="Rp20.000") in text
    assert translate("receipt.sum", language, quantity=2, price="Rp500", sum="Rp1.000") in text
    times = {"id": "24 Nov 2026 15.04 WIB", "en": "24 Nov 2026 15:04 WIB"}
    assert f"623400000017 (Rp21.000, {times[language]})" in text
    assert translate("receipt.no_invoice", language) in text
    assert f"Surat (é).pdf ({Serial(SERIAL).grouped()})" in text
    assert "Rusak.pdf" not in text
    assert "receipt." not in text
    assert "{" not in text
    assert content == paper(
        "Bukti", language, order_receipt(SELLER, one, PAYMENTS, documents, "a@example.id", language)
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("cause", RefundCause)
def test_settled_refund_has_a_receipt(language: str, cause: RefundCause) -> None:
    one = msgspec.structs.replace(refund(RefundState.SETTLED, cause), refund_number="RF123456")
    [text] = text_of(
        paper(
            "Bukti", language, refund_receipt(SELLER, one, "623400000017", "a@example.id", language)
        )
    )
    assert all(
        said in text
        for said in (
            *("RF12 3456", "R1", "Rp10.500", " ".join(groups(one.order_id)), "623400000017"),
            *ALL_OF_SELLER,
        )
    )
    assert "refund.cause" not in text


def test_receipt_is_tagged_and_valid() -> None:
    lines = [PaperLine("Nomor", "1"), PaperLine("", "Simpan ini.")] * 40
    with pikepdf.open(io.BytesIO(paper("Bukti", "id", lines))) as opened:
        assert opened.check_pdf_syntax() == []
        root: Any = opened.Root
        assert root.MarkInfo.Marked
        assert str(root.Lang) == "id"
        kinds = [str(one.S) for one in root.StructTreeRoot.K]
        assert kinds[0] == "/H1"
        assert len(kinds) == 1 + len(lines)
        assert opened.docinfo.Title == "Bukti"
