"""Addresses, codes and credentials."""

import hashlib
import string
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.accounts.model import (
    ADDRESSES_PER_DEVICE_MAX,
    CODE_DIGITS,
    EMAIL_LENGTH_MAX,
    KEY_NAME_LENGTH_MAX,
    KEY_PREFIX,
    Credential,
    KnownBrowser,
    code_of,
    key_name,
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


@given(st.text(max_size=60))
def test_normalization_of_any_text_is_idempotent_or_refused(text: str) -> None:
    try:
        kept = normalized(text)
    except Malformed:
        return
    assert normalized(kept) == kept
    assert not set(kept) & set(string.whitespace + ',;<>"\\\0')


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


def test_codes_are_evenly_distributed() -> None:
    codes = [code_of(b"k" * 32, UUID(int=number)) for number in range(5_000)]
    assert len(set(codes)) > 4_900
    assert {code[0] for code in codes} == set(string.digits)


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


def test_session_text_is_not_read_as_a_key() -> None:
    made = Credential.fresh(UUID(int=1), UUID(int=2))
    with pytest.raises(SignInRequired):
        Credential.read(made.text(), KEY_PREFIX)
    with pytest.raises(SignInRequired):
        Credential.read(made.text(KEY_PREFIX))


@given(st.uuids(), st.uuids())
def test_credential_with_changed_secret_does_not_open(account: UUID, identifier: UUID) -> None:
    made = Credential.fresh(account, identifier)
    text = made.text()
    wrong = text[:-1] + ("A" if text[-1] != "A" else "B")
    assert not Credential.read(wrong).opens(made.hash())


@pytest.mark.parametrize("prefix", ["", KEY_PREFIX])
def test_credential_of_another_length_is_refused(prefix: str) -> None:
    text = Credential.fresh(UUID(int=1), UUID(int=2)).text(prefix)
    for wrong in (text[:-1], text + "A", text[: len(prefix) + 52], prefix):
        with pytest.raises(SignInRequired):
            Credential.read(wrong, prefix)


def test_secret_has_192_random_bits() -> None:
    secrets = {Credential.fresh(UUID(int=1), UUID(int=2)).secret for _ in range(500)}
    assert len(secrets) == 500
    assert {len(secret) for secret in secrets} == {32}
    assert len({secret[0] for secret in secrets}) > 40, "all 64 letters come up"


def test_stored_secret_is_its_hash() -> None:
    made = Credential(UUID(int=1), UUID(int=2), "a" * 32)
    assert made.hash() == hashlib.sha256(b"a" * 32).digest()


def test_longest_address_is_accepted() -> None:
    longest = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 58}.id"
    assert len(longest) == EMAIL_LENGTH_MAX == 254  # RFC 5321, section 4.5.3.1.3
    assert normalized(longest) == longest
    with pytest.raises(Malformed):
        normalized(longest.replace(".id", "e.id"))


# -- names of keys -------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["kasir", "  kasir \t toko ", "k" * KEY_NAME_LENGTH_MAX, "Å ☕"])
def test_key_name_is_put_on_one_line(typed: str) -> None:
    assert key_name(typed) == " ".join(typed.split())


@pytest.mark.parametrize("typed", ["", " \n ", "k" * (KEY_NAME_LENGTH_MAX + 1), "a\0b", "a\u202eb"])
def test_malformed_key_name_is_refused(typed: str) -> None:
    with pytest.raises(Malformed) as refused:
        key_name(typed)
    assert refused.value.field == "name"


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


def test_device_drops_the_address_used_longest_ago() -> None:
    emails = [f"a{number}@example.id" for number in range(ADDRESSES_PER_DEVICE_MAX + 1)]
    device = KnownBrowser.fresh()
    for email in emails[:-1]:
        device = device.with_address(KEY, email)
    device = device.with_address(KEY, emails[0])  # the second address is now the oldest
    device = device.with_address(KEY, emails[-1])
    known = [email for email in emails if device.knows(KEY, email)]
    assert known == [emails[0], *emails[2:]]
    often = KnownBrowser.fresh()
    for email in (emails[1], emails[0], emails[0], *emails[2:-1]):
        often = often.with_address(KEY, email)
    assert all(often.knows(KEY, email) for email in emails[:-1]), "twice takes the place of once"
    assert len(device.marks) == ADDRESSES_PER_DEVICE_MAX


def test_malformed_device_cookie_is_ignored() -> None:
    assert KnownBrowser.read("0" * 26 + ".\udcff") is None  # not valid UTF-8
    assert KnownBrowser.read("0" * 26 + ".\u00e9") is None
    many = KnownBrowser.read("0" * 26 + ".mark" * 100)
    assert many is not None
    assert len(many.marks) == ADDRESSES_PER_DEVICE_MAX


@given(st.text(max_size=200))
def test_device_of_any_text_knows_no_address(text: str) -> None:
    for candidate in (text, "0" * 26 + text, "0" * 26 + "." + text):
        device = KnownBrowser.read(candidate)
        assert device is None or not device.knows(KEY, "ani@example.id")
        assert device is None or len(device.marks) <= ADDRESSES_PER_DEVICE_MAX
