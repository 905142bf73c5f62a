"""Stop issuing stamps, and go on."""

from functools import partial

from meterai.commands import NO_OPTIONS, By, Options, Text, line, operator, with_database
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database
from meterai.stamps.service import set_issuing


def stop_issuing(reason: Text, options: Options = NO_OPTIONS, *, by: By = None) -> None:
    """Stop issuing: paid orders wait, and their money goes back when it is due."""
    _set_issuing("issuing stop", options, is_open=False, reason=reason, by=by)


def open_issuing(options: Options = NO_OPTIONS, *, by: By = None) -> None:
    """Issue again: paid orders that still wait are executed."""
    _set_issuing("issuing open", options, is_open=True, reason="", by=by)


def _set_issuing(command: str, options: Options, *, is_open: bool, reason: str, by: By) -> None:
    actor = operator(by)

    async def change(database: Database, _: Settings) -> None:
        await database.run(partial(set_issuing, is_open=is_open, reason=reason, actor=actor))

    with_database(command, options, change)
    line("issuing is open" if is_open else f"issuing is stopped: {reason}")
