"""Closed sign-up: no new account is made, existing ones sign in, and strangers cannot learn who has an account."""

from functools import partial

import pytest

from meterai.accounts.model import CodeWrong, SignUpClosed
from meterai.accounts.sign_up import set_sign_up, sign_up_closed_at
from meterai.plumbing.messages import localize, translate
from tests.accounts.conftest import HOME, Counter
from tests.support.pulling import member
from tests.support.shop import TESTER, Shop

ANI, BUDI = "ani@example.id", "budi@example.id"


def setting(counter: Counter, *, is_open: bool) -> None:
    counter.do(counter.database.run(partial(set_sign_up, is_open=is_open, actor=TESTER)))


def accounts(counter: Counter) -> int:
    return len(counter.do(counter.database.call_all("SELECT 1 FROM accounts")))


def test_code_of_a_new_address_works_after_sign_up_opens(counter: Counter) -> None:
    setting(counter, is_open=False)
    before, challenge = accounts(counter), counter.ask(BUDI, HOME)
    code = counter.codes.code(challenge)
    with pytest.raises(SignUpClosed) as refused:
        counter.do(counter.codes.sign_in(challenge, code, "id"))
    assert accounts(counter) == before
    closed_at = counter.do(counter.database.once(sign_up_closed_at))
    assert refused.value.facts() == {"closed_at": closed_at}
    for language in ("id", "en"):
        facts = localize(refused.value.facts(), language)
        assert translate("refusal.sign_up_closed", language, **facts)
    secret = counter.codes.link(challenge).rpartition("secret=")[2]
    with pytest.raises(SignUpClosed):
        counter.do(counter.codes.sign_in_by_link(challenge, secret, "id"))
    setting(counter, is_open=True)
    assert counter.do(counter.codes.sign_in(challenge, code, "id")).session
    assert accounts(counter) == before + 1


def test_wrong_code_does_not_reveal_whether_an_address_has_an_account(counter: Counter) -> None:
    setting(counter, is_open=False)
    challenge = counter.ask(BUDI, HOME)
    wrong = str((int(counter.codes.code(challenge)) + 1) % 1_000_000).zfill(6)
    with pytest.raises(CodeWrong):
        counter.do(counter.codes.sign_in(challenge, wrong, "id"))


def test_levers_close_and_open_sign_up_as_forecast(shop: Shop) -> None:
    one = member(shop, "operations")
    told = one.forecast("sign-up close")
    assert ([effect.word for effect in told.effects], told.rows) == (["sign_up_closes"], 1)
    assert one.pull("sign-up close").is_done
    assert one.forecast("sign-up close").rows == 0
    shop.assert_books_hold()
    assert one.pull("sign-up open").is_done
    assert shop.rows("SELECT is_open FROM sign_up") == [{"is_open": True}]
    shop.assert_books_hold()
