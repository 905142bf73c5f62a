"""What a content does with colours, XObjects and states (ISO 32000-2, sections 8.4, 8.6.8 and 8.8).

The content is one that `content.is_plain` calls plain, so an operator is a word between white space,
and only a string, a comment or an inline image can hide one.
"""

import re
from collections.abc import Callable, Iterable

_STRING = (
    rb"\((?:[^()\\]|\\[\0-\xff]|\((?:[^()\\]|\\[\0-\xff]|\((?:[^()\\]|\\[\0-\xff])*+\))*+\))*+\)"
)
_WORD = rb"(?<![^\0\t\n\f\r \[\]<>()])(%b)(?![^\0\t\n\f\r \[\]<>()/%%])"
_COLOUR = re.compile(
    rb"%b|%%[^\r\n]*+|%b" % (_STRING, _WORD % rb"q|Q|g|G|rg|RG|k|K|cs|CS|sc|SC|scn|SCN")
)
_XOBJECT = re.compile(
    rb"%b|%%[^\r\n]*+|/([^\0\t\n\f\r \[\]<>()/%%]*+)[\0\t\n\f\r ]*+%b" % (_STRING, _WORD % b"Do")
)
_NESTED = re.compile(rb"%b|%%[^\r\n]*+|%b" % (_STRING, _WORD % rb"q|Q|BT|ET|BMC|BDC|EMC"))
# How much deeper an operator is in states, in text and in marked content (8.4.2, 9.4.1, 14.6).
_DEEPER = {
    b"q": (1, 0, 0),
    b"Q": (-1, 0, 0),
    b"BT": (0, 1, 0),
    b"ET": (0, -1, 0),
    b"BMC": (0, 0, 1),
    b"BDC": (0, 0, 1),
    b"EMC": (0, 0, -1),
}
_DEVICE = {b"g": 1, b"rg": 3, b"k": 4}
_OPERANDS_BYTES_MAX = 1_000  # before an operator; 32 colourants of 30 letters
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")

Components = Callable[[str], int | None]


def name_of(written: bytes) -> str:
    """A name as a resource is called, without its escapes."""
    plain = _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), written)
    return "/" + plain.decode("latin-1")


def xobjects(content: bytes) -> set[str]:
    """The names of the XObjects that a content draws."""
    return {name_of(found[1]) for found in _XOBJECT.finditer(content) if found[2] is not None}


def closes_what_it_opens(parts: Iterable[bytes]) -> bool:
    """True if each state, text and marked content ends in the same content, and nothing else does.

    One more end in a form ends that of its caller for some readers: its clip is gone then.
    """
    depths = (0, 0, 0)
    for part in parts:
        for found in _NESTED.finditer(part):
            if found[1] is not None:
                deeper = _DEEPER[found[1]]
                depths = (depths[0] + deeper[0], depths[1] + deeper[1], depths[2] + deeper[2])
                if min(depths) < 0 or depths[1] > 1:
                    return False
    return not any(depths)


class Colours:
    """The colour spaces of filling and of strokes while a content is read.

    `components` tells how many numbers a colour of a named space has; more than `pattern` of a pattern.
    `known` is what holds at the beginning: a page begins with gray, a form with what its caller had.
    """

    def __init__(self, components: Components, pattern: int, known: int | None) -> None:
        self._components = components
        self._pattern = pattern
        self._now: list[int | None] = [known, known]
        self._kept: list[list[int | None]] = []

    def fit(self, content: bytes) -> bool:
        """True if each colour has as many numbers as its space; with others readers paint different
        colours, or none."""
        behind = 0  # the last string, comment or operator: operands are not divided by one
        for found in _COLOUR.finditer(content):
            operator = found[1]
            operands = content[max(behind, found.start() - _OPERANDS_BYTES_MAX) : found.start()]
            behind = found.end()
            if operator == b"q":
                self._kept.append(list(self._now))
            elif operator == b"Q":
                self._now = self._kept.pop() if self._kept else self._now
            elif operator is not None and not self._colour(operator, operands):
                return False
        return True

    def _colour(self, operator: bytes, operands: bytes) -> bool:
        lower = operator.lower()
        index = int(lower != operator)
        if lower in _DEVICE:
            self._now[index] = _DEVICE[lower]
            return True
        before = operands.replace(b"/", b" /").split()
        if lower == b"cs":
            self._now[index] = self._components(name_of(before[-1][1:])) if before else None
            return self._now[index] is not None
        return self._fits(self._now[index], before)

    def _fits(self, wanted: int | None, before: list[bytes]) -> bool:
        if wanted is None:
            return False
        if before and before[-1].startswith(b"/"):
            before = before[:-1]
            wanted -= self._pattern
        count = 0
        for one in reversed(before):
            if not _is_number(one):
                break
            count += 1
        return count == wanted


def _is_number(token: bytes) -> bool:
    return token.strip(b"+-.0123456789") == b""
