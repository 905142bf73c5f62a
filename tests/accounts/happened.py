"""People who sign in, with keys and a passkey; staff, an organization."""

import secrets
from datetime import UTC, datetime, timedelta

from meterai.accounts import (
    PERMISSIONS,
    AccountService,
    CodeService,
    KeyTerms,
    OrganizationService,
    PasskeyService,
    Permission,
    Role,
    StaffRole,
    end_staff_role,
    give_staff_role,
)
from meterai.accounts.members import member_actor
from meterai.accounts.model import Invitation, Replacement
from meterai.kit.ids import new_id, read
from meterai.stamping import StampingService, Upload
from meterai.stamping.model import read_placements
from tests.support.desk import authenticator_of, make_passkey
from tests.support.history import PLACE, History
from tests.support.pdf import pdf
from tests.support.shop import TESTER, Shop


def happen(history: History) -> None:
    _sign_in(history)
    _roles(history)
    _organization(history)


def _sign_in(history: History) -> None:
    shop, service = history.shop, history.shop.container.of(AccountService)
    [row] = shop.rows("SELECT email FROM accounts WHERE account_id = %s", shop.account)
    codes = shop.container.of(CodeService)
    challenge = shop.do(codes.ask_for_code(row["email"], "192.0.2.1", "id"))
    shop.do(codes.sign_in(challenge, codes.code(challenge), "id"))
    shop.do(service.create_api_key(shop.account, "history", actor=TESTER))
    _replaced_key(shop)
    _passkey(shop)
    history.names["other"] = shop.do(service.create(f"{new_id().hex}@example.id", actor=TESTER))
    shop.work()


def _replaced_key(shop: Shop) -> None:
    """A key with scopes and an end, and its successor."""
    service, key = shop.container.of(AccountService), new_id()
    scopes = frozenset({Permission.ORDER_READ, Permission.ORDER_CREATE})
    ends = datetime.now(UTC) + timedelta(days=90)
    terms = KeyTerms(scopes, ends, shop.account, PERMISSIONS[Role.OWNER])
    shop.do(service.create_api_key(shop.account, "kasir", actor=TESTER, key=key, terms=terms))
    wish = Replacement(key, 24, new_id())
    shop.do(service.replace_api_key(shop.account, wish, actor=TESTER, terms=terms))


def _passkey(shop: Shop) -> None:
    """A passkey that signed in."""
    service, device = (
        shop.container.of(PasskeyService),
        authenticator_of(shop.container.settings),
    )
    shop.do(make_passkey(service, shop.account, device))
    asked = service.ask_to_sign_in()
    shop.do(service.sign_in(device.sign(asked.options), asked.cookie))


def _roles(history: History) -> None:
    """Staff, some of whom have left."""
    shop, other = history.shop, history["other"]

    async def give() -> None:
        async with shop.container.database.transaction() as tx:
            for one in (StaffRole.SUPPORT, StaffRole.FINANCE):
                await give_staff_role(tx, other, one, actor=TESTER)
            await end_staff_role(tx, other, StaffRole.FINANCE, actor=TESTER)

    passkeys = shop.container.of(PasskeyService)
    shop.do(make_passkey(passkeys, other, authenticator_of(shop.container.settings)))
    shop.do(give())


def _organization(history: History) -> None:
    """An organization with its invitations, and a clerk with a limit, who ordered the stamps of a document."""
    shop, owner = history.shop, history["other"]
    service, of_owner = shop.container.of(OrganizationService), member_actor(owner)
    name, npwp, nib = "PT Contoh", "01.234.567.8-901.000", "baru"
    organization = shop.do(service.make(new_id(), owner, name, npwp, nib)).account
    [row] = shop.rows("SELECT email FROM accounts WHERE account_id = %s", shop.account)

    def invite(email: str, role: Role, limit: int | None = None) -> Invitation:
        return shop.do(service.invite(organization, email, role, limit, "id", actor=of_owner))

    invite("tamu@example.id", Role.AUDITOR)
    invite("tamu@example.id", Role.FINANCE)  # replaces the previous invitation
    cancelled = invite("lain@example.id", Role.OWNER)
    shop.do(service.withdraw(organization, cancelled.id, actor=of_owner))
    link = service.link(organization, invite(row["email"], Role.CLERK, 1).id)
    shop.do(service.accept(link.partition("=")[2], shop.account))
    clerk = shop.do(service.members(organization))[-1]
    for role, limit in ((Role.CLERK, 5), (Role.OWNER, 6)):
        number = read("mem", clerk.id)
        shop.do(service.change(organization, number, role, limit, actor=of_owner))
    upload = Upload("anggota.pdf", pdf(words="anggota"), read_placements(PLACE % 60))
    stamping = shop.container.of(StampingService)
    key = secrets.token_hex(8)
    shop.do(stamping.order(organization, key, [upload], member=shop.account))
    history.names["organization"] = organization
    shop.work()
