"""Forms of the console that a browser can send, each with the preparation of its visitor."""

from tests.support.browser_forms import form, nobodys

FORMS = (
    form("/console"),
    form("/console/levers/{name:str}", "issuing.stop", reason="a"),
    form("/console/approvals/{request_id:str}", nobodys("apr"), note="a"),
    form("/console/approvals/{request_id:str}/withdraw", nobodys("apr")),
)
