"""The signature container: laid out once, written fast, and read strictly from any author."""

import hashlib
import random
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from asn1crypto import cms as asn1
from asn1crypto import tsp as _attributes_of_time_stamping  # noqa: F401 - names its attributes
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from meterai.sealing.signing import cms, der
from meterai.sealing.signing.cms import SignedDataUnreadable
from meterai.sealing.signing.cms_layout import SIGNED_DATA, CmsLayout
from meterai.sealing.signing.der import SEQUENCE, SET, tlv
from meterai.sealing.signing.development import development_issuer
from meterai.sealing.signing.issuer import Issuer

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
DIGEST = hashlib.sha256(b"a document").digest()
TOKEN = tlv(SEQUENCE, tlv(0x06, b"\x2a\x03"), bytes(1_500))  # its content is not read here


@pytest.fixture(scope="module", params=["p256", "rsa2048"])
def issuer(request, tmp_path_factory) -> Issuer:
    directory = tmp_path_factory.mktemp("cms") / "issuer"
    return development_issuer(directory, algorithm=request.param, at=AT)


def test_written_container_is_read(issuer):
    for number in range(20):
        digest = hashlib.sha256(bytes([number])).digest()
        encoded = issuer.sign(digest)
        assert len(encoded) <= issuer.signed_data_bytes_max
        read = cms.read(encoded)
        assert read.leaf == issuer.chain[0]
        assert set(read.others) == set(issuer.chain[1:])
        assert read.message_digest == digest
        assert read.names_all
        assert read.is_der
        assert read.time_stamp is None
        assert read.signature_holds
        assert read.is_laid_out_as_ours(encoded)
        assert cms.der_length(encoded + bytes(500)) == len(encoded)


def test_general_parser_reads_same_values(issuer):
    content = asn1.ContentInfo.load(issuer.sign(DIGEST), strict=True)["content"]
    signer = content["signer_infos"][0]
    attributes = {one["type"].native: one["values"][0] for one in signer["signed_attrs"]}
    assert attributes["content_type"].native == "data"
    assert attributes["message_digest"].native == DIGEST
    first = attributes["signing_certificate_v2"]["certs"][0]
    assert first["cert_hash"].native == issuer.chain[0].fingerprint(hashes.SHA256())
    assert first["issuer_serial"]["serial_number"].native == issuer.chain[0].serial_number
    # DER: encoded again from its values, it is the same byte for byte.
    assert content["signer_infos"].untag().dump(force=True) == content["signer_infos"].dump()
    assert der.is_strict(issuer.sign(DIGEST))


def test_signature_is_accepted_in_one_form_only(tmp_path):
    """If (r, s) is a valid signature, then so is (r, n - s), which anybody can compute."""
    issuer = development_issuer(tmp_path / "issuer", at=AT)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    for number in range(20):
        read = cms.read(issuer.sign(hashlib.sha256(bytes([number])).digest()))
        r, s = decode_dss_signature(read.signature)
        assert s <= order // 2
        other = encode_dss_signature(r, order - s)
        changed = CmsLayout(issuer.chain).content_info(read.signed_bytes, other)
        assert cms.read(changed).signature_holds
        assert not cms.read(changed).is_laid_out_as_ours(changed)


def test_every_certificate_is_named_under_the_signature(issuer):
    """An authority's certificate has a signature of its own, which has two forms."""
    encoded = issuer.sign(DIGEST)
    content = asn1.ContentInfo.load(encoded, strict=True)["content"]
    attributes = {
        one["type"].native: one["values"][0] for one in content["signer_infos"][0]["signed_attrs"]
    }
    named = [one["cert_hash"].native for one in attributes["signing_certificate_v2"]["certs"]]
    assert named == [one.fingerprint(hashes.SHA256()) for one in issuer.chain]
    for chain in (issuer.chain[:2], (issuer.chain[0], issuer.chain[2])):
        fewer = tlv(0xA0, *sorted(one.public_bytes(Encoding.DER) for one in chain))
        read = cms.read(rebuilt(encoded, certificates=fewer))
        assert read.signature_holds
        assert not read.names_all


def test_time_stamp_is_only_unsigned_attribute(issuer):
    seen = []

    def token_over(signature: bytes) -> bytes:
        seen.append(signature)
        return TOKEN

    encoded = issuer.sign_with_time(DIGEST, token_over)
    assert len(encoded) <= issuer.timed_signed_data_bytes_max
    read = cms.read(encoded)
    assert seen == [read.signature]
    assert read.time_stamp == TOKEN
    assert read.signature_holds
    assert read.is_laid_out_as_ours(encoded)
    signer = asn1.ContentInfo.load(encoded, strict=True)["content"]["signer_infos"][0]
    assert [one["type"].native for one in signer["unsigned_attrs"]] == [
        "signature_time_stamp_token"
    ]


def rebuilt(encoded: bytes, **changes: bytes) -> bytes:
    """The container with other unsigned attributes, signers or certificates."""
    read = cms.read(encoded)
    layout = CmsLayout((read.leaf, *read.others))
    content = asn1.ContentInfo.load(encoded)["content"]
    signer = content["signer_infos"][0].dump()
    inside = der.element(signer, 0, len(signer))
    signer = tlv(SEQUENCE, signer[inside.start :], changes.get("unsigned", b""))
    signed_data = tlv(
        SEQUENCE,
        tlv(0x02, b"\x01"),
        content["digest_algorithms"].dump(),
        content["encap_content_info"].dump(),
        changes.get("certificates", content["certificates"].dump()),
        tlv(SET, signer, changes.get("more_signers", b"")),
    )
    whole = tlv(SEQUENCE, SIGNED_DATA, tlv(0xA0, signed_data))
    assert changes or whole == encoded == layout.content_info(read.signed_bytes, read.signature)
    return whole


def test_extra_certificate_is_not_ours_and_too_many_are_unreadable(issuer, tmp_path):
    encoded = issuer.sign(DIGEST)
    stranger = development_issuer(tmp_path / "other", at=AT).root.public_bytes(Encoding.DER)
    own = b"".join(sorted(one.public_bytes(Encoding.DER) for one in issuer.chain))
    changed = rebuilt(encoded, certificates=tlv(0xA0, own, stranger))
    assert not cms.read(changed).is_laid_out_as_ours(changed)
    twice = rebuilt(encoded, certificates=tlv(0xA0, own, own))
    assert not cms.read(twice).is_laid_out_as_ours(twice)
    with pytest.raises(SignedDataUnreadable):
        cms.read(rebuilt(encoded, certificates=tlv(0xA0, own, stranger * 18)))
    with pytest.raises(SignedDataUnreadable):
        cms.read(rebuilt(encoded, certificates=tlv(0xA0, stranger)))
    with pytest.raises(SignedDataUnreadable):
        cms.read(rebuilt(encoded, certificates=tlv(0xA0)))


def test_two_signers_or_trailing_bytes_are_unreadable(issuer):
    encoded = issuer.sign(DIGEST)
    signer = asn1.ContentInfo.load(encoded)["content"]["signer_infos"][0].dump()
    for spoilt in (rebuilt(encoded, more_signers=signer), encoded + b"\0", encoded[:-1], b""):
        with pytest.raises(SignedDataUnreadable):
            cms.read(spoilt)


def test_signed_attribute_twice_is_unreadable(issuer):
    encoded = issuer.sign(DIGEST)
    read = cms.read(encoded)
    attributes = read.signed_bytes
    inside = der.members(attributes, der.element(attributes, 0, len(attributes)))
    parts = [attributes[one.at : one.stop] for one in inside]
    layout = CmsLayout(issuer.chain)
    for changed in (parts + parts[1:2], parts[1:], parts[:1] + parts[2:]):
        with pytest.raises(SignedDataUnreadable):
            cms.read(layout.content_info(tlv(SET, *changed), read.signature))
    unnamed = cms.read(layout.content_info(tlv(SET, *parts[:2]), read.signature))
    assert not unnamed.names_all
    assert not unnamed.signature_holds


def test_container_with_any_byte_changed_never_passes(issuer):
    """A container with one byte changed is unreadable, does not hold, or is not laid out as ours."""
    encoded = issuer.sign_with_time(DIGEST, lambda _: TOKEN)
    token_at = encoded.index(TOKEN)
    picked = random.Random(20261124).sample(range(token_at), 400)
    for place in [*range(60), *picked]:
        spoilt = bytearray(encoded)
        spoilt[place] ^= 1 << place % 8
        try:
            read = cms.read(bytes(spoilt))
        except SignedDataUnreadable:
            continue
        is_whole = (
            read.signature_holds
            and read.is_laid_out_as_ours(bytes(spoilt))
            and read.leaf == issuer.chain[0]
            and set(read.others) == set(issuer.chain[1:])
        )
        assert not is_whole, place


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_by_one_error(text):
    with pytest.raises(SignedDataUnreadable):
        cms.read(text)
    with suppress(SignedDataUnreadable):
        assert 2 <= cms.der_length(text) <= len(text)


@pytest.fixture(scope="module")
def encoded_once(tmp_path_factory) -> bytes:
    return development_issuer(tmp_path_factory.mktemp("cms") / "one", at=AT).sign(DIGEST)


@given(st.data())
def test_container_with_part_removed_or_added_is_refused_or_read(encoded_once, data):
    start = data.draw(st.integers(0, 2_200))
    stop = data.draw(st.integers(start, 2_200))
    part = data.draw(st.sampled_from([b"", encoded_once[start:stop] * 2, b"\x30\x80", b"\xff" * 9]))
    spoilt = encoded_once[:start] + part + encoded_once[stop:]
    try:
        read = cms.read(spoilt)
    except SignedDataUnreadable:
        return
    assert spoilt == encoded_once or not read.is_laid_out_as_ours(spoilt)
    assert isinstance(read.signature_holds, bool)
