"""Structured fields of HTTP (RFC 9651): items and dictionaries of them, read strictly.

What is no structured field at all is `Malformed`, and so is one of another type than was asked for.
Parameters are read and not looked at; a list inside a dictionary is refused: no field of ours has one.
"""

import base64
import binascii
import re
from collections.abc import Callable

from meterai.kit.refusal import Malformed

Bare = int | float | str | bool | bytes

_KEY = re.compile(r"[a-z*][a-z0-9_\-.*]*")
_SPACES = re.compile(r" *")
_COMMA = re.compile(r"[ \t]*,[ \t]*")
_ESCAPED = re.compile(r"\\(.)")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text[1:-1], validate=True)


# Section 4.2.3.1; a decimal before an integer, of which it is no beginning.
_KINDS: tuple[tuple[re.Pattern[str], Callable[[str], Bare]], ...] = (
    (re.compile(r"-?[0-9]{1,12}\.[0-9]{1,3}(?![0-9.])"), float),
    (re.compile(r"-?[0-9]{1,15}(?![0-9.])"), int),
    (
        re.compile(r'"(?:[ !#-\[\]-~]|\\["\\])*"'),
        lambda text: _ESCAPED.sub(r"\1", text[1:-1]),
    ),
    (re.compile(r":[A-Za-z0-9+/=]*:"), _bytes),
    (re.compile(r"\?[01]"), lambda text: text == "?1"),
    (re.compile(r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*"), str),
    (re.compile(r"@-?[0-9]{1,15}(?![0-9.])"), str),
    (re.compile(r'%"(?:[ !#$&-~]|%[0-9a-f]{2})*"'), str),
)


class _Broken(Exception):
    """It is no structured field."""


class _Reader:
    """A field, and how far it was read."""

    def __init__(self, text: str) -> None:
        self._text = text.strip(" ")
        self._at = 0

    @property
    def is_at_end(self) -> bool:
        return self._at == len(self._text)

    def match(self, pattern: re.Pattern[str]) -> str | None:
        """What matches here, read."""
        found = pattern.match(self._text, self._at)
        if found is None:
            return None
        self._at = found.end()
        return found[0]

    def literal(self, letter: str) -> bool:
        """Whether this letter is next; then it is read."""
        is_next = self._text.startswith(letter, self._at)
        self._at += is_next
        return is_next

    def key(self) -> str:
        found = self.match(_KEY)
        if found is None:
            raise _Broken
        return found

    def bare(self) -> Bare:
        for pattern, meaning in _KINDS:
            if (found := self.match(pattern)) is not None:
                try:
                    return meaning(found)
                except binascii.Error:
                    raise _Broken from None
        raise _Broken

    def pass_parameters(self) -> None:
        while self.literal(";"):
            self.match(_SPACES)
            self.key()
            if self.literal("="):
                self.bare()

    def item(self) -> Bare:
        found = self.bare()
        self.pass_parameters()
        return found

    def member(self) -> Bare:
        """What stands behind the key of a dictionary; nothing is true."""
        if self.literal("="):
            return self.item()
        self.pass_parameters()
        return True


def _item(text: str) -> Bare | None:
    reader = _Reader(text)
    try:
        found = reader.item()
    except _Broken:
        return None
    return found if reader.is_at_end else None


def whole_number(name: str, text: str) -> int:
    """An item that is a number of things, none below zero.  Refuses `Malformed`."""
    found = _item(text)
    if type(found) is not int or found < 0:
        raise Malformed(name, "field_number")
    return found


def yes_or_no(name: str, text: str) -> bool:
    """An item that is a Boolean.  Refuses `Malformed`."""
    found = _item(text)
    if not isinstance(found, bool):
        raise Malformed(name, "field_boolean")
    return found


def octets_by_key(name: str, text: str) -> dict[str, bytes]:
    """A dictionary of byte sequences, of a key that comes twice the last.  Refuses `Malformed`."""
    reader, found = _Reader(text), {}
    try:
        while True:
            key = reader.key()
            value = reader.member()
            if not isinstance(value, bytes):
                raise _Broken
            found[key] = value
            if reader.is_at_end:
                return found
            if reader.match(_COMMA) is None:
                raise _Broken
    except _Broken:
        raise Malformed(name, "field_digest") from None
