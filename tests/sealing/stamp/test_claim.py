"""The claim in a QR code: a signed claim is read back, anything else is refused by name."""

import secrets
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from meterai.kit.ids import ALPHABET
from meterai.kit.serial import SerialMaker
from meterai.sealing import claim
from meterai.sealing.stamp import qr
from meterai.sealing.stamp.claim import (
    ClaimForged,
    ClaimKey,
    ClaimKeyUnknown,
    ClaimMalformed,
    QrClaim,
)

AT = datetime(2026, 11, 24, 8, 0, 7, tzinfo=UTC)
KEY, OTHER = ClaimKey(Ed25519PrivateKey.generate()), ClaimKey(Ed25519PrivateKey.generate())
KEYS = {KEY.id: KEY.public, OTHER.id: OTHER.public}
SERIALS = SerialMaker(7)
SERIAL = SERIALS.make()
DIGEST = secrets.token_bytes(32)
CLAIM = claim.make(SERIAL, AT, DIGEST, KEY)
SCANNED = f"{qr.check_address('https://meterai.example/c', SERIAL)}/{CLAIM}"


def pem(key):
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@given(
    st.integers(0, (1 << 35) - 1).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.binary(min_size=32, max_size=32),
)
def test_claim_is_read_back(at, digest):
    serial = SERIALS.make()
    text = claim.make(serial, at, digest, KEY)
    assert len(text) == claim.CLAIM_CHARACTERS
    assert set(text) <= set(ALPHABET)
    read = claim.read(f"{serial}/{text}", KEYS)
    assert read == QrClaim(serial, KEY.id, at, digest[:16])
    assert claim.matches(read, digest)
    assert not claim.matches(read, bytes(32)) or not any(digest[:16])


@pytest.mark.parametrize(
    "text",
    [SCANNED, SCANNED.lower(), SCANNED.title(), f" {SCANNED}\n", f"{SERIAL}/{CLAIM}"],
)
def test_claim_is_read_with_any_address_and_case(text):
    assert claim.read(text, KEYS) == QrClaim(SERIAL, KEY.id, AT, DIGEST[:16])


def test_claim_with_any_character_changed_is_refused():
    text = f"{SERIAL}/{CLAIM}"
    kinds = set()
    for place, written in enumerate(text):
        for letter in ALPHABET + "ILOU/-=. é\u0131":
            if letter == written:
                continue
            with pytest.raises((ClaimMalformed, ClaimKeyUnknown, ClaimForged)) as refused:
                claim.read(text[:place] + letter + text[place + 1 :], KEYS)
            kinds.add(refused.type)
    assert kinds == {ClaimMalformed, ClaimKeyUnknown, ClaimForged}


def test_claim_by_another_key_is_refused():
    with pytest.raises(ClaimKeyUnknown) as refused:
        claim.read(SCANNED, {OTHER.id: OTHER.public})
    assert refused.value.facts() == {"key_id": KEY.id}
    with pytest.raises(ClaimForged):
        claim.read(SCANNED, {KEY.id: OTHER.public})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        CLAIM,
        pytest.param(str(SERIAL), id="serial"),
        f"{CLAIM}/{SERIAL}",
        f"{SERIAL}/{CLAIM}/",
        f"{SERIAL}/{CLAIM[:-1]}",
        f"{SERIAL}/{CLAIM}0",
        f"{SERIAL}/2{CLAIM[1:]}",
        f"{SERIAL}/{CLAIM[:-1]}\u017f",
        f"{SERIAL}/{CLAIM}".rjust(claim.SCANNED_CHARACTERS_MAX + 1, "/"),
    ],
)
def test_text_that_is_no_claim_is_malformed(text):
    with pytest.raises(ClaimMalformed):
        claim.read(text, KEYS)


def test_public_keys_are_loaded_from_files(tmp_path):
    paths = []
    for number, key in enumerate((KEY, OTHER, KEY)):
        paths.append(tmp_path / f"{number}.pem")
        paths[-1].write_bytes(pem(key.public))
    assert claim.read(SCANNED, claim.load_public_keys(paths)).serial == SERIAL
    assert claim.load_public_keys([]) == {}


@pytest.mark.parametrize(
    "content", [b"", b"no key", pem(ec.generate_private_key(ec.SECP256R1()).public_key()), None]
)
def test_file_without_ed25519_key_is_refused(tmp_path, content):
    path = tmp_path / "key.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(claim.ClaimKeyUnusable):
        claim.load_public_keys([path])
