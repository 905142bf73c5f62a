"""Addresses, codes and credentials."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.accounts.model import (
    ADDRESSES_PER_DEVICE_MAX,
    CODE_DIGITS,
    EMAIL_LENGTH_MAX,
    KEY_PREFIX,
    Credential,
    KnownBrowser,
    code_of,
    normalized,
)
from meterai.kit.refusal import Malformed, SignInRequired


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ani@Example.ID", "ani@example.id"),
        ("  ani+meterai@mail.example.co.id\n", "ani+meterai@mail.example.co.id"),
        ("o'neil@example.id", "o'neil@example.id"),
    ],
)
def test_address_is_normalized(typed: str, kept: str) -> None:
    assert normalized(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ani",
        "ani@",
        "@example.id",
        "ani@example",
        "ani@exam ple.id",
        "ani @example.id",
        "ani@example..id",
        "ani@example.id\nbcc: all@example.id",
        "ani@example.id, budi@example.id",
        "<ani@example.id>",
        f"{'a' * 65}@example.id",
        f"a@{'a' * EMAIL_LENGTH_MAX}.id",
        "an\u0131@example.id",
        "ani..budi@example.id",
        ".ani@example.id",
        "ani.@example.id",
        "ani@-example.id",
        "ani@example-.id",
        "ani@xn--.id",
        f"ani@{'a' * 64}.id",
        "ani@127.0.0.1",
    ],
)
def test_malformed_address_is_refused(typed: str) -> None:
    with pytest.raises(Malformed) as refused:
        normalized(typed)
    assert refused.value.field == "email"


def test_code_has_six_digits_derived_from_key_and_challenge() -> None:
    # The first eight bytes of the HMAC-SHA256 modulo a million, computed by openssl.
    assert code_of(b"k" * 32, UUID(int=1)) == "478461"
    keys = [bytes([number]) * 32 for number in range(100)]
    challenges = [UUID(int=number) for number in range(100)]
    # A hundred draws from a million hold at most about two equal ones.
    assert len({code_of(key, challenges[0]) for key in keys}) > 95
    assert len({code_of(keys[0], challenge) for challenge in challenges}) > 95
    for key, challenge in zip(keys, challenges, strict=True):
        code = code_of(key, challenge)
        assert len(code) == CODE_DIGITS
        assert code.isascii()
        assert code.isdecimal()
        assert code == code_of(key, challenge)


@given(st.uuids(), st.uuids(), st.sampled_from(["", KEY_PREFIX]))
def test_credential_round_trips_and_opens_its_own_hash_alone(
    account: UUID, identifier: UUID, prefix: str
) -> None:
    made = Credential.fresh(account, identifier)
    read = Credential.read(made.text(prefix), prefix)
    assert read == made
    assert read.opens(made.hash())
    assert not Credential.fresh(account, identifier).opens(made.hash())


@given(st.text(max_size=100))
def test_malformed_credential_requires_sign_in(text: str) -> None:
    for prefix in ("", KEY_PREFIX):
        for candidate in (text, prefix + text, prefix + "0" * 52 + text):
            try:
                read = Credential.read(candidate, prefix)
            except SignInRequired:
                continue
            assert read.text(prefix) == candidate


@given(st.uuids(), st.uuids())
def test_credential_with_changed_secret_does_not_open(account: UUID, identifier: UUID) -> None:
    made = Credential.fresh(account, identifier)
    text = made.text()
    wrong = text[:-1] + ("A" if text[-1] != "A" else "B")
    assert not Credential.read(wrong).opens(made.hash())


# -- names of keys -------------------------------------------------------------------------------


# -- devices -------------------------------------------------------------------------------------

KEY = b"k" * 32


def test_device_round_trips_with_its_addresses() -> None:
    made = KnownBrowser.fresh().with_address(KEY, "ani@example.id")
    read = KnownBrowser.read(made.text())
    assert read == made
    assert read.knows(KEY, "ani@example.id")
    assert not read.knows(KEY, "budi@example.id")
    assert not read.knows(b"another" * 5, "ani@example.id")
    stolen = KnownBrowser(KnownBrowser.fresh().id, made.marks)
    assert not stolen.knows(KEY, "ani@example.id"), "a mark belongs to one device"


def test_malformed_device_cookie_is_ignored() -> None:
    assert KnownBrowser.read("0" * 26 + ".\udcff") is None  # not valid UTF-8
    assert KnownBrowser.read("0" * 26 + ".\u00e9") is None
    many = KnownBrowser.read("0" * 26 + ".mark" * 100)
    assert many is not None
    assert len(many.marks) == ADDRESSES_PER_DEVICE_MAX
