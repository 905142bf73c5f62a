"""Forms of outages that a browser can send, each with the preparation of its visitor."""

from tests.support.browser_forms import form, nobodys

FORMS = (
    form(
        "/outages/{outage_id:str}/copy", nobodys("out"), document="00" * 32, at="2026-09-03T20:00"
    ),
    form("/outages/{outage_id:str}/mine", nobodys("out"), about=nobodys("stg")),
    form("/console/outages", begin="2026-09-03T19:00", end="2026-09-03T21:00"),
)
