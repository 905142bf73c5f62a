"""Profiles of SNAP banks and their effects: paths, times, signatures, numbers of accounts."""

import pytest

from meterai.payments.adapters.snap import signing
from meterai.payments.adapters.snap.reading import read_account_call, read_notification
from meterai.payments.adapters.snap.virtual_account import account_members, complaints, number_of
from meterai.payments.model import AccountNumber, PaymentQr, ProviderStatus
from tests.support.bank import profile

BODY = (
    b'{"partnerReferenceNo":"EM-0001","amount":{"value":"10000.00","currency":"IDR"},'
    b'"merchantId":"M1"}'
)


def test_call_has_the_signature_of_the_known_answer() -> None:
    text = signing.string_to_sign(
        "POST", "/v1.0/qr/qr-mpm-generate", BODY, "2026-11-24T15:04:05+07:00", "tok"
    )
    told = signing.sign_symmetric("secret", text)
    assert told == (
        "A8irEgz0Unqd7k1T3QmyvGoO6n9jGG1dwH9766bqZLioYOOIp2GusJ+daEROVWpHzXJ+dgzGUlXKcOZ5uyYmig=="
    )
    for signature in (told, signing.sign_symmetric("secret", text, "hex")):
        assert signing.is_signed_with("secret", text, signature)
        assert not signing.is_signed_with("another", text, signature)
    assert not signing.is_signed_with("secret", text, "")


def test_virtual_account_number_is_derived_from_the_reference() -> None:
    bank = profile("", va_service_id="89012", label="Bank Satu").bank
    number = number_of(bank, "EM1")
    assert (number, len(number)) == (number_of(bank, "EM1"), 17)
    assert number != number_of(bank, "EM2")
    told = account_members(bank, number)
    assert (told["partnerServiceId"], told["customerNo"]) == ("   89012", number[5:])
    assert told["virtualAccountNo"] == told["partnerServiceId"] + told["customerNo"]

    def wrong(instructions: AccountNumber | PaymentQr, expected: str = number) -> list[str]:
        return list(complaints(instructions, 10_000, expected, bank=bank))

    assert wrong(AccountNumber("Bank Satu", number)) == []
    assert wrong(PaymentQr("000201"))
    assert wrong(AccountNumber("Bank Dua", number))
    assert wrong(AccountNumber("Bank Satu", number_of(bank, "EM2")))
    others = "77777" + number[5:]
    assert wrong(AccountNumber("Bank Satu", others), others)
    assert wrong(AccountNumber("Bank Satu", number[:-1]), number[:-1])


@pytest.mark.parametrize(
    ("body", "number", "amount"),
    [
        (b'{"paymentRequestId":7,"virtualAccountNo":"   89012 "}', "89012", None),
        (
            b'{"paymentRequestId":"7","virtualAccountNo":12345678901234567890123}',
            "12345678901234567890123",
            None,
        ),
        (b'{"paymentRequestId":"7","virtualAccountNo":"8 9"}', None, None),
        (b'{"paymentRequestId":"7","paidAmount":{"value":"5","currency":"IDR"}}', None, 5),
        (b'{"paymentRequestId":"7","paidAmount":{"value":"5.50","currency":"IDR"}}', None, None),
        (b'{"paymentRequestId":"7","paidAmount":5}', None, None),
        (b"[", None, None),
    ],
)
def test_account_call_of_any_shape_is_read(
    body: bytes, number: str | None, amount: int | None
) -> None:
    call = read_account_call(body)
    assert (call.number, call.amount and call.amount.value) == (number, amount)
    said = read_notification(body)
    if said.is_readable:
        assert (said.status, said.number) == (ProviderStatus.PAID, "7")
