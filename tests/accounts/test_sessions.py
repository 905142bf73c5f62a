"""Sessions of an account: listed, and ended one by one."""

from uuid import UUID

import pytest

from meterai.accounts.agents import Agent
from meterai.accounts.model import SESSION_KIND, Credential, SessionView
from meterai.accounts.service import SESSION_USE_EVERY
from meterai.kit.ids import read
from meterai.kit.refusal import SignInRequired
from tests.accounts.conftest import Counter

ANI, BUDI = "ani@example.id", "budi@example.id"
PHONE = Agent("Chrome", "Android")


def begin(counter: Counter, email: str = ANI, agent: Agent = PHONE) -> Credential:
    challenge = counter.ask(email)
    code = counter.codes.code(challenge)
    signed_in = counter.do(counter.codes.sign_in(challenge, code, "id", agent=agent))
    return Credential.read(signed_in.session)


def listed(counter: Counter, account: UUID) -> list[SessionView]:
    return counter.do(counter.service.sessions(account))


def test_last_use_of_a_session_is_written_at_intervals(counter: Counter) -> None:
    phone = begin(counter)
    counter.opens(phone.text(), service=counter.another_service())
    [session] = listed(counter, phone.account)
    assert session.last_used_at is None, "beginning it was a use"
    used = []
    for seconds in (SESSION_USE_EVERY.total_seconds() + 60, 60):
        counter.clock.wait(seconds=seconds)
        counter.opens(phone.text(), service=counter.another_service())
        used += [one.last_used_at for one in listed(counter, phone.account)]
    assert used[0] is not None
    assert used[0] == used[1], "not with every request"


def test_ending_one_session_keeps_the_others(counter: Counter) -> None:
    phone, other = begin(counter), begin(counter)
    actor = counter.opens(other.text()).actor
    counter.opens(phone.text())
    for _ in range(2):  # a repeat changes nothing
        counter.do(counter.service.end_session(phone.account, phone.id, actor=actor))
    with pytest.raises(SignInRequired):
        counter.opens(phone.text())
    assert counter.opens(other.text()).by == "session"
    assert [read(SESSION_KIND, one.id) for one in listed(counter, phone.account)] == [other.id]
    assert counter.trail()[-1] == (str(actor), "signed_out"), "and who did it"
    assert [action for _, action in counter.trail()].count("signed_out") == 1
