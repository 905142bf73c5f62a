"""Text answers are compressed for clients that accept it, and their length reveals no secret."""

import asyncio
import gzip

import brotli
import pytest

from meterai.plumbing.http.compression import BYTES_MIN, Coding, coding_for, compressing
from meterai.plumbing.http.front import Front, GoOn, Visit
from tests.support.within import Asking, Given, Within

LONG = b"dokumen bermeterai " * 200


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (b"", None),
        (b"identity", None),
        (b"gzip, deflate, br, zstd", Coding.BROTLI),
        (b"gzip, deflate", Coding.GZIP),
        (b"BR;q=1.0", Coding.BROTLI),
        (b"br;q=0, gzip;q=0.5", Coding.GZIP),
        (b"br; q=0.0", None),
        (b"br;q=nonsense", None),
        (b"\xff\xfe;q=;;,", None),
    ],
)
def test_coding_follows_the_accepted_ones(accepted: bytes, coding: Coding | None) -> None:
    assert coding_for(accepted) is coding


class Answering:
    """An application that gives one answer, behind the compression."""

    def __init__(
        self,
        body: bytes,
        headers: list[tuple[bytes, bytes]],
        *,
        caller: bool = False,
        pieces: int = 1,
    ) -> None:
        async def answer(visit: Visit, _go_on: GoOn) -> None:
            send = compressing(visit)
            if caller:
                visit.scope["caller"] = "somebody"  # type: ignore[typeddict-unknown-key]
            told = [*headers, (b"content-length", b"%d" % len(body))]
            await send({"type": "http.response.start", "status": 200, "headers": told})
            size = -(-len(body) // pieces)
            for place in range(pieces):
                piece = body[place * size : (place + 1) * size]
                is_last = place == pieces - 1
                await send({"type": "http.response.body", "body": piece, "more_body": not is_last})

        self._web = Within(None, Front(None, [answer]))  # type: ignore[arg-type]

    def asked(self, *headers: tuple[bytes, bytes], method: str = "GET") -> Given:
        return asyncio.run(self._web.ask(Asking(method, b"/", list(headers))))


HTML = [(b"content-type", b"text/html; charset=utf-8")]
BOTH = (b"accept-encoding", b"gzip, br")


def test_compressed_text_has_its_length_and_vary_header() -> None:
    given = Answering(LONG, [*HTML, (b"vary", b"Cookie"), (b"etag", b'"1"')]).asked(BOTH)
    assert brotli.decompress(given.body) == LONG
    assert given.header("content-encoding") == "br"
    assert given.header("content-length") == str(len(given.body))
    assert given.header("vary") == "Cookie, Accept-Encoding"
    assert given.header("etag") == 'W/"1"'
    other = Answering(LONG, HTML).asked((b"accept-encoding", b"gzip"))
    assert gzip.decompress(other.body) == LONG


@pytest.mark.parametrize(
    "answering",
    [
        Answering(LONG[: BYTES_MIN - 1], HTML),
        Answering(LONG, [(b"content-type", b"application/pdf")]),
        Answering(LONG, [(b"content-type", b"text/event-stream")]),
        Answering(LONG, [*HTML, (b"content-encoding", b"gzip")]),
        Answering(LONG, [*HTML, (b"cache-control", b"no-transform")]),
        Answering(LONG, HTML, pieces=3),
    ],
    ids=["short", "pdf", "stream", "coded", "no-transform", "pieces"],
)
def test_short_binary_and_untransformable_answers_are_not_compressed(answering: Answering) -> None:
    plain, given = answering.asked(), answering.asked(BOTH)
    assert given.body == plain.body
    assert given.header("content-length") == plain.header("content-length")
    assert given.header("content-encoding") == plain.header("content-encoding")


@pytest.mark.parametrize(
    ("site", "is_compressed"),
    [(b"same-origin", True), (b"none", True), (b"same-site", False), (b"cross-site", False)],
)
def test_answer_to_a_caller_is_not_compressed_for_another_site(
    site: bytes, is_compressed: bool
) -> None:
    given = Answering(LONG, HTML, caller=True).asked(BOTH, (b"sec-fetch-site", site))
    assert (given.header("content-encoding") == "br") is is_compressed
    stranger = Answering(LONG, HTML).asked(BOTH, (b"sec-fetch-site", site))
    assert stranger.header("content-encoding") == "br"
