"""Redaction of production logs: addresses, names, serials, keys, and texts that people wrote.

Two processors of structlog run before the one that writes:

* `redact_trace` logs the type of an exception and its stack frames, without its message and any values, since both may
  quote input.
* `redact_event` redacts every remaining value. Text in quotation marks was quoted from input, so it is removed; so is
  text in the form of an address, a serial or a key.
"""

import re
import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

TEXT_LENGTH_MAX = 500  # characters of one value; a longer one is data of a person
FRAMES_MAX = 40  # of one exception, the innermost
DEPTH_MAX = 4  # of values within values
CAUSES_MAX = 5
FOREIGN = frozenset({"why", "answer"})  # fields with texts of other machines

Event = MutableMapping[str, Any]

_QUOTED = re.compile(r"""'(?:[^'\\]++|\\.)*+'?|"(?:[^"\\]++|\\.)*+"?""", re.DOTALL)
_ADDRESS = re.compile(r"[^\s@'\"<>()\[\]=,;]++@[^\s@'\"<>()\[\]=,;]++")
_DETAIL = re.compile(r"\bDETAIL:.*", re.DOTALL)  # in PostgreSQL's messages it contains a row
# A key, the secret of an endpoint, or a credential without its prefix: whole or truncated, up to the end of the word.
_SECRET = re.compile(
    r"(?i:mtr(?:_|%5f))[\w%-]*+|(?i:whsec(?:_|%5f))[\w%+/=-]*+|[0-9A-Z]{52}[\w%-]*+"
)
_BEARER = re.compile(r"\b[Bb]earer\s+\S++")
# Matches 550, 5.1.1, SMTPRecipientsRefused, [address] and not_in_time; does not match Budi or user.
_CODE = re.compile(r"\[\w+\]|\b\d[\d.]*\b|\b[a-z]+(?:_[a-z]+)+\b|\b[A-Z]\w*[a-z][A-Z]\w*")
_SERIAL = re.compile(r"(?<![0-9A-Za-z])[0-9A-Z]{22}(?![0-9A-Za-z])")


def without_secrets(text: str) -> str:
    """Return the text with a mark in place of each word that begins like a secret issued by us."""
    return _SECRET.sub("[key]", text)


def redacted(text: str) -> str:
    """Return the text without parts that may be personal or secret."""
    text = text[:TEXT_LENGTH_MAX]
    text = _DETAIL.sub("DETAIL: [row]", text)
    text = _QUOTED.sub("[quoted]", text)
    text = _ADDRESS.sub("[address]", text)
    text = _BEARER.sub("[key]", without_secrets(text))
    return _SERIAL.sub("[serial]", text)


def _codes(text: str) -> str:
    """Return only the numbers and code words of a text that another machine sent; its other words may name a person."""
    return " ".join(_CODE.findall(redacted(text)))


def _plain(value: object, depth: int = 0) -> object:
    """Return the value in a form that may be logged."""
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return redacted(value)
        case BaseException():
            return type(value).__name__
        case Mapping() if depth < DEPTH_MAX:
            return {redacted(str(name)): _plain(one, depth + 1) for name, one in value.items()}
        case list() | tuple() | set() | frozenset() if depth < DEPTH_MAX:
            return [_plain(one, depth + 1) for one in value]
        case _:
            return redacted(str(value))


def redact_event(_logger: Any, _method: str, event: Event) -> Event:
    """Log processor: redact every value of the event."""
    # The names of our events and fields are constants, so they need no redaction.
    return {name: _told_as(name, value) for name, value in event.items()}


def _told_as(name: str, value: object) -> object:
    if name in ("event", "timestamp"):
        return value
    if name in FOREIGN and isinstance(value, str):
        return _codes(value)
    return _plain(value)


def redact_trace(_logger: Any, _method: str, event: Event) -> Event:
    """Log processor: replace `exc_info` by the types of the exceptions and their stack frames."""
    given = event.pop("exc_info", None)
    fault = _exception(given)
    if fault is not None:
        event["trace"] = [line for one in _causes(fault) for line in _told(one)]
    return event


def _exception(given: object) -> BaseException | None:
    match given:
        case BaseException():
            return given
        case (_, BaseException() as fault, _):
            return fault
        case None | False | (None, None, None):
            return None
        case _:
            return sys.exception()


def _causes(fault: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = fault
    for _ in range(CAUSES_MAX):
        if current is None:
            return
        yield current
        hidden = None if current.__suppress_context__ else current.__context__
        current = current.__cause__ or hidden


def _told(fault: BaseException) -> Iterator[str]:
    kind = type(fault)
    yield f"{kind.__module__}.{kind.__qualname__}"
    code = getattr(fault, "sqlstate", None) or getattr(fault, "code", None)
    if isinstance(code, str | int):
        yield f"  code {code}"
    frames = traceback.extract_tb(fault.__traceback__, limit=-FRAMES_MAX)
    yield from (f"  {one.filename}:{one.lineno} {one.name}" for one in frames)
    if isinstance(fault, BaseExceptionGroup):
        for one in fault.exceptions[:CAUSES_MAX]:
            yield from _told(one)
