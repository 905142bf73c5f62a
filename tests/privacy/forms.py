"""Forms of privacy that a browser may send, each as a visitor comes to send it."""

from tests.support.browser_forms import form

FORMS = (
    form("/privacy/mine/copy"),
    form("/privacy/mine/copy.zip"),
    form("/privacy/mine/erasure"),
    form("/privacy/mine/erasure/withdraw"),
    form("/privacy/mine/consents", room="waiting_room", word="turn_near", which="a"),
)
