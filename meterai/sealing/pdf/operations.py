"""A content taken apart into its operations (ISO 32000-2, section 7.8.2), and the geometry that they need.

The content is one that `content.plain_parts` calls plain: nothing is checked here.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from meterai.sealing.pdf.pages import Box
from meterai.sealing.pdf.syntax import Value, value_at

Matrix = tuple[float, float, float, float, float, float]
IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
EVERYWHERE: Box = (-1e9, -1e9, 1e9, 1e9)

_NESTED = rb"(?:[^()\\]|\\[\0-\xff]|\((?:[^()\\]|\\[\0-\xff]|\((?:[^()\\]|\\[\0-\xff])*+\))*+\))*+"
_STRING = rb"\(%b\)" % _NESTED
_SPACE = rb"(?:[\0\t\n\f\r ]|%[^\r\n]*+)*+"
_NUMBER = rb"[-+.\d]++" + _SPACE
_NAME = rb"/[^\0\t\n\f\r ()<>\[\]{}/%]*+"
_LIST = rb"\[(?:[^\[\]()%%]|%b|%%[^\r\n]*+)*+\]" % _STRING
_HEX = rb"<[0-9A-Fa-f\0\t\n\f\r ]*+>"
_DICTIONARY = rb"<<(?:[^<>()%%]|%b|%b|<<(?:[^<>()%%]|%b|%b)*+>>)*+>>" % (
    *(_STRING, _HEX),
    *(_STRING, _HEX),
)
_END = rb"(?![^\0\t\n\f\r ()<>\[\]{}/%])"
_ROUTE = rb"(?:(?:(?:%b)++(?:re|[mlcvy])|h)%b%b)++" % (_NUMBER, _END, _SPACE)
_OPERAND = rb"(?:%b|(?:%b|%b|%b|%b|%b)%b)" % (
    *(_NUMBER, _NAME, _STRING, _DICTIONARY, _HEX, _LIST, _SPACE),
)
_OPERATION = re.compile(
    rb"%b(?:(%b)|((?:%b)*+)([A-Za-z'\"][A-Za-z0-9*]*+))" % (_SPACE, _ROUTE, _OPERAND)
)
_STEP = re.compile(rb"((?:[-+.\d]++[\0\t\n\f\r ]++)++)(re|[mlcvy])")
_COMMENT = re.compile(rb"%[^\r\n]*+")
_CORNERS = 4  # numbers of `re`, which are a corner and a size


class Operation(NamedTuple):
    """An operator with its operands as they are written; of a path, its construction with no operator."""

    operator: bytes
    operands: bytes


def operations(content: bytes) -> Iterator[Operation]:
    """Each operation in turn; the steps of a path as one."""
    offset = 0
    while (found := _OPERATION.match(content, offset)) is not None:
        offset = found.end()
        route, operands, operator = found.groups()
        yield Operation(b"", route) if operator is None else Operation(operator, operands)


def values(operands: bytes) -> list[Value]:
    """The operands, read."""
    offset, found = 0, list[Value]()
    operands = operands.rstrip(b"\0\t\n\f\r ")
    while offset < len(operands):
        value, offset = value_at(operands, offset, None)
        found.append(value)
        while operands[offset : offset + 1].isspace() or operands[offset : offset + 1] == b"\0":
            offset += 1
    return found


def numbers(operands: bytes) -> list[float]:
    """Operands that are numbers."""
    return [float(one) for one in _COMMENT.sub(b" ", operands).replace(b"\0", b" ").split()]


def bounds(route: bytes) -> Box | None:
    """The box of all points of a path, control points too."""
    across, along = list[float](), list[float]()
    for operands, operator in _STEP.findall(_COMMENT.sub(b" ", route)):
        found = numbers(operands)
        if operator == b"re":
            x, y, width, height = found[-_CORNERS:]
            found = [x, y, x + width, y + height]
        across += found[::2]
        along += found[1::2]
    return (min(across), min(along), max(across), max(along)) if across else None


def product(first: Matrix, then: Matrix) -> Matrix:
    """One transformation behind another (8.3.4)."""
    a, b, c, d, e, f = first
    p, q, r, s, t, u = then
    return (
        *(a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s),
        *(e * p + f * r + t, e * q + f * s + u),
    )


def transformed(box: Box, matrix: Matrix) -> Box:
    """The box of a box that was transformed."""
    a, b, c, d, e, f = matrix
    points = [(x, y) for x in (box[0], box[2]) for y in (box[1], box[3])]
    across = [a * x + c * y + e for x, y in points]
    along = [b * x + d * y + f for x, y in points]
    return min(across), min(along), max(across), max(along)


def common(one: Box, other: Box) -> Box | None:
    """What two boxes have in common; `None` if they do not meet."""
    left, low = max(one[0], other[0]), max(one[1], other[1])
    right, top = min(one[2], other[2]), min(one[3], other[3])
    return (left, low, right, top) if left <= right and low <= top else None
