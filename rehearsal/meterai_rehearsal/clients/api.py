"""Requests of the API as prepared bytes, cheap enough for thousands.

`key` is an API key; `number` gives a request its own Idempotency-Key.
"""

from collections.abc import Iterator, Sequence
from itertools import cycle

import msgspec

from meterai_rehearsal.clients.connection import request
from meterai_rehearsal.clients.sites import Site

_BOUNDARY = "4e1f0c7ab2d94c55"
_FORM = (
    f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="placement"\r\n\r\n'
    '{"page": -1, "x": 20, "y": 20, "width": 70}\r\n'
    f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="document"; filename="surat.pdf"\r\n'
    "Content-Type: application/pdf\r\n\r\n"
).encode()
_FORM_END = f"\r\n--{_BOUNDARY}--\r\n".encode()


def bearer(key: str) -> dict[str, str]:
    """Return the header with an API key."""
    return {"Authorization": f"Bearer {key}"}


def get(site: Site, path: str, key: str) -> bytes:
    """Return a request that reads a resource of the account."""
    return request(site, "GET", path, bearer(key))


def check(site: Site, document: bytes) -> bytes:
    """Return a request that checks a document, without an account."""
    return request(site, "POST", "/v1/verifications", {"Content-Type": "application/pdf"}, document)


def pay(bank: Site, qr: str) -> bytes:
    """Return a request that pays a QR at the stand-in bank."""
    body = msgspec.json.encode({"qr_content": qr})
    return request(bank, "POST", "/standin/pay", {"Content-Type": "application/json"}, body)


def orders(
    site: Site, keys: Sequence[str], numbers: Iterator[int], quantity: int = 1, *, with_qr: bool
) -> Iterator[bytes]:
    """Yield requests for orders endlessly, each with the next of these API keys. If `with_qr` is false, the
    answer to a request does not wait for the QR.
    """
    body = b'{"quantity":%d}' % quantity
    more = {"Content-Type": "application/json"} | ({} if with_qr else {"Prefer": "respond-async"})
    heads = [request(site, "POST", "/v1/orders", bearer(key) | more, body) for key in keys]
    for first, rest in cycle([head.split(b"\r\n", 1) for head in heads]):
        yield b"%b\r\nIdempotency-Key: order-%012d\r\n%b" % (first, next(numbers), rest)


def stamping(site: Site, key: str, number: int, document: bytes) -> bytes:
    """Return a request that stamps a document."""
    told = {
        "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
        "Idempotency-Key": f"stamping-{number:012}",
    }
    body = b"".join((_FORM, document, _FORM_END))
    return request(site, "POST", "/v1/stampings", bearer(key) | told, body)
