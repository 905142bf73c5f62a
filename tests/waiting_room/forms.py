"""Forms of the waiting room that a browser can send, each with the preparation of its visitor."""

from tests.support.browser_forms import form

FORMS = (
    form("/lines/{name:str}/leave", "pembelian", next="/"),
    form("/lines/{name:str}/tell", "pembelian", next="/"),
)
