"""Forms of distributors and resellers that a browser can send, each with the preparation of its visitor."""

from tests.support.browser_forms import form, nobodys

FORMS = (
    form("/s", to="buy"),
    form("/s/{slug:str}", "nobody-at-all", to="buy"),
    form("/account/shop", slug="toko", colour="#1f4e79", terms=""),
    form("/account/shop/logo", none="1"),
    form("/deposit/top-up", rupiah="10000", key=nobodys("frm")),
    form("/sales", email="a@example.org", quantity="1", key=nobodys("frm")),
    form("/sales/offers", distributor=nobodys("acc"), act="accept"),
    form("/resellers", account=nobodys("acc"), name="a", fee="0", day_rupiah="1"),
    form("/resellers/{reseller_id:str}", nobodys("acc"), name="a", fee="0", day_rupiah="1"),
    form("/resellers/{reseller_id:str}/act", nobodys("acc"), act="pause"),
)
