"""Sign-in over HTTP, and the rights of a browser's session."""

import re
import uuid
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.support.instance import Client, Instance, Reply, until

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _post_form(client: Client, path: str, **fields: str) -> Reply:
    return client.post(path, urlencode(fields).encode(), headers=FORM)


def _signed_in(instance: Instance, address: str) -> str:
    anybody = instance.anybody()
    asked = _post_form(anybody, "/sign-in", email=address, next="/history")
    assert asked.status == 303, asked.body
    challenge = parse_qs(urlsplit(asked.headers["location"]).query)["challenge"][0]
    mails = until("the mail is there", lambda: instance.mails_to(address))
    found = re.search(r"\d{6}", mails[0]["subject"])
    assert found
    done = _post_form(anybody, "/sign-in/code", challenge=challenge, code=found[0], next="/history")
    assert done.status == 303, done.body
    cookie = re.search(r"session=[^;]+;[^,]*(?:,[^,=]*)?", done.headers["set-cookie"])
    assert cookie
    for promise in ("HttpOnly", "SameSite=lax", "Path=/"):
        assert promise in done.headers["set-cookie"][cookie.start() :]
    again = _post_form(
        anybody, "/sign-in/code", challenge=challenge, code=found[0], next="/history"
    )
    assert again.status == 422, "a code works once"
    return cookie[0].split(";")[0]


def test_session_may_read_over_the_api_but_not_command(instance: Instance) -> None:
    cookie = {"Cookie": _signed_in(instance, f"{uuid.uuid4().hex[:8]}@example.org")}
    anybody = instance.anybody()
    assert anybody.get("/history", headers=cookie).status == 200
    assert anybody.get("/v1/balance", headers=cookie).status == 200
    refused = anybody.post("/v1/orders", {"quantity": 1}, headers=cookie | {"Idempotency-Key": "a"})
    assert refused.status == 401
    assert refused.json["code"] == "api_key_required"


def test_form_from_a_foreign_page_is_refused(instance: Instance) -> None:
    headers = FORM | {"Origin": "https://evil.example"}
    body = urlencode({"email": "a@example.org", "next": "/"}).encode()
    assert instance.anybody().post("/sign-in", body, headers=headers).status == 403
