"""What follows a seal, compared with what it sealed and drawn, each in a process of its own."""

from typing import NamedTuple, TypeVar

import msgspec

from meterai.kit.refusal import Refusal
from meterai.sealing.sandbox import answers
from meterai.sealing.sandbox.answers import Compared, NotAnswered, Rendered
from meterai.sealing.sandbox.bounded import Task, Work

_Found = TypeVar("_Found", bound=msgspec.Struct)


class Comparison(NamedTuple):
    """What the processes said; `None` where they could not say it within their bounds."""

    compared: Compared | None
    rendered: Rendered | None

    @property
    def is_whole(self) -> bool:
        """True if both could say it."""
        return self.compared is not None and self.rendered is not None


def comparing(file: bytes, end: int, newer: int, password: bytes) -> Work[Comparison]:
    """Have compared and drawn what follows byte `end`: `newer` cross-reference sections."""
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
