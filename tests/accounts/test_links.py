"""Sign-in links of mails, which a stranger cannot exhaust."""

from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from meterai.accounts import AccountSettings
from meterai.accounts.codes import LINK_PATH, SAME_PRESS
from meterai.accounts.model import CodeIncomplete, CodeSpent, CodeWrong, LinkSpent, TooManyCodes
from tests.accounts.conftest import CARRIER, HOME, Counter

ANI, BUDI = "ani@example.id", "budi@example.id"


def secret_of(counter: Counter, challenge: UUID) -> str:
    """Return the secret in the mail of this challenge."""
    link = urlsplit(counter.codes.link(challenge))
    assert link.path == LINK_PATH
    [secret] = parse_qs(link.query)["secret"]
    return secret


def open_link(counter: Counter, challenge: UUID, secret: str | None = None) -> str:
    shown = secret_of(counter, challenge) if secret is None else secret
    return counter.do(counter.codes.sign_in_by_link(challenge, shown, "id"))[0].session


def test_owner_locked_out_of_codes_by_a_stranger_has_an_open_link(counter: Counter) -> None:
    """The stranger requests codes as early as possible, uses up all tries, and repeats. Whenever the owner is
    refused a code within the hour, a link in the owner's inbox still works."""
    most = counter.settings.of(AccountSettings).codes_per_hour_max
    mailed = [counter.ask(ANI, CARRIER) for _ in range(most)]
    for challenge in mailed:
        for _ in range(counter.settings.of(AccountSettings).code_tries_max + 5):
            with pytest.raises((CodeWrong, CodeSpent)):
                counter.do(counter.codes.sign_in(challenge, counter.wrong(challenge), "id"))
            with pytest.raises(LinkSpent):
                open_link(counter, challenge, "0" * 32)
    for number in range(most):
        with pytest.raises(TooManyCodes):
            counter.ask(ANI, HOME)
        assert open_link(counter, mailed[number])
        counter.clock.wait(minutes=59 / most)
    counter.clock.wait(minutes=1)
    counter.ask(ANI, HOME)


def test_requests_beyond_the_quota_send_no_mail(counter: Counter) -> None:
    most = counter.settings.of(AccountSettings).codes_per_hour_max
    for number in range(most + 20):
        try:
            counter.ask(ANI, f"203.0.113.{number}")
        except TooManyCodes:
            assert number >= most
    [row] = counter.rows("SELECT count(*) AS n FROM jobs WHERE kind = 'sign_in_asked'")
    assert row["n"] == most


def test_link_opens_once_and_for_a_second_press(counter: Counter) -> None:
    challenge = counter.ask(ANI)
    assert open_link(counter, challenge) != open_link(counter, challenge)
    counter.clock.wait(seconds=SAME_PRESS.total_seconds())
    with pytest.raises(LinkSpent):
        open_link(counter, challenge)
    with pytest.raises(CodeSpent):  # its code is refused too
        counter.do(counter.codes.sign_in(challenge, counter.codes.code(challenge), "id"))


def test_link_lives_an_hour_from_the_sending_of_its_mail(counter: Counter) -> None:
    challenge = counter.ask(ANI)
    counter.clock.wait(minutes=5)  # under load the mail waits
    counter.do(counter.codes.begin_code(challenge))
    counter.clock.wait(minutes=59)
    with pytest.raises(CodeSpent):
        counter.do(counter.codes.sign_in(challenge, counter.codes.code(challenge), "id"))
    email = counter.codes.address_of_link(challenge, secret_of(counter, challenge))
    assert counter.do(email) == ANI
    counter.clock.wait(minutes=1)
    with pytest.raises(LinkSpent):
        open_link(counter, challenge)


def test_link_opens_its_own_challenge_alone_and_is_no_code(counter: Counter) -> None:
    challenge, other = counter.ask(ANI), counter.ask(BUDI)
    own = secret_of(counter, challenge)
    mark, code = counter.codes.asked_mark(challenge), counter.codes.code(challenge)
    for shown in ("", secret_of(counter, other), own[:-1], own.upper(), "\xe9", mark, code):
        with pytest.raises(LinkSpent):
            open_link(counter, challenge, shown)
    with pytest.raises((CodeIncomplete, CodeWrong, CodeSpent)):
        counter.do(counter.codes.sign_in(challenge, own, "id"))
    assert open_link(counter, challenge)
