"""Erasure: deletion, data kept by law, waiting, and a kill in the middle."""

import hashlib
from typing import Any

import pytest

from meterai.accounts import AccountService, CodeService, OrganizationService
from meterai.accounts.members import member_actor
from meterai.accounts.model import Role
from meterai.cases import Matter
from meterai.cases.model import CaseEvent, CaseOutcome
from meterai.documents import DocumentContents, DocumentService
from meterai.incidents.subscribing import Subscriptions
from meterai.kit.ids import new_id
from meterai.kit.refusal import NotFound
from meterai.privacy.model import StaffNotErased
from tests.cases.desk import Desk
from tests.privacy.person import Person
from tests.support.desk import staff_session
from tests.support.shop import TESTER, Shop
from tests.support.store import delete_condemned, objects
from tests.support.stored import forget_documents, keep_document, let_time_pass


def holds(person: Person) -> None:
    person.shop.assert_books_hold()


def addresses(shop: Shop, email: str) -> list[str]:
    """Return the columns of text that contain an address, in the whole database."""
    columns = shop.rows(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND data_type IN ('text', 'character varying', 'json', 'jsonb', 'ARRAY')"
    )
    assert columns
    return [
        f"{one['table_name']}.{one['column_name']}"
        for one in columns
        if shop.rows(
            f"SELECT 1 FROM {one['table_name']} WHERE strpos({one['column_name']}::text, %s) > 0 LIMIT 1",
            email,
        )
    ]


def used_up(person: Person) -> None:
    """Return an executed order whose money is returned."""
    shop = person.shop
    order = shop.place(2)
    shop.make_qr(shop.attempts(order)[-1])
    shop.pay(order)
    shop.work()
    shop.ask_back(order)
    shop.work()
    refund = shop.refunds()[-1]
    shop.send(refund)
    shop.settle(refund)
    shop.work()


def test_erasure_keeps_content_of_another_account(person: Person) -> None:
    shop, other = person.shop, new_id()
    contents, content = shop.container.of(DocumentContents), b"%PDF-1.7 of two accounts"
    digest = hashlib.sha256(content).digest()
    shop.do(contents.put(digest, content))
    for account in (shop.account, other):
        keep_document(shop, account, digest, len(content))
    let_time_pass(shop)
    person.asks()
    person.is_erased()
    documents = shop.container.of(DocumentService)
    while shop.do(documents.forget_old()):
        pass
    delete_condemned(shop)
    assert shop.do(documents.content(other, digest)) == content
    forget_documents(shop, other)
    delete_condemned(shop)
    assert objects(shop) == []


def test_address_is_blanked_in_the_last_mail_after_sending(person: Person) -> None:
    email = person.email
    person.asks()
    person.is_erased()
    person.mails_leave()
    assert person.carry_out() == 0
    person.pass_days(3)
    person.carry_out()
    assert person.state() == "erased"
    assert addresses(person.shop, email) == []
    holds(person)
    person.pass_days(30)
    person.carry_out()
    assert person.state() == "swept"
    holds(person)
    assert person.carry_out() == 0


def test_erased_address_is_in_no_table(person: Person) -> None:
    shop, email = person.shop, person.email
    desk = everything(person)
    subscriptions = shop.container.of(Subscriptions)
    shop.do(subscriptions.ask(email, "id", "192.0.2.9"))
    [row] = shop.rows("SELECT subscriber_id FROM incident_subscribers WHERE email = %s", email)
    shop.do(subscriptions.confirm(row["subscriber_id"]))
    service = shop.container.of(OrganizationService)
    other = desk.other_account("budi@example.id")
    organization = shop.do(service.make(new_id(), other, "PT Contoh", "", "")).account
    actor = member_actor(other)
    shop.do(service.invite(organization, email, Role.CLERK, None, "id", actor=actor))
    desk.send(email, Matter.SOMETHING_ELSE)
    person.asks()
    person.mails_leave()
    person.pass_days(8)
    person.carry_out()
    desk.send(email, Matter.SOMETHING_ELSE, words="Lagi.")
    shop.do(shop.container.of(CodeService).ask_for_code(email, "192.0.2.8", "id"))
    shop.work()
    assert shop.rows(
        "SELECT 1 FROM mails WHERE recipient = %s AND state = 'queued' AND account_id <> %s",
        email,
        shop.account,
    )
    person.pass_days(0.001)
    person.carry_out()
    assert person.state() == "erased"
    assert addresses(shop, email) == ["mails.recipient"]
    assert [one["template"] for one in person.mails() if one["recipient"]] == ["account_erased"]
    holds(person)
    person.mails_leave()
    person.pass_days(3)
    person.carry_out()
    assert addresses(shop, email) == []
    holds(person)


def test_erasure_keeps_orders_receipts_and_books(person: Person) -> None:
    used_up(person)
    counts = "SELECT (SELECT count(*) FROM orders) AS o, (SELECT count(*) FROM legs) AS l, (SELECT count(*) FROM refunds) AS r"
    before = person.shop.rows(counts)
    person.asks()
    person.is_erased()
    assert person.shop.rows(counts) == before
    [mail] = [one for one in person.mails() if one["template"] == "account_erased"]
    assert "UU KUP 28(11)" in mail["facts"]["kept"]["en"]
    assert "Pasal 28 ayat 11" in mail["facts"]["kept"]["id"]


def everything(person: Person) -> Desk:
    """Make a refund, documents stamped from an order and from the balance, a label, and a closed complaint."""
    shop, desk = person.shop, Desk(person.shop)
    person.signs_in()
    used_up(person)
    order = shop.place_documents([1])
    shop.pay(order)
    shop.work()
    [stamping] = shop.rows("SELECT stamping_id FROM stampings WHERE order_id = %s", order)
    shop.deliver(stamping["stamping_id"])
    quota = shop.place(1)
    shop.pay(quota)
    shop.work()
    from_balance = shop.reserve(1)
    assert from_balance is not None
    shop.deliver(from_balance)
    shop.arrange(
        "INSERT INTO order_labels (account_id, order_id, reference, metadata, labelled_at)"
        " SELECT account_id, order_id, 'Ani Lestari', '{\"nama\": \"Ani Lestari\"}', now() FROM orders"
        " WHERE order_id IN (%s, %s)",
        order,
        quota,
    )
    case = desk.complain(Matter.SOMETHING_ELSE, words="Nama saya Ani Lestari.")
    desk.act(case, CaseEvent.CLOSED, CaseOutcome.SOLVED)
    shop.work()
    return desk


def test_audit_holds_after_erasure_of_all_data(person: Person) -> None:
    shop = person.shop
    everything(person)
    holds(person)
    person.mails_leave()
    assert person.waits() == []
    person.asks()
    person.is_erased()
    assert person.state() == "erased"
    assert addresses(shop, "Ani Lestari") == []
    assert shop.rows("SELECT 1 FROM documents WHERE name_salt IS NULL AND kept_until <= now()")
    holds(person)


def test_erasure_waits_for_money_in_flight(person: Person) -> None:
    shop = person.shop
    order = shop.place(1)
    shop.make_qr(shop.attempts(order)[-1])
    person.asks()
    assert {"orders", "payments"} <= set(person.waits())
    [mail] = [one for one in person.mails() if one["template"] == "erasure_asked"]
    assert "order is still open" in mail["facts"]["waits"]["en"]
    person.is_erased()
    assert person.state() == "asked"
    shop.pay(order)
    shop.work()
    assert person.waits() == ["unused_stamps"]
    shop.ask_back(order)
    shop.work()
    assert {"refunds", "money_in_flight"} <= set(person.waits())
    refund = shop.refunds()[-1]
    shop.send(refund)
    shop.settle(refund)
    shop.work()
    assert person.waits() == []
    person.is_erased()
    assert person.state() == "erased"
    holds(person)


def test_payment_after_an_erasure_is_returned(person: Person) -> None:
    shop = person.shop
    order = shop.place(1)
    shop.make_qr(shop.attempts(order)[-1])
    shop.give_up(order, "lapsed")
    shop.arrange(
        "UPDATE payment_attempts SET state = 'expired', cancel_at = 'infinity', cancel_tries = 1"
    )
    person.asks()
    person.is_erased()
    assert person.state() == "erased"
    shop.pay(order)
    shop.work()
    assert not shop.refunds(), "late money is executed where it can be"
    person.pass_days(3)
    person.carry_out()
    shop.work()
    [refund] = shop.refunds()
    shop.send(refund)
    shop.settle(refund)
    shop.work()
    assert "refund_settled" not in {one["template"] for one in person.mails()}
    holds(person)


def test_erasure_waits_for_an_open_complaint_and_blanks_its_words(person: Person) -> None:
    desk = Desk(person.shop)
    case = desk.complain(Matter.SOMETHING_ELSE, words="Nama saya Ani Lestari.")
    person.asks()
    assert person.waits() == ["cases"]
    desk.act(case, CaseEvent.CLOSED, CaseOutcome.SOLVED)
    person.is_erased()
    assert person.state() == "erased"
    assert "case_messages.words" not in addresses(person.shop, "Ani Lestari")
    holds(person)


def test_erasure_of_the_last_owner_waits_and_a_member_leaves(person: Person) -> None:
    shop, me = person.shop, person.shop.account
    service = shop.container.of(OrganizationService)
    other = shop.do(shop.container.of(AccountService).create("budi@example.id", actor=TESTER))
    organization = shop.do(service.make(new_id(), me, "PT Contoh", "", "")).account
    person.asks()
    assert person.waits() == ["last_owner"]
    person.is_erased()
    assert person.state() == "asked"
    actor = member_actor(me)
    for email, role in (("budi@example.id", Role.OWNER), ("cici@example.id", Role.CLERK)):
        made = shop.do(service.invite(organization, email, role, None, "id", actor=actor))
        if role == Role.OWNER:
            link = service.link(organization, made.id).partition("=")[2]
            shop.do(service.accept(link, other))
    assert person.waits() == []
    person.is_erased()
    assert person.state() == "erased"
    assert [one.email for one in shop.do(service.members(organization))] == ["budi@example.id"]
    holds(person)


def test_erasure_of_staff_is_refused(person: Person) -> None:
    desk = staff_session(person.shop, "support")
    person.shop.account = desk.account
    with pytest.raises(StaffNotErased):
        person.asks()


def test_withdrawn_erasure_erases_nothing(person: Person) -> None:
    person.asks()
    person.cancels()
    assert person.state() == "withdrawn"
    person.is_erased()
    assert person.email
    assert {one["template"] for one in person.mails()} == {"erasure_asked", "erasure_withdrawn"}
    with pytest.raises(NotFound):
        person.cancels()
    holds(person)


class Killed(Exception):
    """Raised at the point where the process is killed."""


@pytest.mark.parametrize("room", ["notifications", "documents", "cases", "accounts"])
def test_killed_erasure_erases_nothing_and_is_repeated(
    person: Person, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    used_up(person)
    person.asks()
    person.pass_days(8)
    person.carry_out()
    person.pass_days(0.001)
    email, service = person.email, person.service
    done = type(service.rooms[room]).erase

    async def killed(self: Any, tx: Any, *more: Any) -> Any:
        found = await done(self, tx, *more)
        if self is service.rooms[room]:
            raise Killed
        return found

    with monkeypatch.context() as patch:
        patch.setattr("meterai.plumbing.db.personal.Personal.erase", killed)
        person.carry_out()
    assert person.state() == "closing"
    assert person.email == email
    holds(person)
    person.shop.arrange("DELETE FROM round_faults")
    person.carry_out()
    assert person.state() == "erased"
    holds(person)
