"""Many large bodies at once at a real web process: memory is bounded, and other requests are served."""

import re
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import urllib3

from meterai.apps.settings import settings_of as make_settings
from meterai.plumbing.http.bodies import WRITE_BYTES
from tests.support.flood import resident, whole_answer
from tests.support.instance import Instance, until

pytestmark = pytest.mark.sample(4, of="file")

MIB = 1024 * 1024
UPLOADS = 24
DOCUMENT = b"%PDF-1.7\n" + bytes(31 * MIB)
# The number of whole documents in a quarter of `uploads_bytes_max`.
DOCUMENTS_OF_ONE_ADDRESS = make_settings().process.uploads_bytes_max // 4 // len(DOCUMENT)
MEMORY_BYTES_MAX = 400 * MIB  # of the web process; 24 documents have 744 MiB
PATIENCE_SECONDS = 180.0


def connected(instance: Instance) -> socket.socket:
    address = urlsplit(instance.url)
    return socket.create_connection((address.hostname, address.port), PATIENCE_SECONDS)


def head_of(path: str, length: int, kind: str) -> bytes:
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: x",
        f"Content-Type: {kind}",
        f"Content-Length: {length}",
    )
    return "\r\n".join([*lines, "", ""]).encode()


def post(instance: Instance, path: str, body: bytes, kind: str) -> bytes:
    """Send a body, again while there is no room for it, and return the status of the answer."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with connected(instance) as line, suppress(ConnectionResetError):
            line.sendall(head_of(path, len(body), kind))
            with suppress(OSError):  # refused before it was read
                line.sendall(body)
            status = line.recv(65_536).split(b" ", 2)[1]
            if status != b"503":
                return status
        assert time.monotonic() < deadline
        time.sleep(0.1)


class Watched:
    """The peak of the resident memory of the web process within the block."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.peak = 0

    def __enter__(self) -> "Watched":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.01):
            self.peak = max(self.peak, resident(self._process))


def as_form() -> tuple[bytes, str]:
    fields = {"document": ("surat.pdf", DOCUMENT, "application/pdf")}
    return urllib3.encode_multipart_formdata(fields)


@pytest.mark.parametrize("path", ["/v1/verifications", "/check"])
def test_many_concurrent_large_documents_do_not_fill_the_memory(
    instance: Instance, path: str
) -> None:
    body, kind = (DOCUMENT, "application/pdf") if path.startswith("/v1") else as_form()
    web = instance.part("web")
    with Watched(web) as watched, ThreadPoolExecutor(UPLOADS) as pool:
        answers = [pool.submit(post, instance, path, body, kind) for _ in range(UPLOADS)]
        # Other requests are answered meanwhile.
        for _ in range(3):
            assert instance.anybody().get("/healthz").status == 200
        statuses = Counter(answer.result() for answer in answers)
    assert statuses == {b"200": UPLOADS}
    assert watched.peak < MEMORY_BYTES_MAX
    assert list((instance.data / "uploads").iterdir()) == []


def test_body_without_room_is_refused_early_with_a_retry_time(instance: Instance) -> None:
    before = len(instance.log)  # the instance is shared
    with ExitStack() as stack:
        held = [stack.enter_context(connected(instance)) for _ in range(DOCUMENTS_OF_ONE_ADDRESS)]
        for number, line in enumerate(held, start=1):
            line.sendall(head_of("/v1/verifications", len(DOCUMENT), "application/pdf"))
            line.sendall(DOCUMENT[:-1])
            _wait_for_files(instance, number)
        for path, kind in (
            ("/v1/verifications", "application/pdf"),
            ("/check", "multipart/form-data; boundary=zz"),
        ):
            with connected(instance) as late:
                # The server refuses before it reads the body.
                late.sendall(head_of(path, len(DOCUMENT), kind))
                answer = whole_answer(late).decode()
            assert answer.startswith("HTTP/1.1 503 ")
            assert '"code":"uploads_full"' in answer
            assert int(_header(answer, "retry-after")) > 0
        # Small bodies do not need this room.
        assert instance.anybody().verify(b"%PDF-1.7\n")["verdict"] == "unreadable"
        held[0].sendall(DOCUMENT[-1:])
        assert held[0].recv(65_536).startswith(b"HTTP/1.1 200 ")
    # The other clients disconnected, so their room is free again.
    until("their files are gone", lambda: not _files(instance))
    assert instance.anybody().verify(DOCUMENT)["verdict"] == "unreadable"
    assert "fault" not in instance.log[before:]


def _files(instance: Instance) -> list[int]:
    """The sizes of the unnamed files that the web process holds open for bodies."""
    web = instance.part("web")
    folder = str(instance.data / "uploads")
    found: list[int] = []
    for process in (web, *web.children(recursive=True)):
        with suppress(OSError):  # a process for one document that has just ended
            links = list(Path(f"/proc/{process.pid}/fd").iterdir())
            found += [size for link in links if (size := _size(link, folder)) is not None]
    return found


def _size(link: Path, folder: str) -> int | None:
    """The size of the open file behind this link, if it is in the folder."""
    try:
        return link.stat().st_size if str(link.readlink()).startswith(folder) else None
    except FileNotFoundError:
        return None


def _wait_for_files(instance: Instance, count: int) -> None:
    """Wait until this number of documents is stored, except for the bytes that are still collected in memory."""
    least = len(DOCUMENT) - WRITE_BYTES - 1
    until("the bodies are in files", lambda: sum(one >= least for one in _files(instance)) == count)


def _header(answer: str, name: str) -> str:
    lines = answer.partition("\r\n\r\n")[0].lower().split("\r\n")
    return next(line.partition(": ")[2] for line in lines if line.startswith(name))


# -- connections that send little --------------------------------------------------------------


def test_huge_headers_are_refused(instance: Instance) -> None:
    # The framework caches what it parsed of a thousand requests, so a large header is refused.
    for header in ({"Cookie": "a=" + "b" * 20_000}, {"X": "y" * 20_000}):
        reply = instance.anybody().get("/healthz", headers=header)
        assert reply.status == 431
        assert reply.json["code"] == "headers_too_large"
    assert instance.anybody().get(f"/c/{'a' * 20_000}").status == 431
    assert instance.anybody().get(f"/healthz?{'a' * 20_000}").status == 431
    with connected(instance) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
        sent = 0
        try:
            while sent < 8 * MIB:
                line.sendall(b"x" * 65_536)
                sent += 65_536
        except OSError:
            pass  # the server no longer reads
    assert sent < 8 * MIB


@pytest.mark.parametrize(
    "raw",
    [
        b"POST /v1/verifications HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v1/verifications HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET /c/x?\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /sign-in HTTP/1.1\r\nHost: x\r\nCookie: session=\xff\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
        b"GET http://[::1/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"\x00\xff\r\n\r\n",
    ],
    ids=lambda raw: repr(raw.split(b"\r\n")[0]),
)
def test_protocol_violation_causes_no_fault(instance: Instance, raw: bytes) -> None:
    with connected(instance) as line:
        line.sendall(raw)
        answer = line.recv(65_536)
    assert re.match(rb"HTTP/1.1 [234]\d\d ", answer) or not answer, answer
