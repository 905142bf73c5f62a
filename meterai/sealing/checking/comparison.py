"""What follows a seal: compared with what was sealed, and rendered, each in a task of its own."""

from typing import NamedTuple, TypeVar

import msgspec

from meterai.kit.refusal import Refusal
from meterai.sealing.sandbox import answers
from meterai.sealing.sandbox.answers import Compared, NotAnswered, Rendered
from meterai.sealing.sandbox.bounded import Task, Work

_Found = TypeVar("_Found", bound=msgspec.Struct)


class Comparison(NamedTuple):
    """The answers of the two tasks; `None` for one that did not answer within its bounds."""

    compared: Compared | None
    rendered: Rendered | None

    @property
    def is_whole(self) -> bool:
        """True if both answered."""
        return self.compared is not None and self.rendered is not None


def comparing(file: bytes, end: int, newer: int, password: bytes) -> Work[Comparison]:
    """The work of comparing and rendering what follows byte `end`: `newer` sections."""
    parameters = {"end": end, "newer": newer, "password": password.decode("latin-1")}
    compared = _answered((yield Task("compare", file, parameters)), Compared)
    if compared is None:
        return Comparison(None, None)
    return Comparison(compared, _answered((yield Task("render", file, parameters)), Rendered))


def _answered(answer: bytes | None, kind: type[_Found]) -> _Found | None:
    try:
        return answers.read(answer, kind)
    except (NotAnswered, Refusal):
        return None
