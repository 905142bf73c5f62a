"""What is told to whoever finds no room: ready bytes, by language and by what they came for."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import cycle

from litestar.serialization import encode_json

from meterai.kit.priority import Priority
from meterai.plumbing.database import DatabaseBusy
from meterai.plumbing.http import PROBLEM, problem
from meterai.plumbing.messages import LANGUAGES, translate

STATUS = 503
PAGE = "text/html; charset=utf-8"
# Spread over some seconds, so that those who are refused together do not come again together.
RETRY_SECONDS_MIN = 3
RETRY_SECONDS_MAX = 12

Header = tuple[bytes, bytes]
Key = tuple[str, Priority, bool]
Answer = tuple[list[Header], bytes]


def _wants_english(headers: Mapping[bytes, bytes]) -> bool:
    if b"language=" in (cookie := headers.get(b"cookie", b"")):
        return b"language=en" in cookie
    return headers.get(b"accept-language", b"").lower().startswith(b"en")


def _problem(language: str, priority: Priority) -> bytes:
    safe = "page.busy.safe_paid" if priority <= Priority.PAID else "page.busy.safe"
    body = problem(DatabaseBusy.code, STATUS, language, {})
    return encode_json(body | {"detail": translate(safe, language)})


class Answers:
    """A page for browsers, a problem document (RFC 9457) for programs; all made beforehand."""

    def __init__(self, pages: Mapping[Key, str], headers: Iterable[Header]) -> None:
        fixed = (*headers, (b"cache-control", b"private, no-store"))
        self._pages = {
            key: _spread(text.encode(), PAGE, fixed, comes_again=key[2])
            for key, text in pages.items()
        }
        self._problems = {
            (language, priority): _spread(
                _problem(language, priority), PROBLEM, fixed, comes_again=False
            )
            for language in LANGUAGES
            for priority in Priority
        }

    def of(
        self,
        priority: Priority,
        headers: Mapping[bytes, bytes],
        *,
        is_looking: bool,
        is_page: bool,
    ) -> Answer:
        """Headers and body of a refusal, for a request with these headers.

        A page that was looked at comes again by itself.
        """
        language = "en" if _wants_english(headers) else "id"
        if is_page:
            return next(self._pages[language, priority, is_looking])
        return next(self._problems[language, priority])


def _spread(
    body: bytes, kind: str, fixed: Iterable[Header], *, comes_again: bool
) -> Iterator[Answer]:
    """The answer without end, each time with another time to come again."""
    answers = []
    for seconds in range(RETRY_SECONDS_MIN, RETRY_SECONDS_MAX + 1):
        again = b"%d" % seconds
        headers = [
            (b"content-type", kind.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"retry-after", again),
            *([(b"refresh", again)] if comes_again else []),
            *fixed,
        ]
        answers.append((headers, body))
    return cycle(answers)
