"""Forms of incidents that a browser can send, each with the preparation of its visitor."""

from tests.support.browser_forms import form, nobodys

FORMS = (
    form("/status/subscribe", email="a@example.org"),
    form("/status/subscription/{shown:str}/{secret:str}", nobodys("sub"), "a" * 24, do="confirm"),
)
