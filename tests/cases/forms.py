"""Forms of cases that a browser can send, each with the preparation of its visitor."""

from collections.abc import Callable

from tests.support.browser_forms import Case, Sent, Visitor, form, nobodys


def _complaint(visitor: Visitor) -> Sent:
    fields = {"matter": "something_else", "words": "Tolong.", "about": ""}
    return visitor.form("/complaints", "/complaints/new", **fields)


def _with_case(act: str, **fields: str) -> Callable[[Visitor], Sent]:
    """A form of the page of a complaint."""

    def fill(visitor: Visitor) -> Sent:
        reply = visitor.sends(_complaint(visitor))
        assert reply.status == 303, reply.body
        return visitor.form(f"{reply.headers['location']}/{act}", **fields)

    return fill


FORMS = (
    Case("/complaints", _complaint),
    form("/complaints/unsigned", email="a@example.org", matter="something_else", words="Tolong."),
    Case("/complaints/{case_id:str}/messages", _with_case("messages", words="Halo.")),
    Case("/complaints/{case_id:str}/accept", _with_case("accept")),
    form("/console/cases", matter="paid_twice", words="Halo."),
    form("/console/cases/{case_id:str}", nobodys("cas"), act="own"),
)
