"""References, schedule of status queries, and the signature of SNAP BI."""

from uuid import UUID

from hypothesis import assume, given
from hypothesis import strategies as st

from meterai.payments.adapters.snap.signing import (
    is_signed_by,
    sign_asymmetric,
    sign_symmetric,
    string_to_sign,
)
from meterai.payments.model import (
    parse_reference,
    reference_of,
    refund_number,
)
from tests.support.keys import OUR_KEY

SNAP_REFERENCE_LENGTH_MAX = 64  # partnerReferenceNo, partnerRefundNo


# -- references --------------------------------------------------------------------------------


@given(st.uuids(), st.uuids())
def test_reference_is_parsed_to_its_ids(account: UUID, attempt: UUID) -> None:
    reference = reference_of(account, attempt)
    assert parse_reference(reference) == (account, attempt)
    assert len(reference) <= SNAP_REFERENCE_LENGTH_MAX
    assert len(refund_number(account, attempt)) <= SNAP_REFERENCE_LENGTH_MAX


@given(st.text(max_size=60))
def test_parsing_any_text_gives_ids_or_value_error(text: str) -> None:
    for candidate in (text, f"EM{text}"):
        try:
            account, attempt = parse_reference(candidate)
        except ValueError:
            continue
        assert reference_of(account, attempt) == candidate


# -- signatures --------------------------------------------------------------------------------


def test_signatures_equal_the_known_answer() -> None:
    # facts/payments.md, section 1.5: two independent implementations computed this value.
    body = (
        b'{"partnerReferenceNo":"EM-0001","amount":{"value":"10000.00","currency":"IDR"},'
        b'"merchantId":"M1"}'
    )
    text = string_to_sign(
        "POST", "/v1.0/qr/qr-mpm-generate", body, "2026-11-24T15:04:05+07:00", "tok"
    )
    assert text == (
        b"POST:/v1.0/qr/qr-mpm-generate:tok:"
        b"07764589d2485c0919f7d934b5227a856a37aeff940b261ea151c2ff822d565a"
        b":2026-11-24T15:04:05+07:00"
    )
    assert sign_symmetric("secret", text) == (
        "A8irEgz0Unqd7k1T3QmyvGoO6n9jGG1dwH9766bqZLioYOOIp2GusJ+daEROVWpHzXJ+dgzGUlXKcOZ5uyYmig=="
    )


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_signature_fits_only_its_text(text: bytes, other: bytes) -> None:
    assume(text != other)
    signature = sign_asymmetric(OUR_KEY, text)
    assert is_signed_by(OUR_KEY.public_key(), text, signature)
    assert not is_signed_by(OUR_KEY.public_key(), other, signature)
