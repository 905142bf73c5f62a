"""Many documents, serials and codes checked by one call, through a whole instance."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from tests.flows.test_claims import other, scanned
from tests.support.instance import Client, Instance, Reply, until
from tests.support.money import payable
from tests.support.pdf import pdf

PATH = "/v1/verifications/batch"
LINES = "application/x-ndjson"
ENGLISH = {"Accept-Language": "en"}


class Given:
    """A stamped letter, its serial and code, and wrong variants of each."""

    def __init__(self, instance: Instance) -> None:
        self.anybody = instance.anybody()
        customer = instance.customer()
        order = customer.place(1)
        instance.bank.pay(payable(customer, order))
        until("a stamp is issued", lambda: customer.balance()["available"] == 1)
        stamping = customer.stamp(pdf()).json
        self.serial = stamping["serials"][0]
        self.good = customer.get(stamping["document_url"]).body
        until("it is genuine", lambda: self.anybody.verify(self.good)["verdict"] == "genuine")
        self.code = scanned(self.good)


@pytest.fixture(scope="module")
def given(instance: Instance) -> Iterator[Given]:
    yield Given(instance)
    instance.assert_audit_holds()


def sent(client: Client, files: list[tuple[str, bytes]], **headers: str) -> Reply:
    fields = [("document", one) for one in files]
    body, kind = urllib3.encode_multipart_formdata(fields)
    return client.post(PATH, body, headers=ENGLISH | {"Content-Type": kind} | headers)


def lines_of(*lines: object) -> bytes:
    texts = [one if isinstance(one, str) else json.dumps(one) for one in lines]
    return "\n".join(texts).encode()


def looked_up(client: Client, *lines: object) -> list[dict[str, Any]]:
    reply = client.post(PATH, lines_of(*lines), headers=ENGLISH | {"Content-Type": LINES})
    assert reply.status == 200, reply.body
    found: list[dict[str, Any]] = reply.json["rows"]
    return found


def bomb(size: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bom.pdf", bytes(size))
        archive.writestr("../../etc/passwd", b"root")
        archive.writestr("dalam.zip", b"PK\5\6" + bytes(18))
    return out.getvalue()


def locked(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, b"%PDF-1.7")
    found = bytearray(out.getvalue())
    found[found.rindex(b"PK\1\2") + 8] |= 1
    return bytes(found)


def test_each_item_has_a_row_in_the_order_sent(given: Given) -> None:
    lines = lines_of({"serial": given.serial, "id": "x-1"}, {"claim": given.code})
    files = [
        ("baik.pdf", given.good),
        ("bom.zip", bomb(200_000_000)),
        ("kunci.zip", locked("a.pdf")),
        ("foto.jpg", b"\xff\xd8\xff\xe0" + b"x" * 20),
        ("daftar.jsonl", lines),
        ("salinan.pdf", given.good),
    ]
    rows = sent(given.anybody, files).json["rows"]
    assert [one["row"] for one in rows] == list(range(1, 10))
    assert [(one["file"], one["kind"], one["verdict"], one["code"]) for one in rows] == [
        ("baik.pdf", "document", "genuine", None),
        ("bom.pdf", "document", "not_checked", "too_large"),
        ("../../etc/passwd", "document", "unreadable", None),
        ("dalam.zip", "document", "not_checked", "nested"),
        ("a.pdf", "document", "not_checked", "encrypted"),
        ("foto.jpg", "document", "not_checked", "photo"),
        (given.serial, "serial", "affixed", None),
        (given.code, "claim", "holds", None),
        ("salinan.pdf", "document", "genuine", None),
    ]
    assert rows[0]["serials"] == [given.serial]
    assert rows[0]["sealed_bytes"] == rows[0]["size_bytes"] == len(given.good)
    assert [rows[at]["shared_with"] for at in (0, 8)] == [["salinan.pdf"], ["baik.pdf"]]
    assert rows[6]["id"] == "x-1"
    assert all(one["remarks"] for one in rows if one["code"])


def test_invalid_lines_are_reported_and_stop_no_others(given: Given) -> None:
    rows = looked_up(
        given.anybody,
        {"serial": given.serial},
        "",
        "no json",
        {"serial": "AAAA"},
        {"claim": other(given.code)},
        {"claim": "x" * 3_000},
        {},
        {"serial": "a", "claim": "b"},
        {"serial": given.serial, "more": 1},
        {"claim": given.code},
    )
    assert [(one["verdict"], one["code"]) for one in rows] == [
        ("affixed", None),
        ("not_checked", "malformed"),
        ("not_checked", "not_found"),
        ("not_checked", "claim_forged"),
        ("not_checked", "malformed"),
        ("not_checked", "malformed"),
        ("not_checked", "malformed"),
        ("not_checked", "malformed"),
        ("holds", None),
    ]
    assert all(one["result"] for one in rows)


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"", "application/zip", 422, "document_missing"),
        (b"\n\n", LINES, 422, "document_missing"),
        (b"%PDF-1.7", "application/pdf", 415, "batch_unreadable"),
        (b"{}", "application/json", 415, "batch_unreadable"),
        (b"--x\r\n", "multipart/form-data; boundary=x", 422, "malformed"),
    ],
)
def test_request_without_anything_to_check_is_refused(
    given: Given, body: bytes, kind: str, status: int, code: str
) -> None:
    reply = given.anybody.post(PATH, body, headers={"Content-Type": kind})
    assert (reply.status, reply.json["code"]) == (status, code)


def test_ten_thousand_parts_are_refused_with_a_code(given: Given) -> None:
    files = [(f"{number}.txt", b"x") for number in range(10_000)]
    rows = sent(given.anybody, files).json["rows"]
    assert len(rows) == 501
    assert rows[-1]["code"] == "too_many"
    texts = [(f"f{number}", "x") for number in range(10_000)]
    body, kind = urllib3.encode_multipart_formdata(texts)
    refused = given.anybody.post(PATH, body, headers={"Content-Type": kind})
    assert (refused.status, refused.json["field"]) == (422, "body")
    assert refused.json["expected"] == "fields"


def test_truncated_form_is_reported_in_the_last_row(given: Given) -> None:
    body, kind = urllib3.encode_multipart_formdata(
        [("document", ("a.pdf", given.good)), ("document", ("b.pdf", given.good))]
    )
    reply = given.anybody.post(PATH, body[:-300], headers={"Content-Type": kind})
    rows = reply.json["rows"]
    assert [(one["verdict"], one["code"]) for one in rows] == [
        ("genuine", None),
        ("not_checked", "damaged"),
    ]
