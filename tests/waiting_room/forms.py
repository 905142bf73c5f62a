"""Forms of the waiting room that a browser may send, each as a visitor comes to send it."""

from tests.support.browser_forms import form

FORMS = (
    form("/lines/{name:str}/leave", "pembelian", next="/"),
    form("/lines/{name:str}/tell", "pembelian", next="/"),
)
