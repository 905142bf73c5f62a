"""Uploads over real sockets: connections are cut within parts and the web is killed. The file arrives whole,
and little is sent twice."""

import hashlib
import io
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from urllib.parse import urlsplit

import pikepdf
import pytest
import urllib3

from meterai.drafts.model import PART_BYTES_MAX
from meterai.kit.ids import read
from tests.support.inside import Inside
from tests.support.instance import Reply, until
from tests.support.killing import again, kill
from tests.support.pdf import pdf

pytestmark = pytest.mark.sample(1, of="file")

PATH = "/stamp/uploads"
SENT_TWICE_MAX = 512 * 1024
LENGTH = 5 * PART_BYTES_MAX + 200_000


def large() -> bytes:
    """A document of five full parts and a smaller last one."""
    with pikepdf.open(io.BytesIO(pdf(words="Surat kuasa"))) as document:
        document.Root.Attached = document.make_stream(Random(7).randbytes(LENGTH))
        written = io.BytesIO()
        document.save(written)
    return written.getvalue()


CONTENT = large()


@dataclass
class Sender:
    """A client that sends a file in parts, and counts the bytes that it sent."""

    inside: Inside
    cookie: str = ""
    path: str = ""
    sent: int = 0

    def begin(self) -> None:
        client = self.inside.instance.anybody()
        told = {"Upload-Complete": "?0", "Upload-Length": str(len(CONTENT))}
        reply = client.post(PATH, b"", headers=told)
        assert reply.status == 201, reply.body
        self.cookie = reply.headers["set-cookie"].partition(";")[0]
        self.path = reply.headers["location"]

    def ask(self, method: str, body: bytes | None = None, **headers: str) -> Reply:
        told = {"Cookie": self.cookie} | {k.replace("_", "-"): v for k, v in headers.items()}
        return self.inside.instance.anybody().call(method, self.path, body, headers=told)

    def offset(self) -> int:
        reply = again(lambda: self.ask("HEAD"))
        assert reply.status == 204, reply
        return int(reply.headers["upload-offset"])

    def state(self) -> str:
        """The state of the file."""
        found: str = again(lambda: self.ask("GET", accept="application/json")).json["state"]
        return found

    def part(self, offset: int) -> Reply:
        """Send the part that begins at this offset."""
        content = CONTENT[offset : offset + PART_BYTES_MAX]
        is_last = offset + len(content) == len(CONTENT)
        reply = self.ask(
            "PATCH",
            content,
            content_type="application/partial-upload",
            upload_offset=str(offset),
            upload_complete=f"?{is_last:d}",
        )
        self.sent += len(content)
        return reply

    def cut(self, offset: int, share: float) -> None:
        """Send a share of the part at this offset, and break the connection."""
        content = CONTENT[offset : offset + PART_BYTES_MAX]
        is_last = offset + len(content) == len(CONTENT)
        piece = content[: int(len(content) * share)]
        there = urlsplit(self.inside.instance.url)
        head = (
            f"PATCH {self.path} HTTP/1.1\r\nHost: {there.netloc}\r\nCookie: {self.cookie}\r\n"
            f"Content-Type: application/partial-upload\r\nContent-Length: {len(content)}\r\n"
            f"Upload-Offset: {offset}\r\nUpload-Complete: ?{is_last:d}\r\n\r\n"
        )
        with socket.create_connection((there.hostname, there.port)) as connection:
            connection.sendall(head.encode() + piece)
            self.sent += len(piece)
            time.sleep(0.1)  # so that the server reads some of it

    def rest(self, before: Callable[[int], None] | None = None) -> Reply:
        """Send the missing parts from the server's offset on, and repeat after every failure."""
        while True:
            offset = self.offset()
            # The answer to the last part was lost, or came after a query of the offset.
            if offset == len(CONTENT):
                until("it is examined", lambda: self.state() == "ready")
                return again(lambda: self.ask("GET", accept="application/json"))
            if before is not None:
                before(offset)
            try:
                reply = self.part(offset)
            except urllib3.exceptions.NewConnectionError:
                continue  # nothing was sent
            except urllib3.exceptions.HTTPError:
                self.sent += PART_BYTES_MAX
                continue
            if reply.status == 200:
                return reply
            assert reply.status in (204, 409, 502, 503), reply.body
            if reply.status >= 500:
                time.sleep(1.0)  # a web that has just started asks for this pause

    def arrived(self) -> bytes:
        """The SHA-256 of the uploaded document, which is stored unchanged and can be stamped."""
        file = read("fil", self.path.rsplit("/", 1)[1])
        (row,) = self.inside.rows("SELECT state, sha256 FROM draft_files WHERE file_id = %s", file)
        assert row["state"] == "ready"
        found: bytes = row["sha256"]
        return found

    def assert_whole(self, cuts: int) -> None:
        """Check that the file arrived unchanged, and that few bytes were sent twice after each cut."""
        assert self.arrived() == hashlib.sha256(CONTENT).digest()
        assert self.sent - len(CONTENT) <= cuts * SENT_TWICE_MAX, self.sent


def test_upload_survives_connections_cut_within_parts(inside: Inside) -> None:
    sender = Sender(inside)
    sender.begin()
    sender.cut(0, 0.5)
    sender.part(sender.offset())
    sender.cut(sender.offset(), 0.9)
    assert sender.rest().json["state"] == "ready"
    sender.assert_whole(cuts=2)


def test_upload_survives_kills_of_the_web_between_and_within_parts(inside: Inside) -> None:
    sender = Sender(inside)
    sender.begin()
    killed: list[int] = []

    def before(offset: int) -> None:
        if len(killed) < 2 and offset not in killed and offset:
            killed.append(offset)
            if len(killed) == 1:
                kill(inside, "web")
            else:
                sender.cut(offset, 0.7)
                kill(inside, "web")

    assert sender.rest(before).json["state"] == "ready"
    assert len(killed) == 2
    sender.assert_whole(cuts=2)
