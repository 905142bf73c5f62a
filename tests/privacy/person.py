"""A person with an account of a shop who requests its own data."""

import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from meterai.accounts import AccountService, CodeService
from meterai.kit.actor import Actor, ActorKind
from meterai.privacy.service import PrivacyService
from tests.support.shop import Shop

PERSON = Actor(ActorKind.ACCOUNT, "ses_test")


@dataclass
class Person:
    """The account of a shop."""

    shop: Shop

    @property
    def service(self) -> PrivacyService:
        return self.shop.container.of(PrivacyService)

    @property
    def email(self) -> str:
        [row] = self.shop.rows(
            "SELECT email FROM accounts WHERE account_id = %s", self.shop.account
        )
        return str(row["email"])

    def signs_in(self, email: str = "") -> UUID:
        """Sign in by the code of a mail; return the account."""
        codes, email = self.shop.container.of(CodeService), email or self.email
        challenge = self.shop.do(codes.ask_for_code(email, "192.0.2.7", "id"))
        self.shop.do(codes.sign_in(challenge, codes.code(challenge), "id"))
        return self.shop.do(self.shop.container.of(AccountService).account_of(email))

    # -- copies --------------------------------------------------------------------------------

    def copy(self) -> dict[str, bytes]:
        """Return the files of a small copy."""
        content = self.shop.do(self.service.ask_copy(self.shop.account, actor=PERSON))
        assert content is not None
        return unzipped(content)

    # -- erasures ------------------------------------------------------------------------------

    def asks(self) -> None:
        self.shop.do(self.service.ask_erasure(self.shop.account, actor=PERSON))

    def cancels(self) -> None:
        self.shop.do(self.service.withdraw_erasure(self.shop.account, actor=PERSON))

    def waits(self) -> list[str]:
        return [one.word for one in self.shop.do(self.service.mine(self.shop.account)).waits]

    def pass_days(self, days: float) -> None:
        """Let days pass for every request."""
        times = ("asked_at", "due_at", "answered_at", "acts_at", "look_at", "ended_at")
        changes = ", ".join(
            f"{one} = {one} - make_interval(secs => {days * 86_400})" for one in times
        )
        self.shop.arrange(f"UPDATE privacy_requests SET {changes}")

    def carry_out(self) -> int:
        """Run the periodic task."""
        return self.shop.do(self.service.carry_out_erasures())

    def mails_leave(self) -> None:
        """Let the mail server accept every mail."""
        self.shop.arrange(
            "UPDATE mails SET state = 'sent', sent_at = now(), tries = 1 WHERE state = 'queued'"
        )

    def is_erased(self) -> None:
        """Let the delay and the closing pass."""
        self.mails_leave()
        self.pass_days(8)
        self.carry_out()
        self.pass_days(0.001)
        self.carry_out()

    def state(self, kind: str = "erasure") -> str:
        [row] = self.shop.rows(
            "SELECT state FROM privacy_requests WHERE account_id = %s AND kind = %s"
            " ORDER BY request_id DESC LIMIT 1",
            self.shop.account,
            kind,
        )
        return str(row["state"])

    def mails(self) -> list[dict[str, Any]]:
        return self.shop.rows(
            "SELECT template, recipient, facts FROM mails WHERE account_id = %s ORDER BY mail_id",
            self.shop.account,
        )


def unzipped(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def table(files: dict[str, bytes], room: str, name: str) -> list[dict[str, Any]]:
    """Return the rows of a table in a copy."""
    told = json.loads(files[f"data/{room}.json"])
    [found] = [one["rows"] for one in told["tables"] if one["table"] == name] or [[]]
    return list(found)
