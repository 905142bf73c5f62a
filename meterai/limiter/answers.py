"""What is told to whoever finds no room: ready bytes, by language and by what they came for."""

from collections.abc import Iterable, Mapping
from secrets import randbelow

from litestar.serialization import encode_json

from meterai.kit.priority import Priority
from meterai.plumbing.database import DatabaseBusy
from meterai.plumbing.http import PROBLEM, problem
from meterai.plumbing.messages import LANGUAGES, translate

STATUS = 503
# Spread over some seconds, so that those who are refused together do not come again together.
RETRY_SECONDS_MIN = 3
RETRY_SECONDS_MAX = 12

Header = tuple[bytes, bytes]
Key = tuple[str, Priority, bool]


def _wants_english(headers: Iterable[Header]) -> bool:
    found = dict(headers)
    if b"language=" in (cookie := found.get(b"cookie", b"")):
        return b"language=en" in cookie
    return found.get(b"accept-language", b"").lower().startswith(b"en")


def _problem(language: str, priority: Priority) -> bytes:
    safe = "page.busy.safe_paid" if priority <= Priority.PAID else "page.busy.safe"
    body = problem(DatabaseBusy.code, STATUS, language, {})
    return encode_json(body | {"detail": translate(safe, language)})


class Answers:
    """A page for browsers, a problem document (RFC 9457) for programs."""

    def __init__(self, pages: Mapping[Key, str], headers: Iterable[Header]) -> None:
        self._pages = {key: text.encode() for key, text in pages.items()}
        self._problems = {
            (language, priority): _problem(language, priority)
            for language in LANGUAGES
            for priority in Priority
        }
        self._headers = (*headers, (b"cache-control", b"private, no-store"))

    def of(
        self, priority: Priority, headers: Iterable[Header], *, is_looking: bool, is_page: bool
    ) -> tuple[list[Header], bytes]:
        """Headers and body of a refusal.  A page that was looked at comes again by itself."""
        language = "en" if _wants_english(headers) else "id"
        spread = randbelow(RETRY_SECONDS_MAX - RETRY_SECONDS_MIN + 1)
        again = b"%d" % (RETRY_SECONDS_MIN + spread)
        if is_page:
            body = self._pages[language, priority, is_looking]
            told = [(b"content-type", b"text/html; charset=utf-8")]
            if is_looking:
                told.append((b"refresh", again))
        else:
            body = self._problems[language, priority]
            told = [(b"content-type", PROBLEM.encode())]
        told += [(b"content-length", b"%d" % len(body)), (b"retry-after", again), *self._headers]
        return told, body
