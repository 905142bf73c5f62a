"""A complaining account of a shop, and a member of staff who answers."""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from meterai.accounts import AccountService
from meterai.cases import CaseService, Matter
from meterai.cases.answers import Facts, answer
from meterai.cases.gathering import CaseFacts, about_order
from meterai.cases.model import Case, CaseEvent, CaseOutcome, Complaint
from meterai.cases.service import CaseTold
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import new_id, show
from meterai.orders import OrderService
from meterai.payments import BuyerQuestions
from tests.support.shop import TESTER, Shop

PERSON = Actor(ActorKind.ACCOUNT, "ses_test")
STAFF = Actor(ActorKind.STAFF, "acc_test")


@dataclass
class Desk:
    """Complaints of the account of a shop."""

    shop: Shop
    staff: UUID = field(default_factory=new_id)

    @property
    def service(self) -> CaseService:
        return self.shop.container.of(CaseService)

    @property
    def gathering(self) -> CaseFacts:
        container = self.shop.container
        orders, questions = container.of(OrderService), container.of(BuyerQuestions)
        return CaseFacts(container.database, orders, questions, container.clock)

    # -- orders, in every state ----------------------------------------------------------------

    def placed(self, quantity: int = 1) -> UUID:
        """Return an order whose buyer has the QR."""
        order = self.shop.place(quantity)
        self.shop.make_qr(self.shop.attempts(order)[-1])
        return order

    def executed(self, quantity: int = 3, more: int = 0) -> UUID:
        """Return an executed order."""
        order = self.placed(quantity)
        self.shop.pay(order, more)
        self.shop.work()
        return order

    def paid_while_stopped(self) -> UUID:
        """Return an order paid while issuing is stopped."""
        self.shop.set_issuing(is_open=False)
        return self.executed(1)

    def heard(self, order: UUID) -> None:
        """Let the bank answer that it knows no payment of an order."""
        self.shop.arrange(
            "UPDATE payment_attempts SET answered_at = now() WHERE subject = %s", order
        )

    def give_back(self, *steps: str) -> UUID:
        """Carry out these steps on the newest refund, and return it."""
        refund = self.shop.refunds()[-1]
        for step in steps:
            getattr(self.shop, step)(refund)
        self.shop.work()
        return refund

    # -- complaints ----------------------------------------------------------------------------

    def facts(self, order: UUID) -> Facts:
        found = self.shop.do(self.gathering.of(self.shop.account, about_order(order)))
        assert found is not None
        return found

    def code(self, matter: Matter, order: UUID, **later: float) -> str | None:
        """Return the code of the answer from the facts, optionally after some time."""
        facts = self.facts(order)
        if later:
            values = {name: getattr(facts, name) for name in Facts.__slots__}
            facts = Facts(**{**values, "now": facts.now + timedelta(**later)})
        found = answer(matter, facts)
        return found.code if found else None

    def complain(self, matter: Matter, about: UUID | str = "", **more: Any) -> Case:
        """Complain as the account of the shop."""
        named = show("ord", about) if isinstance(about, UUID) else about
        words = more.pop("words", "Saya sudah bayar, kuota 0.")
        account = more.pop("account", self.shop.account)
        complaint = Complaint(matter, words, "id", named, **more)
        return self.shop.do(self.service.complain(account, complaint, actor=PERSON))

    def send(self, email: str, matter: Matter, about: UUID | str = "", **more: Any) -> None:
        """Complain without sign-in."""
        named = show("ord", about) if isinstance(about, UUID) else about
        complaint = Complaint(matter, more.pop("words", "Saya sudah bayar."), "id", named)
        network = more.pop("network", "192.0.2.1")
        self.shop.do(self.service.send(email, network, complaint))
        self.shop.work()

    def again(self, case: Case) -> Case:
        """Read the case again."""
        return self.shop.do(self.service.one(case.id))

    def told(self, case: Case) -> CaseTold:
        return self.shop.do(self.service.told(self.again(case)))

    def say(self, case: Case, words: str = "Belum.") -> Case:
        return self.shop.do(self.service.say(case, words, [], actor=PERSON))

    def act(self, case: Case, event: CaseEvent, outcome: CaseOutcome | None = None) -> Case:
        """Answer, ask or close as staff."""
        work = self.service.write_as_staff(
            case, event, "Halo.", self.staff, actor=STAFF, outcome=outcome
        )
        return self.shop.do(work)

    def other_account(self, email: str = "") -> UUID:
        """Return another account."""
        made = self.shop.container.of(AccountService).create(
            email or f"{secrets.token_hex(8)}@example.id", actor=TESTER
        )
        return self.shop.do(made)

    @property
    def email(self) -> str:
        return self.email_of(self.shop.account)

    def email_of(self, account: UUID) -> str:
        [row] = self.shop.rows("SELECT email FROM accounts WHERE account_id = %s", account)
        return str(row["email"])

    def mails(self) -> list[dict[str, Any]]:
        """Return the mails about cases, oldest first."""
        return self.shop.rows(
            "SELECT template, recipient, facts FROM mails WHERE template LIKE 'case_%%'"
            " ORDER BY mail_id"
        )

    def cases(self) -> int:
        return len(self.shop.rows("SELECT 1 FROM cases"))

    def pass_days(self, days: int) -> None:
        """Let days pass for every case that waits for its person."""
        # All times of a case move, as if it had begun earlier.
        self.shop.arrange(
            "UPDATE cases SET opened_at = opened_at - make_interval(days => %s),"
            " answered_at = answered_at - make_interval(days => %s),"
            " closes_at = closes_at - make_interval(days => %s)",
            days,
            days,
            days,
        )
