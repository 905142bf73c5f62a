"""`meterai plan`: what to expect of a night, before it comes."""

from importlib import import_module
from typing import Protocol, cast

from meterai.capacity.extras import require
from meterai.capacity.simulation.asked import Asked
from meterai.commands import NO_OPTIONS, AsJson, Options, line


class _Answering(Protocol):
    """The module that needs the extra."""

    def text_of(self, asked: Asked) -> str: ...
    def json_of(self, asked: Asked) -> str: ...


def plan(asked: Asked, options: Options = NO_OPTIONS, *, as_json: AsJson = False) -> None:
    """Waits by rate of admission, the safe rate, and the machines needed for so many in so many hours.

    Simulates a line before servers, with service times of a run (`--measured`) or given ones (`--service-ms`,
    `--servers`).
    """
    options.settings("plan")  # it uses none, but a directory that was named must be there
    require("numpy", "scipy", "hdrh")
    answering = cast("_Answering", import_module("meterai.capacity.simulation.answering"))
    line(answering.json_of(asked) if as_json else answering.text_of(asked))
