"""Forms of the portal that a browser can send, each with the preparation of its visitor."""

from meterai.accounts import CodeService
from meterai.room import Container
from tests.support.browser_forms import Case, Sent, Visitor, form

NOBODYS_ACCOUNT = {"bank_code": "014", "account_no": "1234567890", "holder": "Budi Santoso"}


def _pay(visitor: Visitor, documents: int, by: str) -> Sent:
    visitor.places(documents)
    return visitor.form("/stamp/pay", "/stamp/pay", pay=by)


def _from_balance(visitor: Visitor) -> Sent:
    visitor.buys()
    return _pay(visitor, 2, "balance")


def _signs_in_to_pay(visitor: Visitor) -> Sent:
    """The button that proves the address and orders."""
    del visitor.cookies["session"]
    visitor.places()
    there, page = "/stamp/pay/sign-in", "/stamp/pay"
    visitor.keeps_cookies(visitor.sends(visitor.form(there, page, email=visitor.email)))
    newest = (
        "SELECT challenge_id FROM sign_in_challenges WHERE email = %s"
        " ORDER BY challenge_id DESC LIMIT 1"
    )
    [row] = visitor.inside.rows(newest, visitor.email)

    async def code(container: Container) -> str:
        return container.of(CodeService).code(row["challenge_id"])

    return visitor.form(there, page, code=visitor.inside.ask(code))


def _too_few(visitor: Visitor) -> Sent:
    visitor.buys(1)
    return _pay(visitor, 2, "balance")


def _lapsed(visitor: Visitor) -> Sent:
    order = visitor.orders()
    visitor.sends(visitor.form(f"{order}/withdraw"))
    return visitor.form(f"{order}/reorder")


def _another_way(visitor: Visitor) -> Sent:
    return visitor.form(f"{visitor.orders()}/pay-by", payment_method="qris")


def _paid(visitor: Visitor) -> Sent:
    return visitor.form(f"{visitor.orders()}/paid")


FORMS = (
    Case("/stamp/pay", _from_balance, "from the balance"),
    Case("/stamp/pay", _too_few, "from a balance that is too low"),
    Case("/stamp/pay", lambda one: _pay(one, 2, "qris"), "by QRIS"),
    Case("/stamp/pay/sign-in", _signs_in_to_pay),
    Case("/buy", lambda one: one.form("/buy", "/buy", quantity="2")),
    Case("/orders/{order_id:str}/withdraw", lambda one: one.form(f"{one.orders()}/withdraw")),
    Case("/orders/{order_id:str}/paid", _paid),
    Case("/orders/{order_id:str}/pay-by", _another_way),
    Case("/orders/{order_id:str}/reorder", _lapsed),
    Case("/orders/{order_id:str}/give-back", lambda one: one.form(f"{one.buys()}/give-back")),
    form("/refunds/account", **NOBODYS_ACCOUNT),
    form("/claims", claim="none", **NOBODYS_ACCOUNT),
)
