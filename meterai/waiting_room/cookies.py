"""Cookies of a request.  Several cookies may have the same name, for example from a neighbouring domain."""

from collections.abc import Iterable, Iterator

SHOWN_MAX = 8  # cookies of one name that are read; a browser has one, or one more for each neighbouring domain


def ticket_cookie(line: str) -> str:
    """Return the name of the ticket cookie of a waiting line."""
    return f"ticket-{line}"


def turn_cookie(line: str) -> str:
    """Return the name of the turn cookie of a waiting line."""
    return f"turn-{line}"


def values_of(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> Iterator[bytes]:
    """Yield the values of all cookies of a name, in order (RFC 6265, section 5.4)."""
    found = 0
    for header, value in headers:
        if header != b"cookie" or name not in value:
            continue
        for pair in value.split(b";"):
            key, _, content = pair.strip().partition(b"=")
            if key == name and content and found < SHOWN_MAX:
                found += 1
                yield content
