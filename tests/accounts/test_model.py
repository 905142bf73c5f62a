"""Addresses, codes and credentials."""

import string
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from meterai.accounts.model import (
    CODE_DIGITS,
    EMAIL_LENGTH_MAX,
    KEY_PREFIX,
    Credential,
    SignInRequired,
    code_of,
    normalized,
)
from meterai.kit.refusal import Malformed


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ani@Example.ID", "ani@example.id"),
        ("  ani+meterai@mail.example.co.id\n", "ani+meterai@mail.example.co.id"),
        ("o'neil@example.id", "o'neil@example.id"),
    ],
)
def test_an_address_is_compared_in_one_form(typed: str, kept: str) -> None:
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
    ],
)
def test_what_is_no_address_is_malformed(typed: str) -> None:
    with pytest.raises(Malformed) as refused:
        normalized(typed)
    assert refused.value.field == "email"


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_malformed_and_stays_so(text: str) -> None:
    try:
        kept = normalized(text)
    except Malformed:
        return
    assert normalized(kept) == kept
    assert not set(kept) & set(string.whitespace + ',;<>"\\\0')


@given(st.binary(min_size=32, max_size=32), st.uuids(), st.uuids())
def test_a_code_is_six_digits_of_its_challenge(key: bytes, one: UUID, other: UUID) -> None:
    code = code_of(key, one)
    assert len(code) == CODE_DIGITS
    assert code.isdecimal()
    assert code == code_of(key, one)
    assume(one != other)
    assert code_of(key, other) != code or code_of(b"another key" + key, one) != code


def test_codes_are_spread_over_all_digits() -> None:
    codes = [code_of(b"k" * 32, UUID(int=number)) for number in range(5_000)]
    assert len(set(codes)) > 4_900
    assert {code[0] for code in codes} == set(string.digits)


@given(st.uuids(), st.uuids(), st.sampled_from(["", KEY_PREFIX]))
def test_a_credential_is_read_again_and_opens_only_its_own(
    account: UUID, identifier: UUID, prefix: str
) -> None:
    made = Credential.fresh(account, identifier)
    read = Credential.read(made.text(prefix), prefix)
    assert read == made
    assert read.opens(made.hash())
    assert not Credential.fresh(account, identifier).opens(made.hash())


@given(st.text(max_size=100))
def test_any_text_is_a_credential_or_sign_in_is_required(text: str) -> None:
    for prefix in ("", KEY_PREFIX):
        for candidate in (text, prefix + text, prefix + "0" * 52 + text):
            try:
                read = Credential.read(candidate, prefix)
            except SignInRequired:
                continue
            assert read.text(prefix) == candidate


def test_a_session_is_not_taken_for_a_key() -> None:
    made = Credential.fresh(UUID(int=1), UUID(int=2))
    with pytest.raises(SignInRequired):
        Credential.read(made.text(), KEY_PREFIX)
    with pytest.raises(SignInRequired):
        Credential.read(made.text(KEY_PREFIX))


@given(st.uuids(), st.uuids())
def test_a_credential_with_another_tail_does_not_open(account: UUID, identifier: UUID) -> None:
    made = Credential.fresh(account, identifier)
    text = made.text()
    wrong = text[:-1] + ("A" if text[-1] != "A" else "B")
    assert not Credential.read(wrong).opens(made.hash())
