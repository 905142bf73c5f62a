"""Commands for outage records: propose, confirm, withdraw, list, and verify one offline."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from meterai import approvals
from meterai.commands import (
    NO_OPTIONS,
    By,
    DryRun,
    Exit,
    Forecast,
    OptionalText,
    Options,
    Reason,
    Text,
    complain,
    line,
    operator,
    with_database,
)
from meterai.kit.clock import SystemClock
from meterai.kit.ids import read
from meterai.kit.refusal import Refusal
from meterai.outages import proposing, store
from meterai.outages.levers import CONFIRM, WITHDRAW, OutageArguments, effects
from meterai.outages.model import OUTAGE_KIND, Outage
from meterai.outages.record import FILE_BYTES_MAX
from meterai.outages.settings import watchers_of
from meterai.outages.verification import ExaminedRecord, examine, read_keys
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.figures import moment
from meterai.plumbing.files import read_file


def propose(
    begin: Annotated[Text, Parameter(name="FROM")],
    end: Annotated[Text, Parameter(name="TO")],
    *,
    incident: Annotated[OptionalText, Parameter(help="The incident, as inc_...")] = None,
    replaces: Annotated[
        OptionalText,
        Parameter(help=("A confirmed record of this time, which the new one replaces.")),
    ] = None,
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Derive an outage record from the readings of the watchers, and store it as a proposal.

    The record covers the minutes from FROM to before TO. Both are in whole minutes, in WIB unless they name a time zone.
    """
    first, last = moment(begin, "FROM"), moment(end, "TO")

    async def act(database: Database, settings: Settings) -> Outage:
        watchers, now = watchers_of(settings), SystemClock().now()
        found, readings = await proposing.derived_from(
            watchers, first, last, settings.process.url, now
        )
        actor = operator(by)
        outage = replace(
            found,
            incident=read("inc", incident) if incident else None,
            replaces=read(OUTAGE_KIND, replaces) if replaces else None,
            proposed_by=str(actor),
        )
        if dry_run:
            return outage
        return await proposing.keep(database, outage, readings, actor=actor)

    outage = with_database("outage propose", options, act)
    for sentence in approvals.sentences(Forecast(effects("outage_is_proposed", outage), 1), "en"):
        line(sentence)
    line("nothing was kept" if dry_run else f"{outage.shown} is proposed")


def confirm(
    outage: Text,
    options: Options = NO_OPTIONS,
    *,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Confirm a proposed record; once another person of staff approves, it is sealed and public."""
    arguments = OutageArguments(outage)
    approvals.pull(options, CONFIRM, arguments, by=by, reason=reason, dry_run=dry_run)
    line(f"{outage} is confirmed")


def withdraw(
    outage: Text,
    options: Options = NO_OPTIONS,
    *,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Withdraw a proposed record."""
    arguments = OutageArguments(outage)
    approvals.pull(options, WITHDRAW, arguments, by=by, reason=reason, dry_run=dry_run)
    line(f"{outage} is withdrawn")


def list_outages(options: Options = NO_OPTIONS) -> None:
    """List outage records, sorted by the time that they cover, the latest first."""

    async def look(database: Database, _settings: Settings) -> list[Outage]:
        return list(await database.once(store.newest))

    for one in with_database("outage list", options, look):
        state = "confirmed, not sealed" if one.confirmed_at and not one.is_public else one.state
        line(f"{one.shown}  {one.begins_at.isoformat()}  {one.ends_at.isoformat()}  {state}")


def verify(
    file: Path,
    *,
    keys: Annotated[
        list[Path],
        Parameter(
            help="PEM file of the operator (/outages/keys.pem), a file of watchers (.toml) that "
            "you trust by other means, or a folder of these; may be given more than once."
        ),
    ],
    options: Options = NO_OPTIONS,
) -> None:
    """Check an outage record (JSON or PDF) offline: its signature or seal, and whether its periods follow from its readings.

    The exit status is 0 if the record is valid, else 1.
    """
    options.configuration("outage verify")
    try:
        known = read_keys(keys)
        content = read_file(file, FILE_BYTES_MAX)
    except OSError as error:
        complain(f"{error.filename or file}: {error.strerror}")
        raise SystemExit(Exit.USAGE) from None
    try:
        found = examine(content, known, SystemClock().now())
    except Refusal as refusal:
        line(f"NO  {refusal}")
        raise SystemExit(Exit.NO) from None
    raise SystemExit(_say(found, trusts=bool(known.watchers)))


def _say(found: ExaminedRecord, *, trusts: bool) -> Exit:
    record = found.record
    line(f"{record.record} of {record.by} ({record.operator})")
    if record.specimen:
        line("SPECIMEN: it proves nothing")
    line(f"about {record.begin.isoformat()} to {record.end.isoformat()}")
    for act, periods in record.failed.items():
        for one in periods:
            line(f"{act} failed from {one.begin.isoformat()} to {one.end.isoformat()}")
    whose = "the watchers you trust" if trusts else "the watchers it names"
    if not found.is_borne_out:
        line(f"NO  its readings, by {whose}, result in other periods")
        return Exit.NO
    line(f"ok  its readings, by {whose}, result in the same periods")
    return Exit.DONE
