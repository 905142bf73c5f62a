"""Forms of privacy that a browser can send, each with the preparation of its visitor."""

from tests.support.browser_forms import form

FORMS = (
    form("/privacy/mine/copy"),
    form("/privacy/mine/copy.zip"),
    form("/privacy/mine/erasure"),
    form("/privacy/mine/erasure/withdraw"),
    form("/privacy/mine/consents", room="waiting_room", word="turn_near", which="a"),
)
