"""`meterai plan`: forecast of a night with a rush."""

from meterai.commands import NO_OPTIONS, AsJson, Options, line
from meterai_rehearsal.simulation.asked import Asked


def plan(asked: Asked, options: Options = NO_OPTIONS, *, as_json: AsJson = False) -> None:
    """Waits by rate of admission, the safe rate, and the machines needed for a number of people within some hours.

    Simulates a line before servers, with service times of a run (`--measured`) or given ones (`--service-ms`,
    `--servers`).
    """
    options.settings("plan")  # the command uses no setting, but a named directory must exist
    from meterai_rehearsal.simulation import (  # noqa: PLC0415 - its libraries take long to load
        answering,
    )

    line(answering.json_of(asked) if as_json else answering.text_of(asked))
