"""Passkeys: registration, sign-in, and refused answers."""

import json
from uuid import UUID

import pytest

from meterai.accounts import PasskeyService
from meterai.accounts.model import CredentialTaken, PasskeyRefused, TooManyPasskeys
from meterai.accounts.passkeys import ANSWER_LENGTH_MAX, CHALLENGE_LIVES, PASSKEYS_MAX
from meterai.accounts.sessions import SignedIn
from meterai.apps.settings import settings_of
from meterai.kit.ids import read
from meterai.kit.refusal import Malformed
from tests.accounts.conftest import Counter
from tests.support.authenticator import PRESENT, VERIFIED, Authenticator
from tests.support.shop import TESTER

ANI, BUDI = "ani@example.id", "budi@example.id"
ORIGIN, DOMAIN = "https://meterai.example", "meterai.example"


class Shelf:
    """A service of passkeys, and people with authenticators."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        settings = settings_of(public_url=ORIGIN)
        self.service = PasskeyService(counter.database, counter.key, settings, counter.clock)

    def account(self, email: str) -> UUID:
        return self.counter.opens(self.counter.sign_in(email).session).account

    def make(self, account: UUID, device: Authenticator | None = None) -> Authenticator:
        device = device or Authenticator(ORIGIN, DOMAIN)
        asked = self.counter.do(self.service.ask_to_make(account))
        answer = device.make(asked.options)
        self.counter.do(self.service.make(account, "Ponsel", answer, asked.cookie, actor=TESTER))
        return device

    def sign_in(self, device: Authenticator) -> SignedIn:
        asked = self.service.ask_to_sign_in()
        return self.open(device.sign(asked.options), asked.cookie)

    def open(self, answer: str, cookie: str) -> SignedIn:
        return self.counter.do(self.service.sign_in(answer, cookie))


@pytest.fixture
def shelf(counter: Counter) -> Shelf:
    return Shelf(counter)


def test_passkey_signs_in_and_marks_the_device(shelf: Shelf) -> None:
    account = shelf.account(ANI)
    device = shelf.make(account)
    one, two = shelf.sign_in(device), shelf.sign_in(device)
    assert one.session != two.session, "every sign-in has a secret of its own"
    for signed_in in (one, two):
        assert shelf.counter.opens(signed_in.session).account == account
    [passkey] = shelf.counter.do(shelf.service.passkeys(account))
    assert passkey.last_used_at == shelf.counter.clock.now()
    [row] = shelf.counter.rows("SELECT sign_count FROM passkeys")
    assert row["sign_count"] == 2
    shelf.counter.ask(ANI, device=one.device)
    [row] = shelf.counter.rows(
        "SELECT count(*) AS n FROM sign_in_challenges WHERE device IS NOT NULL"
    )
    assert row["n"] == 1


def test_answer_is_accepted_from_the_requesting_browser_alone(shelf: Shelf) -> None:
    device = shelf.make(shelf.account(ANI))
    asked, other = shelf.service.ask_to_sign_in(), shelf.service.ask_to_sign_in()
    answer = device.sign(asked.options)
    name, _, until = asked.cookie.partition(".")
    longer = f"{name}.{int(until) + 1}"
    for cookie in ("", other.cookie, longer, name, f"{name}.x", f"{name}.-1", f"x{asked.cookie}"):
        with pytest.raises(PasskeyRefused):
            shelf.open(answer, cookie)
    assert shelf.open(answer, asked.cookie).session


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://meterai.example.evil"},
        {"origin": "http://meterai.example"},
        {"origin": "https://meterai.example:444"},
        {"domain": "evil.example"},
        {"credential": b"another"},
        {"counter": 0},
    ],
    ids=["origin", "scheme", "port", "domain", "credential", "counted-back"],
)
def test_answer_for_another_site_or_by_another_authenticator_is_refused(
    shelf: Shelf, wrong: dict[str, object]
) -> None:
    device = shelf.make(shelf.account(ANI))
    shelf.sign_in(device)
    for name, value in wrong.items():
        setattr(device, name, value)
    with pytest.raises(PasskeyRefused):
        shelf.sign_in(device)


def test_challenge_expires(shelf: Shelf) -> None:
    device = shelf.make(shelf.account(ANI))
    asked = shelf.service.ask_to_sign_in()
    shelf.counter.clock.wait(seconds=CHALLENGE_LIVES.total_seconds())
    with pytest.raises(PasskeyRefused):
        shelf.open(device.sign(asked.options), asked.cookie)


def test_sign_in_without_user_verification_is_refused(shelf: Shelf) -> None:
    device = shelf.make(shelf.account(ANI))
    for flags, opens in ((0, False), (PRESENT, False), (PRESENT | VERIFIED, True)):
        asked = shelf.service.ask_to_sign_in()
        answer = device.sign(asked.options, flags)
        if opens:
            assert shelf.open(answer, asked.cookie).session
        else:
            with pytest.raises(PasskeyRefused):
                shelf.open(answer, asked.cookie)


def test_credential_of_another_account_is_refused_until_its_passkey_is_ended(shelf: Shelf) -> None:
    ani, budi = shelf.account(ANI), shelf.account(BUDI)
    device = shelf.make(ani)
    with pytest.raises(CredentialTaken):
        shelf.make(budi, device)
    assert shelf.counter.do(shelf.service.passkeys(budi)) == []
    [passkey] = shelf.counter.do(shelf.service.passkeys(ani))
    shelf.counter.do(shelf.service.end(ani, read("psk", passkey.id), actor=TESTER))
    shelf.make(budi, device)
    assert len(shelf.counter.do(shelf.service.passkeys(budi))) == 1


def test_registrations_are_single_and_limited_in_number(shelf: Shelf) -> None:
    account = shelf.account(ANI)
    device = shelf.make(account)
    with pytest.raises(PasskeyRefused):
        shelf.make(account, device)
    asked = shelf.counter.do(shelf.service.ask_to_make(account))
    answer = Authenticator(ORIGIN, DOMAIN).make(asked.options)
    for name in ("", "x" * 61, "\u202e"):
        with pytest.raises(Malformed):
            shelf.counter.do(shelf.service.make(account, name, answer, asked.cookie, actor=TESTER))
    shelf.counter.do(shelf.service.make(account, "a", answer, asked.cookie, actor=TESTER))
    another = Authenticator(ORIGIN, DOMAIN).make(asked.options)
    with pytest.raises(PasskeyRefused):  # the challenge was answered
        shelf.counter.do(shelf.service.make(account, "b", another, asked.cookie, actor=TESTER))
    for _ in range(PASSKEYS_MAX - 2):
        shelf.make(account)
    with pytest.raises(TooManyPasskeys):
        shelf.make(account)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "null",
        "[]",
        "[" * 5_000,
        "{}",
        '{"id": 1, "response": {"userHandle": 2}}',
        '{"id": "AA", "response": {"userHandle": "AA"}}',
        '{"id": "AA", "response": []}',
        '{"id": "\u00e9", "response": {"userHandle": "AAAAAAAAAAAAAAAAAAAAAA"}}',
        "x" * (ANSWER_LENGTH_MAX + 1),
    ],
    ids=range(10),
)
def test_malformed_answer_is_refused(shelf: Shelf, answer: str) -> None:
    account = shelf.account(ANI)
    with pytest.raises(PasskeyRefused):
        shelf.open(answer, shelf.service.ask_to_sign_in().cookie)
    asked = shelf.counter.do(shelf.service.ask_to_make(account))
    with pytest.raises(PasskeyRefused):
        shelf.counter.do(shelf.service.make(account, "x", answer, asked.cookie, actor=TESTER))


def otherwise(part: str) -> str:
    """Return the text with another first letter."""
    return ("B" if part[0] == "A" else "A") + part[1:]


def test_answer_with_any_part_changed_is_refused(shelf: Shelf) -> None:
    device = shelf.make(shelf.account(ANI))
    asked = shelf.service.ask_to_sign_in()
    answer = json.loads(device.sign(asked.options))
    for part in ("clientDataJSON", "authenticatorData", "signature", "userHandle"):
        for other in ("", "AAAA", otherwise(answer["response"][part]), None, 7):
            changed = answer | {"response": answer["response"] | {part: other}}
            with pytest.raises(PasskeyRefused):
                shelf.open(json.dumps(changed), asked.cookie)
    assert shelf.open(json.dumps(answer), asked.cookie).session
