"""References, schedule of status queries, and the signature of SNAP BI."""

import base64
import json
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from meterai.payments.adapters.snap.reading import case_of
from meterai.payments.adapters.snap.signing import (
    is_signed_by,
    minified,
    sign_asymmetric,
    sign_symmetric,
    string_to_sign,
)
from meterai.payments.model import (
    ProviderRefused,
    parse_reference,
    reference_of,
    refund_number,
)
from tests.support.keys import OUR_KEY

SNAP_REFERENCE_LENGTH_MAX = 64  # partnerReferenceNo, partnerRefundNo
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


# -- references --------------------------------------------------------------------------------


@given(st.uuids(), st.uuids())
def test_reference_is_parsed_to_its_ids(account: UUID, attempt: UUID) -> None:
    reference = reference_of(account, attempt)
    assert parse_reference(reference) == (account, attempt)
    assert len(reference) <= SNAP_REFERENCE_LENGTH_MAX
    assert len(refund_number(account, attempt)) <= SNAP_REFERENCE_LENGTH_MAX


@given(st.uuids(), st.uuids())
def test_refund_number_is_no_reference(account: UUID, refund: UUID) -> None:
    with pytest.raises(ValueError, match="not one of our references"):
        parse_reference(refund_number(account, refund))


@given(st.text(max_size=60))
def test_parsing_any_text_gives_ids_or_value_error(text: str) -> None:
    for candidate in (text, f"EM{text}"):
        try:
            account, attempt = parse_reference(candidate)
        except ValueError:
            continue
        assert reference_of(account, attempt) == candidate


@pytest.mark.parametrize(("code", "case"), [("4047801", "40401"), ("5047800", "50400")])
def test_refusal_has_its_case_without_the_service(code: str, case: str) -> None:
    assert case_of(ProviderRefused(code, ""), code[3:5]) == case


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


def test_empty_body_has_the_hash_of_no_bytes() -> None:
    text = string_to_sign("GET", "/a", b"", "t")
    assert b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" in text


@given(JSON, st.booleans())
def test_minified_body_has_the_same_value(value: object, is_ascii: bool) -> None:
    spaced = json.dumps(value, indent=2, ensure_ascii=is_ascii).encode()
    dense = json.dumps(value, separators=(",", ":"), ensure_ascii=is_ascii).encode()
    assert minified(spaced) == dense
    assert minified(dense) == dense


@given(JSON)
def test_white_space_within_strings_is_kept(value: object) -> None:
    assert json.loads(minified(json.dumps(value, indent=1).encode())) == value


@given(st.binary(max_size=200))
def test_minify_takes_any_bytes(body: bytes) -> None:
    assert minified(minified(body)) == minified(body)


def test_numbers_and_escapes_stay_unchanged() -> None:
    body = rb'{ "a" : 1.50 , "b" : "\/ \u00e9 \" ," , "c" : 1E3 }'
    assert minified(body) == rb'{"a":1.50,"b":"\/ \u00e9 \" ,","c":1E3}'


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_signature_fits_only_its_text(text: bytes, other: bytes) -> None:
    assume(text != other)
    signature = sign_asymmetric(OUR_KEY, text)
    assert is_signed_by(OUR_KEY.public_key(), text, signature)
    assert not is_signed_by(OUR_KEY.public_key(), other, signature)


@given(st.text(max_size=400))
def test_any_text_as_a_signature_is_answered(signature: str) -> None:
    assert not is_signed_by(OUR_KEY.public_key(), b"text", signature)


def test_hexadecimal_signature_is_read() -> None:
    signature = base64.b64decode(sign_asymmetric(OUR_KEY, b"text")).hex()
    assert is_signed_by(OUR_KEY.public_key(), b"text", signature)
    assert is_signed_by(OUR_KEY.public_key(), b"text", signature.upper())
