"""Forms of batches that a browser can send, each with the preparation of its visitor."""

from tests.support.browser_forms import form, nobodys

FORMS = (
    form("/batches", key="0" * 32),
    form("/batches/{batch_id:str}/start", nobodys("bat")),
    form("/batches/{batch_id:str}/cancel", nobodys("bat")),
)
