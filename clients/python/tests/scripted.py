"""Scripted server on loopback that records its requests."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Said:
    """One prepared answer. Without a status the connection is closed instead; with `half` it is closed in the middle of the
    body.
    """

    status: int | None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    half: bool = False


@dataclass(frozen=True)
class Asked:
    """One recorded request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def said(value: Any, status: int = 200) -> Said:
    """Return an answer in JSON."""
    return Said(status, msgspec.json.encode(value), {"Content-Type": "application/json"})


def refused(status: int, code: str, after: int | None = None, **facts: Any) -> Said:
    """Return a refusal (problem+json) with this code."""
    told = {"type": f"/docs/problems#{code}", "title": code, "status": status, "code": code}
    headers = {"Content-Type": PROBLEM} | ({} if after is None else {"Retry-After": str(after)})
    return Said(status, msgspec.json.encode(told | {"request_id": "req-12345678"} | facts), headers)


NO_ANSWER = Said(None)


@dataclass
class Server:
    """A running server: its address, and its recorded requests."""

    url: str
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def scripted(answers: Sequence[Said]) -> Iterator[Server]:
    """Yield a server that gives these answers in their order, and then repeats the last."""
    script = list(answers)
    server = Server("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            server.asked.append(Asked(self.command, self.path, dict(self.headers), body))
            told = script.pop(0) if len(script) > 1 else script[0]
            if told.status is None:
                self.close_connection = True
                return
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body[: len(told.body) // 2] if told.half else told.body)
            self.close_connection = told.half

        do_GET = do_POST = do_PUT = answer  # noqa: N815 - named by http.server

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
