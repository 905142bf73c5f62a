"""An organization over HTTP: it is made, invites a clerk by mail, and the clerk stamps from its balance until
the role ends."""

import re
import uuid
from collections.abc import Iterator
from html import unescape

import httpx
import pytest

from meterai.kit.ids import new_id, show
from meterai.plumbing.messages import translate
from tests.support.instance import Client, Instance, until
from tests.support.money import payable
from tests.support.walk_in import WalkIn, fields

NAME = "PT <b>Contoh</b> & Rekan"
MEMBERS, INVITE = "/account/members", "/account/members/invitations"


class Person(WalkIn):
    """A person with a browser, who reads the mails of an address."""

    def __init__(self, instance: Instance, name: str) -> None:
        super().__init__(httpx.Client(base_url=instance.url, timeout=60))  # type: ignore[arg-type]
        self.instance = instance
        self.codes_read = 0
        self.email = f"{name}-{uuid.uuid4().hex[:8]}@example.org"

    def mail(self, what: str, pattern: str) -> str:
        """The text that the pattern finds in the newest mail."""

        def came() -> list[str]:
            mails = self.instance.mails_to(self.email)
            return [found[1] for one in mails if (found := re.search(pattern, str(one)))]

        found: list[str] = until(f"a mail with {what}", came)
        return found[0]

    def code(self) -> str:
        """The code of the newest mail. It differs from all earlier codes."""

        def came() -> list[str]:
            subjects = [one["subject"] for one in self.instance.mails_to(self.email)]
            codes = [one for text in subjects for one in re.findall(r"\d{6}", text)]
            return codes if len(codes) > self.codes_read else []

        found: list[str] = until("a code", came)
        self.codes_read = len(found)
        return found[0]

    def enters(self) -> "Person":
        self.signs_in(self.email)
        return self

    def acts_for(self, name: str) -> None:
        """Choose the account to act for on its page."""
        page = self.get("/account/acting")
        found = re.search(
            rf'value="(acc_\w+)">{re.escape(translate("page.acting.button", "en", name=name))}',
            unescape(page),
        )
        assert found, page
        form = fields(page, "/account/acting") | {"account": found[1]}
        assert self.goes("/account/acting", form) == "/account"

    def is_refused(self, path: str, form: dict[str, str] | None = None) -> str:
        """The code with which a form is refused."""
        answer = self.client.get(path) if form is None else self.sends(path, form)
        found = re.search(r'data-refusal="\d+ (\w+)"', answer.text)
        assert found, (answer.status_code, answer.text)
        return found[1]


@pytest.fixture
def owner(instance: Instance) -> Iterator[Person]:
    found = Person(instance, "ani")
    with found.client:
        yield found.enters()


@pytest.fixture
def clerk(instance: Instance) -> Iterator[Person]:
    found = Person(instance, "budi")
    with found.client:
        yield found.enters()


def makes(owner: Person) -> None:
    """Make an organization with an unusual number; its owner acts for it from then on."""
    form = fields(owner.get("/account/organizations/new"), "/account/organizations/new")
    typed = {"organization": NAME, "npwp": "01.234.567.8-901.000", "nib": "12"}
    made = owner.sends("/account/organizations/new", form | typed)
    assert made.status_code == 200, made.text
    assert translate("page.organization.warns.nib", "en") in made.text
    assert translate("page.organization.warns.npwp", "en") not in made.text
    owner.acts_for(NAME)
    assert "You are acting for PT &lt;b&gt;Contoh&lt;/b&gt; &amp; Rekan." in owner.get("/help")


def key_of(owner: Person) -> Client:
    form = fields(owner.get("/account/keys"), "/account/keys", "name") | {"name": "kasir"}
    made = owner.sends("/account/keys", form)
    found = re.search(r">(mtr_\w+[^<]*)</textarea>", made.text)
    assert found, made.text
    return Client(owner.instance.url, unescape(found[1]))


def invites(owner: Person, clerk: Person, limit: str = "") -> str:
    """Invite a person as a clerk, and return the path of the link in the mail."""
    form = fields(owner.get(MEMBERS), INVITE, "email")
    told = form | {"email": clerk.email, "role": "clerk", "stamps_per_month": limit}
    assert owner.goes(INVITE, told) == f"{MEMBERS}#invitations"
    return clerk.mail("an invitation", r"(/invitations\?invitation=[\w-]{84})")


def accepts(clerk: Person, link: str) -> None:
    form = fields(clerk.get(link), "/invitations", "invitation")
    assert clerk.goes("/invitations", form) == "/account/acting"
    clerk.acts_for(NAME)


def stamps(clerk: Person, name: str) -> str:
    """Stamp a document from the balance, and return the address to which the form leads."""
    page = clerk.places(name)
    form = fields(page, "/stamp/pay", "draft")
    assert form["pay"] == "balance"
    return clerk.goes("/stamp/pay", form)


def test_clerk_stamps_for_its_organization_until_its_role_ends(
    instance: Instance, owner: Person, clerk: Person
) -> None:
    makes(owner)
    api = key_of(owner)
    instance.bank.pay(payable(api, api.place(3)))
    until("stamps are issued", lambda: api.balance()["available"] == 3)

    link = invites(owner, clerk, limit="1")
    assert owner.is_refused(link) == "invitation_for_another"
    accepts(clerk, link)
    assert clerk.is_refused(link) == "invitation_spent"
    members = api.get("/v1/members").json["members"]
    assert {(one["role"], one["stamps_per_month"]) for one in members} == {
        ("owner", None),
        ("clerk", 1),
    }
    organization = api.get("/v1/organization").json
    assert (organization["name"], organization["unknown_formats"]) == (NAME, ["nib"])

    shown = stamps(clerk, "surat.pdf")
    until("the document is stamped", lambda: api.balance()["used"] == 1)
    assert translate("page.stamping.download", "en") in clerk.get(shown)
    assert clerk.is_refused("/buy") == "not_permitted"
    account = clerk.get("/account")
    for hidden in ('href="/account/keys"', 'href="/buy"'):
        assert hidden not in account
    bought = fields(clerk.places("beli.pdf"), "/stamp/pay", "draft") | {"pay": "qris"}
    assert clerk.sends("/stamp/pay", bought).status_code == 403
    over = clerk.sends("/stamp/pay", bought | {"pay": "balance"})
    assert over.status_code == 409
    assert "Your limit this month is 1 stamp; you have 0 left" in over.text
    assert api.balance()["available"] == 2

    page = owner.get(MEMBERS)
    [end] = re.findall(rf'action="({MEMBERS}/mem_\w+/end)"', page)
    assert owner.goes(end, fields(page, end)) == MEMBERS
    until("the role has ended", lambda: clerk.client.get("/stamp").text.count("has ended"))
    assert clerk.is_refused("/stamp/pay", bought | {"pay": "balance"}) == "membership_ended"
    refused = clerk.client.get("/history")
    assert refused.status_code == 403
    assert 'class="button" href="/account/acting"' in refused.text
    choice = clerk.get("/account/acting")
    assert translate("page.acting.over", "en") in choice
    assert NAME not in unescape(choice)
    clerk.acts_for(translate("page.acting.own", "en"))
    assert "surat.pdf" not in clerk.get("/history")
    assert "surat.pdf" in owner.get("/history"), "nothing is lost"
    assert api.balance() == {"available": 2, "held": 0, "used": 1}
    instance.assert_audit_holds()


def test_replaced_and_withdrawn_invitations_are_refused(owner: Person, clerk: Person) -> None:
    makes(owner)
    former = invites(owner, clerk)
    page = owner.get(MEMBERS)
    again = fields(page, INVITE, "email") | {"email": clerk.email.upper(), "role": "auditor"}
    assert owner.goes(INVITE, again) == f"{MEMBERS}#invitations"

    def newer() -> str:
        link = clerk.mail("an invitation", r"(/invitations\?invitation=[\w-]{84})")
        return "" if link == former else link

    link: str = until("the later invitation", newer)
    assert clerk.is_refused(former) == "invitation_spent"
    assert clerk.is_refused(link[:-1]) == "invitation_spent", "cut by a mail program"
    form = fields(clerk.get(link), "/invitations", "invitation")
    [withdraw] = re.findall(rf'action="({INVITE}/inv_\w+/withdraw)"', owner.get(MEMBERS))
    owner.goes(withdraw, fields(owner.get(MEMBERS), withdraw))
    assert clerk.is_refused("/invitations", form) == "invitation_spent"


def test_acting_for_a_foreign_organization_is_refused(owner: Person, clerk: Person) -> None:
    makes(owner)
    [organization] = re.findall(r'"id":"(acc_\w+)"', owner.client.get("/v1/organization").text)
    mine = fields(clerk.get("/account"), "/sign-out")
    for account in (organization, show("acc", new_id())):
        assert clerk.is_refused("/account/acting", mine | {"account": account}) == "not_found"


def test_fresh_proof_keeps_the_account_of_the_session(owner: Person) -> None:
    makes(owner)
    asked = owner.goes("/sign-in", {"email": owner.email, "next": MEMBERS})
    form = fields(owner.get(asked), "/sign-in/code", "code")
    assert owner.goes("/sign-in/code", form | {"code": owner.code()}) == MEMBERS
    assert NAME in unescape(owner.get(MEMBERS))
