"""Time-stamps: a seal of level B-T by a small real authority, and refused answers of it."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asn1crypto import cms as asn1
from asn1crypto import tsp
from asn1crypto.x509 import Certificate
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.sign.validation.generic_cms import (
    async_validate_detached_cms,
)
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator import ValidationContext

from meterai.sealing.model import TimeStampUnavailable
from meterai.sealing.signing import cms
from meterai.sealing.signing.der import SEQUENCE, SET, tlv
from meterai.sealing.signing.development import development_issuer
from meterai.sealing.signing.long_term_validation import TimeStampAuthority
from meterai.sealing.signing.timestamps import (
    TokenRefused,
    check,
    root_digests,
)
from standins.authority.timestamps import POLICY
from tests.support.authority import RunningAuthority, running_authority

VALUE = b"the value of a signature"
TIMEOUT_SECONDS = 30.0  # seconds for an answer that comes: a busy machine may take a while


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    directory = tmp_path_factory.mktemp("authority")
    with running_authority(directory, directory / "issuers") as running:
        yield running


@pytest.fixture(autouse=True)
def no_faults(authority):
    yield
    authority.clear()


def stamper(authority: RunningAuthority, **changes) -> TimeStampAuthority:
    settings: dict[str, Any] = {
        "timeout_seconds": TIMEOUT_SECONDS,
        "roots": [authority.root],
    } | changes
    return TimeStampAuthority(authority.tsa_url, **settings)


def test_token_proves_time(authority):
    before = datetime.now(UTC) - timedelta(seconds=2)
    token = stamper(authority).token(VALUE)
    at = check(token, VALUE, root_digests([authority.root])).at
    assert before <= at <= datetime.now(UTC) + timedelta(seconds=2)
    checked = check(token, VALUE, root_digests([authority.root]))
    assert checked.chain[-1] == authority.root
    assert checked.policy == POLICY
    with pytest.raises(TokenRefused, match="of other data"):
        check(token, VALUE + b".", root_digests([authority.root]))
    with pytest.raises(TokenRefused, match="no root"):
        check(token, VALUE, [])


@pytest.mark.parametrize("algorithm", ["p256", "rsa2048"])
def test_seal_with_time_stamp_is_level_b_t(authority, tmp_path, algorithm):
    issuer = development_issuer(tmp_path / "i", algorithm=algorithm, at=datetime.now(UTC))
    digest = hashlib.sha256(b"a document").digest()
    encoded = issuer.sign_with_time(digest, stamper(authority).token)
    assert len(encoded) <= issuer.timed_signed_data_bytes_max
    read = cms.read(encoded)
    assert read.signature_holds
    assert read.is_laid_out_as_ours(encoded)
    assert read.time_stamp is not None
    check(read.time_stamp, read.signature, root_digests([authority.root]))
    signer = asn1.ContentInfo.load(encoded, strict=True)["content"]["signer_infos"][0]
    [attribute] = signer["unsigned_attrs"]
    assert attribute["type"].native == "signature_time_stamp_token"
    assert attribute["values"][0].dump() == read.time_stamp


@pytest.mark.parametrize("algorithm", ["p256", "rsa2048"])
def test_pyhanko_accepts_whole_container(authority, tmp_path, algorithm):
    issuer = development_issuer(tmp_path / "i", algorithm=algorithm, at=datetime.now(UTC))
    document = b"a document"
    encoded = issuer.sign_with_time(hashlib.sha256(document).digest(), stamper(authority).token)
    roots = [
        Certificate.load(one.public_bytes(Encoding.DER)) for one in (issuer.root, authority.root)
    ]

    async def validated():
        contexts = [ValidationContext(trust_roots=[one], allow_fetching=False) for one in roots]
        return await async_validate_detached_cms(
            document,
            asn1.ContentInfo.load(encoded)["content"],
            signer_validation_context=contexts[0],
            ts_validation_context=contexts[1],
            key_usage_settings=KeyUsageConstraints(key_usage={"non_repudiation"}),
        )

    found = asyncio.run(validated())
    assert found.bottom_line
    assert found.timestamp_validity.valid
    assert found.timestamp_validity.trusted


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"unavailable": 1}, "503"),
        ({"redirect": 1}, "302"),
        ({"endless": 1}, "more than"),
        ({"garbage": 1}, "cannot be read"),
        ({"rejected": 1}, "rejection"),
        ({"wrong_nonce": 1}, "another request"),
        ({"wrong_imprint": 1}, "of other data"),
        ({"wrong_signature": 1}, "does not hold"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_answer_of_faulty_authority_is_refused(authority, fault, reason):
    authority.set_faults(**fault)
    with pytest.raises(TimeStampUnavailable, match=reason) as found:
        stamper(authority).token(VALUE)
    assert found.value.status == 503
    stamper(authority).token(VALUE)


def test_roots_and_policy_are_pinned(authority, tmp_path):
    other = development_issuer(tmp_path / "i", at=datetime.now(UTC)).root
    with pytest.raises(TimeStampUnavailable, match="no root"):
        stamper(authority, roots=[other]).token(VALUE)
    stamper(authority, policy="1.2.3.4").token(VALUE)
    token = stamper(authority, policy=POLICY).token(VALUE)
    assert check(token, VALUE, root_digests([authority.root])).policy == POLICY


def test_token_with_any_byte_changed_is_refused(authority):
    """No part of a token may be changed, signed or unsigned."""
    token = stamper(authority).token(VALUE)
    for place in range(len(token)):
        spoilt = bytearray(token)
        spoilt[place] ^= 0x55
        with pytest.raises(TokenRefused):
            check(bytes(spoilt), VALUE, root_digests([authority.root]))


def test_token_with_additions_is_refused(authority):
    token = stamper(authority).token(VALUE)
    content = asn1.ContentInfo.load(token)
    signer = content["content"]["signer_infos"][0]
    more = tlv(SEQUENCE, tlv(0x06, b"\x2a\x04"), tlv(SET, b"\x05\x00"))
    signer["unsigned_attrs"] = asn1.CMSAttributes.load(tlv(SET, more))
    with pytest.raises(TokenRefused, match="unsigned data"):
        check(content.dump(force=True), VALUE, root_digests([authority.root]))
    with pytest.raises(TokenRefused):
        check(token + b"\0", VALUE, root_digests([authority.root]))
    with pytest.raises(TokenRefused):
        check(bytes(20_000), VALUE, root_digests([authority.root]))
    for text in (b"", b"\x30\x00", token[:-1], tsp.TSTInfo.load(b"\x30\x00").dump()):
        with pytest.raises(TokenRefused):
            check(text, VALUE, root_digests([authority.root]))
