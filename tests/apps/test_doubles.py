"""Doubled names are refused: in JSON, forms and headers."""

import json
from pathlib import Path

import pytest

from meterai.kit.refusal import Malformed
from meterai.payments.adapters.snap import NOTIFY_PATH, SNAP_QRIS
from meterai.payments.adapters.snap.reading import read_answer, read_notification
from meterai.payments.model import OutcomeUnknown, PaymentIdentity
from meterai.plumbing.http.requests import SINGLE_HEADERS
from meterai.stamping.model import read_placements
from tests.apps.test_edge import NEWS, a_key, run, signed
from tests.support.pdf import pdf
from tests.support.within import Asking, Given, Within

PLACE = b'{"page": 1, "x": 60, "y": 60, "width": 80}'


def part(name: str, content: bytes, file_name: str | None = None) -> bytes:
    file = f'; filename="{file_name}"' if file_name is not None else ""
    head = f'--zz\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + content + b"\r\n"


DOCUMENT = part("document", pdf(), "a.pdf")
FORMS = {
    "document": DOCUMENT + part("document", pdf(2), "b.pdf") + part("placement", PLACE),
    "placement": DOCUMENT + part("placement", PLACE) + part("placement", PLACE),
    "other": DOCUMENT + part("placement", PLACE) + part("other", b"") + part("other", b"x", "f"),
}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b'{"page": 1, "x": 1, "y": 1, "x": 900}', "x"),
        (b'[{"page": 1, "page": 2, "x": 1, "y": 1}]', "page"),
        (b'[{"page": 1, "x": 1, "y": 1}, {"page": 1, "x": 1, "y": 1, "\\u0079": 2}]', "y"),
    ],
)
def test_placement_with_doubled_name_is_refused(text: bytes, name: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_placements(text)
    assert refused.value.field == f"placement.{name}"


@pytest.mark.parametrize(
    "body",
    [
        b'{"latestTransactionStatus": "00", "latestTransactionStatus": "06"}',
        b'{"amount": {"value": "1.00", "value": "2.00"}}',
        b'{"additionalInfo": {"payments": [{"rrn": "1", "rrn": "2"}]}}',
    ],
)
def test_bank_message_with_doubled_name_is_not_read(body: bytes) -> None:
    # The signed notification is kept nevertheless, in suspense as unreadable.
    assert not read_notification(body).is_readable
    with pytest.raises(OutcomeUnknown):
        read_answer("51", 200, body, PaymentIdentity())


async def posted(web: Within, body: bytes, headers: dict[str, str], path: str) -> Given:
    kind = {"Content-Type": "multipart/form-data; boundary=zz", "Idempotency-Key": "twice"}
    return await web.post(path, body + b"--zz--\r\n", kind | headers)


def test_doubled_field_is_named(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within) -> None:
        key = await a_key(web)
        for name, body in FORMS.items():
            given = await posted(web, body, key, "/v1/stampings")
            told = json.loads(given.body)
            assert (given.status, told["code"], told["field"]) == (422, "malformed", name)
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        given = await web.post("/sign-in", b"email=a%40b.id&email=c%40d.id", kind)
        assert given.status == 422

    run(database_url, tmp_path, act)


async def doubled(web: Within, method: str, path: str, name: str, more: list[tuple[bytes, bytes]],
                  body: bytes = b"") -> Given:  # fmt: skip
    told = [value for known, value in more if known == name.encode()] or [b"x"]
    rest = [one for one in more if one[0] != name.encode()]
    twice = [(name.encode(), told[0]), (name.encode(), told[0])]
    return await web.ask(Asking(method, path.encode(), [*rest, *twice], body))


def test_doubled_single_header_is_refused(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within) -> None:
        key = await a_key(web)
        known = [(b"authorization", key["Authorization"].encode()), (b"content-type", b"x/y")]
        of_bank = [
            (name.lower().encode(), value.encode())
            for name, value in (signed(NEWS) | {"Content-Length": str(len(NEWS))}).items()
        ]
        for name in SINGLE_HEADERS:
            given = await doubled(web, "GET", "/v1/balance", name, known)
            told = json.loads(given.body)
            assert (given.status, told["code"], told["header"]) == (400, "header_doubled", name)
            page = await doubled(web, "GET", "/check", name, [(b"accept", b"text/html")])
            assert page.status == 400
            assert page.header("content-type").startswith("text/html")
        for name in (*SINGLE_HEADERS, *SNAP_QRIS.endpoints[0].headers):
            news = await doubled(web, "POST", NOTIFY_PATH, name, of_bank, NEWS)
            assert news.status == 400
            assert json.loads(news.body)["responseCode"] == "4005200"
        [row] = await web.container.database.read("SELECT count(*) AS n FROM notification_inbox")
        assert row["n"] == 0

    run(database_url, tmp_path, act)
