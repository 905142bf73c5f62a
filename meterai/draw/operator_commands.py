"""Draws of lines at the operator's command line: how far one is, a round by hand, a new announcement."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from meterai.commands import (
    NO_OPTIONS,
    By,
    Options,
    Text,
    line,
    operator,
    with_database,
)
from meterai.draw.commands import moment_of
from meterai.draw.files import LIST, RECORD, address_of, name_of_draw
from meterai.draw.operating import DrawOperating
from meterai.draw.parts import operating_of
from meterai.draw.protocol.record import read
from meterai.draw.protocol.rules import round_time
from meterai.kit.clock import SystemClock
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.keyring import keyring_of
from meterai.plumbing.signed import Signer
from meterai.waiting_room.model import SIGNATURES

Answer = TypeVar("Answer")


def _run(
    command: str, options: Options, act: Callable[[DrawOperating], Awaitable[Answer]]
) -> Answer:
    async def run(database: Database, settings: Settings) -> Answer:
        signer = Signer(keyring_of(settings).derived(SIGNATURES))
        return await act(operating_of(database, signer, SystemClock()))

    return with_database(command, options, run)


def show_draw(name: Text, *, options: Options = NO_OPTIONS) -> None:
    """Show what the draw of a line is called, where its files are, and how far it is."""
    draw = _run("line draw", options, lambda draws: draws.draw_of(name))
    line(f"draw: {name_of_draw(draw.name, draw.line)}")
    if draw.record is None:
        line("not announced yet")
        return
    record = read(draw.record.encode())
    files = f"{options.settings('line draw').process.url}{address_of(draw.name, draw.line)}"
    line(f"record: {files}/{RECORD}")
    if record.closing is not None:
        line(f"list: {files}/{LIST}")
    line(f"attempt {draw.attempt}: {', '.join(part.kind for part in record.parts)}")
    round_at = moment_of(round_time(record.announcement))
    line(f"round {record.announcement.round} at {round_at}")


def carry_in_round(
    name: Text, signature: Text, *, by: By = None, options: Options = NO_OPTIONS
) -> None:
    """Use the signature of the announced round, 96 digits, where no relay can be reached."""
    actor = operator(by)
    number = _run(
        "line draw-round",
        options,
        lambda draws: draws.carry_in_round(name, signature, actor=actor),
    )
    line(f"the signature of round {number} holds")


def announce_anew(
    name: Text, *, reason: Text, by: By = None, options: Options = NO_OPTIONS
) -> None:
    """Announce a draw again that could not be carried out in time; the reason is public."""
    actor = operator(by)
    attempt = _run(
        "line draw-again",
        options,
        lambda draws: draws.announce_anew(name, reason=reason, actor=actor),
    )
    line(f"attempt {attempt} of the draw of {name} is announced")
