"""What a test of batches asks of an instance again and again."""

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
    """A document of its own for each name, the same every time."""
    return pdf(words=name)


def buy(instance: Instance, customer: Client, stamps: int) -> None:
    """More stamps in the account."""
    before = customer.balance()["available"]
    order = customer.place(stamps)
    instance.bank.pay(order["payment"]["qr_content"])
    until("stamps are issued", lambda: customer.balance()["available"] == before + stamps)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """An archive as any program packs it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def form(files: Mapping[str, bytes]) -> tuple[bytes, dict[str, str]]:
    """Files as parts of a form, and the headers with it."""
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
    """A batch of a customer, as an integrator works with it."""

    def __init__(self, customer: Client, reference: str | None = None, key: str = "") -> None:
        self.customer = customer
        self.key = key or uuid.uuid4().hex
        body = {} if reference is None else {"reference": reference}
        self.made = customer.post("/v1/batches", body, headers={"Idempotency-Key": self.key})
        assert self.made.status == 201, self.made.body
        self.path = f"/v1/batches/{self.made.json['id']}"

    def send(self, files: Mapping[str, bytes]) -> Any:
        """Files as parts of a form; what became of them."""
        body, headers = form(files)
        return self._taken(self.customer.post(f"{self.path}/files", body, headers=headers))

    def send_zip(self, archive: bytes) -> Reply:
        """Files in an archive."""
        headers = {"Content-Type": "application/zip"}
        return self.customer.post(f"{self.path}/files", archive, headers=headers)

    def rows(self, rows: Iterable[object]) -> Any:
        """Rows as JSON lines; bytes go as they are."""
        lines = [row if isinstance(row, bytes) else msgspec.json.encode(row) for row in rows]
        headers = {"Content-Type": "application/jsonl"}
        return self._taken(
            self.customer.post(f"{self.path}/rows", b"\n".join(lines), headers=headers)
        )

    def csv(self, table: bytes) -> Any:
        """Rows as a table."""
        headers = {"Content-Type": "text/csv"}
        return self._taken(self.customer.post(f"{self.path}/rows", table, headers=headers))

    def start(self, **body: object) -> Reply:
        """Begin."""
        return self.customer.post(f"{self.path}/start", dict(body))

    @property
    def now(self) -> Any:
        """The batch as it is."""
        return self._taken(self.customer.get(self.path))

    def ended(self, seconds: float = 90.0) -> Any:
        """The batch once it ended."""
        until("the batch ended", lambda: self.now["state"] in ENDED, seconds)
        return self.now

    def every(self, state: str = "") -> Sequence[Any]:
        """All rows."""
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
        """The files of the archive of results."""
        reply = self.customer.get(f"{self.path}/results.zip")
        assert reply.status == 200, reply.body
        with zipfile.ZipFile(io.BytesIO(reply.body)) as archive:
            return {one: archive.read(one) for one in archive.namelist()}

    def _taken(self, reply: Reply) -> Any:
        assert reply.status == 200, reply.body
        return reply.json
