"""Commands for waiting lines: list, plan, set the rate, pause, close, end; check the proof of a place; act on draws."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from cyclopts import Parameter

from meterai import approvals, draw
from meterai.commands import (
    NO_OPTIONS,
    AsJson,
    Between,
    By,
    DryRun,
    Options,
    Reason,
    Text,
    line,
    operator,
    tell_all,
    text_only,
    with_database,
)
from meterai.kit.clock import SystemClock
from meterai.kit.refusal import Malformed
from meterai.kit.text import one_line
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, Tx
from meterai.plumbing.files import read_file, read_key_file
from meterai.plumbing.keyring import keyring_of
from meterai.plumbing.signed import DocumentSigner, public_key_of, read_signed
from meterai.waiting_room import operating
from meterai.waiting_room.draws import subject_of
from meterai.waiting_room.levers import (
    CLOSE,
    CREATE,
    END,
    PAUSE,
    RATE,
    RESUME,
    STAND,
    LineClose,
    LineCreate,
    LineNamed,
    LinePause,
    LineRate,
    LineStand,
)
from meterai.waiting_room.model import PATH, RATE_MAX, RATE_MIN, SIGNATURES, WaitingLine
from meterai.waiting_room.service import RECEIPT

Moment = Annotated[
    str | None, Parameter(help="A moment, as 2026-12-01T08:00+07:00.", validator=text_only)
]
PerSecond = Annotated[
    float | None, Parameter(help="People per second.", validator=Between(RATE_MIN, RATE_MAX))
]
PROOF_BYTES_MAX = 100_000
Answer = TypeVar("Answer")


def _moment(text: str | None, field: str) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        moment = found.astimezone(UTC)
    except (ValueError, OverflowError):  # outside the years that a datetime holds
        raise Malformed(field, "moment") from None
    if found.tzinfo is None:
        raise Malformed(field, "moment")
    return moment


def list_lines(options: Options = NO_OPTIONS, *, as_json: AsJson = False) -> None:
    """Show every waiting line: the act that it guards, the number of visitors who wait, and the admission rate."""

    async def look(database: Database, _: Settings) -> list[dict[str, object]]:
        async with database.reading() as tx:
            return [_shown(one) for one in await operating.lines(tx)]

    tell_all(with_database("line list", options, look), as_json=as_json)


def _shown(one: WaitingLine) -> dict[str, object]:
    return {
        "name": one.name,
        "act": one.act,
        "state": one.state,
        "stands_in_the_way": one.stands_in_the_way,
        "is_automatic": one.is_automatic,
        "is_paused": one.is_paused,
        "policy": one.policy,
        "rate": round(one.rate, 3),
        "serving": one.serving,
        "waiting": one.waiting,
        "flow": round(one.flow_fast, 3),
        "advanced_at": one.advanced_at.isoformat(),
    }


def create(  # noqa: PLR0913 - each is a word of the command
    name: Text,
    *,
    act: Literal["buy", "check"],
    gathers_at: Moment = None,
    opens_at: Moment = None,
    closes_at: Moment = None,
    rate: PerSecond = None,
    by: By = None,
    reason: Reason = "",
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Plan a waiting line.

    With --gathers-at each visitor who comes before the opening gets an entry in a draw.  Without --rate the line lets in as
    many visitors as can be served.
    """
    plan = LineCreate(
        name,
        act,
        _moment(gathers_at, "gathers-at"),
        _moment(opens_at, "opens-at"),
        _moment(closes_at, "closes-at"),
        rate,
    )
    approvals.pull(options, CREATE, plan, by=by, reason=reason, dry_run=dry_run)
    line(f"{name} is planned")


def set_rate(
    name: Text,
    *,
    rate: PerSecond = None,
    at_most: PerSecond = None,
    by: By = None,
    reason: Reason = "",
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Set how many people are let in per second.

    Without --rate as many are let in as can be served, up to --at-most.
    """
    asked = LineRate(name, rate, at_most)
    approvals.pull(options, RATE, asked, by=by, reason=reason, dry_run=dry_run)
    line(f"{name}: {'measured' if rate is None else rate}")


def pause(
    name: Text,
    *,
    reason_id: Text,
    reason_en: Text,
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Stop calling numbers until the waiting line is resumed; the page shows the reason."""
    asked = LinePause(name, reason_id, reason_en)
    approvals.pull(options, PAUSE, asked, by=by, reason=reason_en, dry_run=dry_run)
    line(f"{name} is paused")


def resume(
    name: Text,
    *,
    by: By = None,
    reason: Reason = "",
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Resume calling numbers after a pause."""
    approvals.pull(options, RESUME, LineNamed(name), by=by, reason=reason, dry_run=dry_run)
    line(f"{name} goes on")


def close(
    name: Text,
    *,
    at: Moment = None,
    by: By = None,
    reason: Reason = "",
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Set the time (--at) until which a waiting line takes new places; without --at it takes them until it is ended.

    Places taken before that time are still served.  A time that is past or near is put off by some seconds, until every
    process knows of it.
    """
    moment = _moment(at, "at")
    approvals.pull(options, CLOSE, LineClose(name, moment), by=by, reason=reason, dry_run=dry_run)
    line(f"{name} closes {moment.isoformat() if moment else 'never'}")


def stand(
    name: Text,
    how: Literal["always", "never", "automatic"],
    *,
    by: By = None,
    reason: Reason = "",
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Set when visitors must wait in a line: always, never, or while the load is too high (automatic)."""
    approvals.pull(options, STAND, LineStand(name, how), by=by, reason=reason, dry_run=dry_run)
    line(f"{name} stands {how}")


def end(
    name: Text,
    *,
    reason: Text,
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """End a waiting line; anybody may then do the act that it guarded."""
    approvals.pull(options, END, LineNamed(name), by=by, reason=reason, dry_run=dry_run)
    line(f"{name} has ended")


def check_proof(file: Path, *, key: Path, options: Options = NO_OPTIONS) -> None:
    """Check a signed proof of a place with the public key of an installation (`/lines/key.pem`)."""
    options.settings("line check-proof")
    public = public_key_of(read_key_file(key))
    facts = read_signed(read_file(file, PROOF_BYTES_MAX), RECEIPT, public)
    for name, value in facts.items():
        line(one_line(f"{name}: {value}"))


# -- draws ---------------------------------------------------------------------------------


def _of_draw(
    command: str,
    options: Options,
    name: str,
    act: Callable[[Tx, draw.DueDraw, Settings], Awaitable[Answer]],
) -> Answer:
    async def run(database: Database, settings: Settings) -> Answer:
        async def acts(tx: Tx) -> Answer:
            found = await draw.draw_of(tx, await subject_of(tx, name))
            return await act(tx, found, settings)

        return await database.run(acts)

    return with_database(command, options, run)


def show_draw(name: Text, *, options: Options = NO_OPTIONS) -> None:
    """Show the name of a waiting line's draw, the addresses of its files, and its progress."""

    async def look(_tx: Tx, found: draw.DueDraw, _settings: Settings) -> draw.DueDraw:
        return found

    found = _of_draw("line draw", options, name, look)
    line(f"draw: {draw.name_of_draw(found.name, found.id)}")
    if found.record is None:
        line("not announced yet")
        return
    record = draw.read(found.record.encode())
    address = draw.address_of(PATH, found.name, found.id)
    files = f"{options.settings('line draw').process.url}{address}"
    line(f"record: {files}/{draw.RECORD}")
    if record.closing is not None:
        line(f"list: {files}/{draw.LIST}")
    line(f"attempt {found.attempt}: {', '.join(part.kind for part in record.parts)}")
    round_at = draw.moment_of(draw.round_time(record.announcement))
    line(f"round {record.announcement.round} at {round_at}")


def carry_in_round(
    name: Text, signature: Text, *, by: By = None, options: Options = NO_OPTIONS
) -> None:
    """Enter the SIGNATURE (96 hexadecimal digits) of the beacon round announced for a draw, if no relay can be reached."""
    actor = operator(by)

    async def act(tx: Tx, found: draw.DueDraw, _settings: Settings) -> int:
        return await draw.carry_in_round(tx, found, signature, actor=actor)

    number = _of_draw("line draw-round", options, name, act)
    line(f"the signature of round {number} holds")


def announce_anew(
    name: Text, *, reason: Text, by: By = None, options: Options = NO_OPTIONS
) -> None:
    """Announce the random draw of a waiting line again after it could not be carried out in time; the reason is public."""
    actor = operator(by)

    async def act(tx: Tx, found: draw.DueDraw, settings: Settings) -> int:
        signer = draw.DrawSigner(DocumentSigner(keyring_of(settings).derived(SIGNATURES)))
        at = SystemClock().now()
        return await draw.replace_void(tx, found, reason, at, signer=signer, actor=actor)

    attempt = _of_draw("line draw-again", options, name, act)
    line(f"attempt {attempt} of the draw of {name} is announced")
