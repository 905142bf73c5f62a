"""Forms of incidents that a browser may send, each as a visitor comes to send it."""

from tests.support.browser_forms import form, nobodys

FORMS = (
    form("/status/subscribe", email="a@example.org"),
    form("/status/subscription/{shown:str}/{secret:str}", nobodys("sub"), "a" * 24, do="confirm"),
)
