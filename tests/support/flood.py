"""Send a body that exceeds all limits, slowly enough to watch the memory of the server."""

import re
import select
import socket
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

BLOCK = b"x" * 65_536
WATCH_EVERY_BYTES = 1024 * 1024
ANSWER_SECONDS_MAX = 90


@dataclass(frozen=True)
class Flooded:
    """The answer, the number of sent bytes, and the peak of resident memory in bytes."""

    status: int
    answer: str
    sent_bytes: int
    peak_bytes: int


def flood(
    url: str,
    head: dict[str, str],
    start: bytes,
    total_bytes: int,
    watched: psutil.Process,
    *,
    chunked: bool,
) -> Flooded:
    """POST a body of `total_bytes` bytes that begins with `start`. Stop as soon as an answer arrives."""
    parts = urlsplit(url)
    length = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(total_bytes)}
    lines = [f"{name}: {value}" for name, value in ({"Host": parts.netloc} | head | length).items()]
    request = "\r\n".join([f"POST {parts.path} HTTP/1.1", *lines, "", ""])
    assert parts.hostname is not None
    sent, peak = 0, resident(watched)
    with socket.create_connection((parts.hostname, parts.port), ANSWER_SECONDS_MAX) as line:
        try:
            line.sendall(request.encode())
            block = start
            while sent < total_bytes and not select.select([line], [], [], 0)[0]:
                line.sendall(b"%x\r\n%s\r\n" % (len(block), block) if chunked else block)
                sent, block = sent + len(block), BLOCK
                if sent % WATCH_EVERY_BYTES < len(BLOCK):
                    peak = max(peak, resident(watched))
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server has answered and no longer reads
        answer = whole_answer(line).decode()
    status = int(answer.split(" ", 2)[1])
    return Flooded(status, answer, sent, max(peak, resident(watched)))


def whole_answer(line: socket.socket) -> bytes:
    """Head and body of an answer, read until the body is complete."""
    answer = b""
    while piece := line.recv(65_536):
        answer += piece
        head, ends, body = answer.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if ends and length and len(body) >= int(length[1]):
            break
    return answer


def resident(process: psutil.Process) -> int:
    """Resident memory in bytes of a process or its largest child."""
    found = [0]
    for one in [process, *process.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # a process for one document that has just ended
            found.append(int(one.memory_info().rss))
    return max(found)
