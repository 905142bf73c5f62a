"""Requests of a customer who stamps batches, for tests against an instance."""

import io
import uuid
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from tests.support.instance import Client, Instance, Reply, until
from tests.support.pdf import pdf

ENDED = ("finished", "cancelled")
RECTANGLE = {"page": 1, "x": 60, "y": 60, "width": 80}


@cache
def letter(name: str) -> bytes:
    """A document that depends on its name alone."""
    return pdf(words=name)


def buy(instance: Instance, customer: Client, stamps: int) -> None:
    """Add stamps to the balance of the account."""
    before = customer.balance()["available"]
    order = customer.place(stamps)
    instance.bank.pay(order["payment"]["qr_content"])
    until("stamps are issued", lambda: customer.balance()["available"] == before + stamps)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def form(files: Mapping[str, bytes]) -> tuple[bytes, dict[str, str]]:
    """Files as parts of a multipart form, and the headers of the request."""
    boundary = uuid.uuid4().hex
    parts = [
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="document"; filename="{name}"\r\n'
            "Content-Type: application/pdf\r\n\r\n"
        ).encode()
        + content
        + b"\r\n"
        for name, content in files.items()
    ]
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


class Batching:
    """A batch of a customer, used as an integrator uses it."""

    def __init__(self, customer: Client, reference: str | None = None, key: str = "") -> None:
        self.customer = customer
        self.key = key or uuid.uuid4().hex
        body = {} if reference is None else {"reference": reference}
        self.made = customer.post("/v1/batches", body, headers={"Idempotency-Key": self.key})
        assert self.made.status == 201, self.made.body
        self.path = f"/v1/batches/{self.made.json['id']}"

    def send(self, files: Mapping[str, bytes]) -> Any:
        """Send files as parts of a form, and return the result."""
        body, headers = form(files)
        return self._taken(self.customer.post(f"{self.path}/files", body, headers=headers))

    def send_zip(self, archive: bytes) -> Reply:
        """Send files in an archive."""
        headers = {"Content-Type": "application/zip"}
        return self.customer.post(f"{self.path}/files", archive, headers=headers)

    def rows(self, rows: Iterable[object]) -> Any:
        """Send rows as JSON lines. Bytes are sent unchanged."""
        lines = [row if isinstance(row, bytes) else msgspec.json.encode(row) for row in rows]
        headers = {"Content-Type": "application/jsonl"}
        return self._taken(
            self.customer.post(f"{self.path}/rows", b"\n".join(lines), headers=headers)
        )

    def csv(self, table: bytes) -> Any:
        """Send rows as a CSV table."""
        headers = {"Content-Type": "text/csv"}
        return self._taken(self.customer.post(f"{self.path}/rows", table, headers=headers))

    def start(self, **body: object) -> Reply:
        """Start the batch."""
        return self.customer.post(f"{self.path}/start", dict(body))

    @property
    def now(self) -> Any:
        """The batch in its current state."""
        return self._taken(self.customer.get(self.path))

    def ended(self, seconds: float = 90.0) -> Any:
        """Wait until the batch has ended, and return it."""
        until("the batch ended", lambda: self.now["state"] in ENDED, seconds)
        return self.now

    def every(self, state: str = "") -> Sequence[Any]:
        """All rows of the batch, optionally those in one state."""
        found: list[Any] = []
        after = 0
        while True:
            query = f"?after={after}" + (f"&state={state}" if state else "")
            page = self._taken(self.customer.get(f"{self.path}/rows{query}"))
            found += page["rows"]
            if page["next"] is None:
                return found
            after = page["next"]

    def results(self) -> dict[str, bytes]:
        """Files in the archive of results, by name."""
        reply = self.customer.get(f"{self.path}/results.zip")
        assert reply.status == 200, reply.body
        with zipfile.ZipFile(io.BytesIO(reply.body)) as archive:
            return {one: archive.read(one) for one in archive.namelist()}

    def _taken(self, reply: Reply) -> Any:
        assert reply.status == 200, reply.body
        return reply.json
