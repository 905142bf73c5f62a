"""The required form of every refusal, and hostile texts that must do no harm."""

import uuid
from typing import Any

import urllib3

from meterai.plumbing.messages import catalogue
from tests.support.instance import Client, Reply

NASTY = [
    "'; DROP TABLE orders; --",
    "' OR '1'='1",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}${7*7}%s%(x)s",
    "../../../../etc/passwd",
    "\u202etxt.exe",
    "a" * 3_000,
]


def a_key() -> dict[str, str]:
    """A new Idempotency-Key."""
    return {"Idempotency-Key": str(uuid.uuid4())}


def assert_refused(reply: Reply, status: int, *codes: str) -> None:
    """Check that a refusal has the form of RFC 9457, one of these codes, and a sentence in both languages."""
    assert reply.status == status, (reply.status, reply.body)
    assert reply.headers["content-type"] == "application/problem+json"
    problem = reply.json
    assert problem["status"] == status
    assert problem["code"] in codes
    texts = catalogue()[f"refusal.{problem['code']}"]
    assert set(texts) == {"id", "en"}
    assert problem["title"]
    assert "{" not in problem["title"]


def form(customer: Client, fields: Any) -> Reply:
    """Send a multipart form to stamp a document."""
    body, kind = urllib3.encode_multipart_formdata(fields)
    return customer.post("/v1/stampings", body, headers=a_key() | {"Content-Type": kind})
