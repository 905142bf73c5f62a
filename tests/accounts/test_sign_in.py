"""Requesting codes and exchanging them for sessions."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest

from meterai.accounts import AccountService, AccountSettings, CodeService
from meterai.accounts.model import CodeSpent, CodeWrong, TooManyCodes
from meterai.apps.settings import settings_of as make_settings
from meterai.kit.refusal import SignInRequired
from meterai.pages import check_form
from meterai.pages.model import FormExpired
from tests.accounts.conftest import BEGIN, CARRIER, HOME, Counter
from tests.support.shop import TESTER

ANI, BUDI = "ani@example.id", "budi@example.id"
HOUR = timedelta(hours=1)


def many(counter: Counter, asks: list[tuple[str, str, str]]) -> list[object]:
    """Run all calls concurrently; return the answer of each."""

    async def run() -> list[object]:
        return await asyncio.gather(
            *(
                counter.codes.ask_for_code(email, network, "id", device)
                for email, network, device in asks
            ),
            return_exceptions=True,
        )

    return counter.do(run())


def given(answers: list[object]) -> int:
    """Count the codes given; every other answer is the expected refusal."""
    refused = [one for one in answers if isinstance(one, BaseException)]
    assert all(isinstance(one, TooManyCodes) for one in refused), refused
    return len(answers) - len(refused)


def use_up(counter: Counter, email: str, network: str = CARRIER, device: str = "") -> TooManyCodes:
    """Request codes until one is refused."""
    for _ in range(counter.settings.of(AccountSettings).codes_per_hour_max):
        counter.ask(email, network, device)
    with pytest.raises(TooManyCodes) as refused:
        counter.ask(email, network, device)
    return refused.value


# -- answers to strangers -------------------------------------------------------------------


# -- limits ----------------------------------------------------------------------------------


def test_concurrent_requests_keep_the_quota_of_an_address(counter: Counter) -> None:
    answers = many(counter, [(ANI, f"203.0.113.{n}", "") for n in range(100)])
    assert given(answers) == counter.settings.of(AccountSettings).codes_per_hour_max
    [row] = counter.rows("SELECT count(*) AS n FROM sign_in_challenges")
    assert row["n"] == counter.settings.of(AccountSettings).codes_per_hour_max
    [row] = counter.rows("SELECT count(*) AS n FROM jobs WHERE kind = 'sign_in_asked'")
    assert row["n"] == counter.settings.of(AccountSettings).codes_per_hour_max, (
        "what is refused sends no mail"
    )


def test_networks_of_one_48_get_sixteen_times_the_quota_of_one(counter: Counter) -> None:
    counter.settings = make_settings(codes_per_hour_per_network_max=2)
    counter.begin_anew()
    networks = [f"2001:db8:1:{number << 8:x}::/64" for number in range(40)]
    answers = many(counter, [(f"a{n}@example.id", one, "") for n, one in enumerate(networks)])
    assert given(answers) == 32
    counter.ask(ANI, CARRIER)
    # A refusal for the address uses no quota of its networks.
    for _ in range(40):
        with suppress(TooManyCodes):
            counter.ask(ANI, "198.18.7.1")
    counter.ask(BUDI, "198.18.7.2")


def test_code_is_available_again_from_the_time_in_the_refusal(counter: Counter) -> None:
    counter.ask(ANI)
    counter.clock.wait(minutes=10)
    for _ in range(counter.settings.of(AccountSettings).codes_per_hour_max - 1):
        counter.ask(ANI)
    with pytest.raises(TooManyCodes) as refused:
        counter.ask(ANI)
    # The first code leaves the hour at 09:00:20, which is shown as the next minute.
    assert refused.value.retry_at == (BEGIN + HOUR).replace(minute=1, second=0)
    counter.clock.at = BEGIN + HOUR - timedelta(seconds=1)
    with pytest.raises(TooManyCodes):
        counter.ask(ANI)
    counter.clock.at = refused.value.retry_at
    counter.ask(ANI)
    # By then only the first code has left the hour; the others were sent ten minutes later.
    with pytest.raises(TooManyCodes):
        counter.ask(ANI)


# -- unused codes ---------------------------------------------------------------------------


def _by_default(counter: Counter) -> int:
    counter.settings = make_settings()
    counter.begin_anew()
    return counter.settings.of(AccountSettings).codes_outstanding_max


def test_unused_codes_of_an_address_are_limited_under_concurrency(counter: Counter) -> None:
    most = _by_default(counter)
    answers = many(counter, [(ANI, f"203.0.113.{n}", "") for n in range(40)])
    assert given(answers) == most
    with pytest.raises(TooManyCodes) as refused:
        counter.ask(ANI)
    lives = timedelta(seconds=counter.settings.of(AccountSettings).code_lives_seconds)
    assert refused.value.retry_at == (BEGIN + lives).replace(second=0) + timedelta(minutes=1)
    counter.clock.at = refused.value.retry_at
    counter.ask(ANI)


def test_unused_codes_of_a_mailbox_are_limited_over_all_its_tags(
    counter: Counter,
) -> None:
    most = _by_default(counter)
    answers = many(counter, [(f"ani+{n}@example.org", f"203.0.113.{n}", "") for n in range(40)])
    assert given(answers) == most
    assert given(many(counter, [("budi+ani@example.org", "203.0.113.99", "")])) == 1


# -- known devices ---------------------------------------------------------------------------


def test_stranger_does_not_lock_out_a_known_device(counter: Counter) -> None:
    device = counter.sign_in(ANI).device
    counter.clock.wait(hours=2)
    use_up(counter, ANI)
    assert counter.sign_in(ANI, device, CARRIER).session
    with pytest.raises(TooManyCodes):
        counter.ask(ANI, "192.0.2.1")  # an unknown device, on any network


def test_known_device_uses_its_own_quota_alone(counter: Counter) -> None:
    device = counter.sign_in(ANI).device
    counter.clock.wait(hours=2)
    use_up(counter, ANI, HOME, device)
    use_up(counter, ANI, CARRIER)


def test_device_is_known_for_addresses_that_signed_in_with_it(counter: Counter) -> None:
    device = counter.sign_in(BUDI).device
    counter.clock.wait(hours=2)
    use_up(counter, ANI)
    with pytest.raises(TooManyCodes):
        counter.ask(ANI, CARRIER, device)


def test_quota_of_all_devices_of_an_address_is_limited(counter: Counter) -> None:
    given_codes = 0
    device = ""
    try:
        while given_codes < 100:  # each code makes a device, which requests the next
            challenge = counter.ask(ANI, HOME, device)
            given_codes += 1
            code = counter.codes.code(challenge)
            device = counter.do(counter.codes.sign_in(challenge, code, "id")).device
    except TooManyCodes:
        pass
    assert given_codes == 1 + 5 * counter.settings.of(AccountSettings).codes_per_hour_max


# -- codes -----------------------------------------------------------------------------------


def test_code_signs_in_once(counter: Counter) -> None:
    challenge = counter.ask(ANI)
    code = counter.codes.code(challenge)
    signed_in = counter.do(counter.codes.sign_in(challenge, f" {code[:3]} {code[3:]} ", "en"))
    assert counter.opens(signed_in.session).language == "en"
    for again in (code, counter.wrong(challenge)):
        with pytest.raises(CodeSpent):
            counter.do(counter.codes.sign_in(challenge, again, "en"))


def test_second_use_needs_the_requesting_browser_and_the_code(
    counter: Counter,
) -> None:
    challenge, other = counter.ask(ANI), counter.ask(BUDI)
    code, mark = counter.codes.code(challenge), counter.codes.asked_mark(challenge)
    device = counter.do(counter.codes.sign_in(challenge, code, "id", "", mark)).device
    foreign = counter.codes.asked_mark(other)
    for shown in ("", foreign, "\xe9", mark[:-1], code):
        with pytest.raises(CodeSpent):
            counter.do(counter.codes.sign_in(challenge, code, "id", device, shown))
    challenge = counter.ask(ANI)
    code, mark = counter.codes.code(challenge), counter.codes.asked_mark(challenge)
    assert counter.do(counter.codes.sign_in(challenge, code, "id", "", mark)).session
    wrong = str((int(code) + 1) % 1_000_000).zfill(6)
    for _ in range(counter.settings.of(AccountSettings).code_tries_max - 2):  # each is a try
        with pytest.raises(CodeWrong):
            counter.do(counter.codes.sign_in(challenge, wrong, "id", "", mark))
    with pytest.raises(CodeSpent):
        counter.do(counter.codes.sign_in(challenge, wrong, "id", "", mark))
    with pytest.raises(CodeSpent):
        counter.do(counter.codes.sign_in(challenge, code, "id", "", mark))


def test_concurrent_requests_with_one_code_open_one_session(counter: Counter) -> None:
    challenge = counter.ask(ANI)
    code = counter.codes.code(challenge)

    async def run() -> list[object]:
        signing_in = (counter.codes.sign_in(challenge, code, "id") for _ in range(4))
        return await asyncio.gather(*signing_in, return_exceptions=True)

    answers = counter.do(run())
    assert sum(isinstance(one, CodeSpent) for one in answers) == len(answers) - 1
    assert (
        len(counter.do(counter.service.sessions(counter.do(counter.service.account_of(ANI))))) == 1
    )


def test_wrong_code_is_refused_and_tries_are_limited(counter: Counter) -> None:
    challenge = counter.ask(ANI)
    right = counter.codes.code(challenge)
    wrong = str((int(right) + 1) % 1_000_000).zfill(6)
    for _ in range(counter.settings.of(AccountSettings).code_tries_max - 1):
        with pytest.raises(CodeWrong):
            counter.do(counter.codes.sign_in(challenge, wrong, "id"))
    assert counter.do(counter.codes.sign_in(challenge, right, "id")).session
    other = counter.ask(ANI)
    for left in range(counter.settings.of(AccountSettings).code_tries_max - 1, 0, -1):
        with pytest.raises(CodeWrong) as wrong_code:
            counter.do(counter.codes.sign_in(other, counter.wrong(other), "id"))
        assert wrong_code.value.tries_left == left
    with pytest.raises(CodeSpent):  # the last try is refused as such
        counter.do(counter.codes.sign_in(other, counter.wrong(other), "id"))
    with pytest.raises(CodeSpent):
        counter.do(counter.codes.sign_in(other, counter.codes.code(other), "id"))


def test_concurrent_tries_are_each_counted(counter: Counter) -> None:
    challenge = counter.ask(ANI)

    async def run() -> list[object]:
        tries = (
            counter.codes.sign_in(challenge, counter.wrong(challenge), "id") for _ in range(40)
        )
        return await asyncio.gather(*tries, return_exceptions=True)

    answers = counter.do(run())
    wrong = sum(isinstance(one, CodeWrong) for one in answers)
    assert wrong == counter.settings.of(AccountSettings).code_tries_max - 1  # the last is spent
    assert sum(isinstance(one, CodeSpent) for one in answers) == 40 - wrong


def test_code_expires(counter: Counter) -> None:
    challenge = counter.ask(ANI)
    counter.clock.wait(seconds=counter.settings.of(AccountSettings).code_lives_seconds - 1)
    other = counter.ask(ANI)
    assert counter.do(counter.codes.sign_in(challenge, counter.codes.code(challenge), "id")).session
    counter.clock.wait(seconds=counter.settings.of(AccountSettings).code_lives_seconds)
    with pytest.raises(CodeSpent):
        counter.do(counter.codes.sign_in(other, counter.codes.code(other), "id"))


def test_code_is_valid_for_its_challenge_and_instance_alone(counter: Counter) -> None:
    challenge = counter.ask(ANI)
    foreign = CodeService(counter.database, b"another key" * 3, counter.settings, counter.clock)
    for code in (foreign.code(challenge), counter.codes.code(counter.ask(BUDI))):
        assert code != counter.codes.code(challenge)
        with pytest.raises(CodeWrong):
            counter.do(counter.codes.sign_in(challenge, code, "id"))


def test_spellings_of_an_address_share_one_account(counter: Counter) -> None:
    one = counter.opens(counter.sign_in("Ani@Example.ID").session)
    other = counter.opens(counter.sign_in(" ani@example.id").session)
    assert one.account == other.account
    assert counter.opens(counter.sign_in(BUDI).session).account != one.account
    assert counter.do(counter.service.account_of("ANI@example.id")) == one.account
    assert counter.do(counter.service.create("ANI@Example.ID", actor=TESTER)) == one.account


# -- sessions --------------------------------------------------------------------------------


def test_sign_out_ends_the_session(counter: Counter) -> None:
    session, other = counter.sign_in(ANI).session, counter.sign_in(ANI).session
    counter.opens(session)
    counter.do(counter.service.sign_out(session))
    with pytest.raises(SignInRequired):
        counter.opens(session)
    assert counter.opens(other).by == "session"
    counter.do(counter.service.sign_out(session))  # a repeat changes nothing
    counter.do(counter.service.sign_out("nonsense"))
    actions = [action for _, action in counter.trail() if action != "account_made"]
    assert actions == ["signed_in", "signed_in", "signed_out"]


def test_form_token_is_of_one_session_and_instance(counter: Counter) -> None:
    session, other = counter.sign_in(ANI).session, counter.sign_in(ANI).session
    ours = counter.opens(session)
    foreign = AccountService(counter.database, b"another key" * 3, counter.settings, counter.clock)
    assert ours.form_token == counter.opens(session, service=counter.another_service()).form_token
    check_form(ours, ours.form_token)
    for token in (
        counter.opens(other).form_token,
        counter.opens(session, service=foreign).form_token,
        ours.form_token[:-1],
        "",
    ):
        with pytest.raises(FormExpired):
            check_form(ours, token)


def test_session_expires(counter: Counter) -> None:
    signed_in = counter.sign_in(ANI)
    assert signed_in.life_seconds == counter.settings.of(AccountSettings).session_lives_seconds
    [row] = counter.rows("SELECT expires_at FROM sessions")
    assert row["expires_at"] == BEGIN + timedelta(seconds=signed_in.life_seconds)
    counter.rows("UPDATE sessions SET expires_at = now() RETURNING 1")
    with pytest.raises(SignInRequired):
        counter.opens(signed_in.session)


def test_session_needs_its_own_secret_and_no_prefix(counter: Counter) -> None:
    session = counter.sign_in(ANI).session
    for text in (
        session[:-1] + ("A" if session[-1] != "A" else "B"),
        session[:-1],
        f"mtr_{session}",
    ):
        with pytest.raises(SignInRequired):
            counter.opens(text)
    with pytest.raises(SignInRequired):
        counter.opens(key=f"mtr_{session}")
    counter.opens(session)
    with pytest.raises(SignInRequired):
        counter.opens(key=session)


def test_sign_ins_have_separate_sessions_which_sign_out_everywhere_ends(counter: Counter) -> None:
    one, two, other = counter.sign_in(ANI), counter.sign_in(ANI), counter.sign_in(BUDI)
    assert len({one.session, two.session, other.session}) == 3
    account, actor = counter.opens(one.session).account, counter.opens(two.session).actor
    assert len(counter.do(counter.service.sessions(account))) == 2
    for _ in range(2):  # a repeat changes nothing
        counter.do(counter.service.sign_out_everywhere(account, actor=actor))
    for ended in (one, two):
        for service in (counter.service, counter.another_service()):
            with pytest.raises(SignInRequired):
                counter.opens(ended.session, service=service)
    assert counter.opens(other.session).by == "session", "nobody else is signed out"
    assert len(counter.do(counter.service.sessions(account))) == 0
    rows = counter.rows(
        "SELECT 1 FROM audit_events WHERE account_id = %s AND action = 'signed_out'", account
    )
    assert len(rows) == 2
    again = counter.sign_in(ANI)
    assert counter.opens(again.session).account == account
