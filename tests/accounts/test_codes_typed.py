"""Mistyped codes: too few digits, other digits, the code of another mail."""

import pytest

from meterai.accounts import AccountSettings
from meterai.accounts.model import CodeIncomplete, CodeWrong
from tests.accounts.conftest import Counter

ANI = "ani@example.id"


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣", "½23456"])
def test_code_with_wrong_number_of_digits_costs_no_try(counter: Counter, typed: str) -> None:
    challenge = counter.ask(ANI)
    for _ in range(counter.settings.of(AccountSettings).code_tries_max + 1):
        with pytest.raises(CodeIncomplete):
            counter.do(counter.codes.sign_in(challenge, typed, "id"))
    right = counter.codes.code(challenge)
    wide = " ".join(chr(ord("\N{FULLWIDTH DIGIT ZERO}") + int(digit)) for digit in right)
    assert counter.do(counter.codes.sign_in(challenge, wide, "id")).session


def test_code_of_another_mail_is_refused_with_the_time_of_the_right_mail(counter: Counter) -> None:
    """The page of the first mail accepts the first code, which stays valid; the newest code belongs to another
    page."""
    first = counter.ask(ANI)
    asked_at = counter.clock.at
    counter.do(counter.codes.begin_code(first))
    counter.clock.wait(minutes=3)
    second = counter.ask(ANI)
    with pytest.raises(CodeWrong) as refused:
        counter.do(counter.codes.sign_in(first, counter.codes.code(second), "id"))
    assert refused.value.mailed_at == asked_at
    assert counter.do(counter.codes.sign_in(first, counter.codes.code(first), "id")).session
    assert counter.do(counter.codes.sign_in(second, counter.codes.code(second), "id")).session
