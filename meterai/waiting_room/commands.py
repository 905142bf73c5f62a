"""Lines at the command line: see, plan, slow, pause, close, end; and check a proof of a place."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from meterai import approvals
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
    tell_all,
    text_only,
    with_database,
)
from meterai.kit.refusal import Malformed
from meterai.kit.text import one_line
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.files import read_file, read_key_file
from meterai.plumbing.signed import public_key_of, read_signed
from meterai.waiting_room import operating
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
from meterai.waiting_room.model import RATE_MAX, RATE_MIN, Line
from meterai.waiting_room.service import RECEIPT

Moment = Annotated[
    str | None, Parameter(help="A moment, as 2026-12-01T08:00+07:00.", validator=text_only)
]
PerSecond = Annotated[
    float | None, Parameter(help="People a second.", validator=Between(RATE_MIN, RATE_MAX))
]
PROOF_BYTES_MAX = 100_000


def _moment(text: str | None, field: str) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        moment = found.astimezone(UTC)
    except (ValueError, OverflowError):  # the second before the first year, or after the last
        raise Malformed(field, "moment") from None
    if found.tzinfo is None:
        raise Malformed(field, "moment")
    return moment


def list_lines(options: Options = NO_OPTIONS, *, as_json: AsJson = False) -> None:
    """Show every line: what it stands before, how many wait, how fast it goes."""

    async def look(database: Database, _: Settings) -> list[dict[str, object]]:
        async with database.reading() as tx:
            return [_shown(one) for one in await operating.lines(tx)]

    tell_all(with_database("line list", options, look), as_json=as_json)


def _shown(one: Line) -> dict[str, object]:
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
    """Plan a line.

    With --gathers-at whoever comes before the opening has an entry in a draw; without --rate as many are let in
    as can be served.
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
    """Let so many people in a second; without --rate as many as can be served, up to --at-most."""
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
    """Call nobody for a while; the page shows the reason."""
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
    """Go on after a pause."""
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
    """Take new places until a moment (--at), or without an end; who has one is served after it.

    A moment that is near or over is put off by some seconds, until every process knows of it.
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
    """Say whether a line stands in the way: always, never, or when there is too much."""
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
    """Give a line up: what it stood before is free again."""
    approvals.pull(options, END, LineNamed(name), by=by, reason=reason, dry_run=dry_run)
    line(f"{name} has ended")


def check_proof(file: Path, *, key: Path, options: Options = NO_OPTIONS) -> None:
    """Check the proof of a place with the public key of an installation (`/lines/key.pem`)."""
    options.settings("line check-proof")
    public = public_key_of(read_key_file(key))
    facts = read_signed(read_file(file, PROOF_BYTES_MAX), RECEIPT, public)
    for name, value in facts.items():
        line(one_line(f"{name}: {value}"))
