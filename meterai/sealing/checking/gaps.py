"""What was appended behind seals of ours by somebody else, and the task that compares it."""

from collections.abc import Sequence
from typing import NamedTuple

from meterai.kit.refusal import Refusal
from meterai.sealing.sandbox import answers
from meterai.sealing.sandbox.answers import Compared, NotAnswered
from meterai.sealing.sandbox.bounded import Task, Work


class Gap(NamedTuple):
    """What somebody else appended: between the end of a seal, and where the next of ours was made,
    or the end of the file."""

    end: int
    until: int


def comparing(file: bytes, gaps: Sequence[Gap], password: bytes) -> Work[Compared | None]:
    """The work of comparing what is in the gaps; `None` if it was not done within its bounds."""
    parameters = {"gaps": [list(one) for one in gaps], "password": password.decode("latin-1")}
    try:
        return answers.read((yield Task("compare", file, parameters)), Compared)
    except (NotAnswered, Refusal):
        return None
