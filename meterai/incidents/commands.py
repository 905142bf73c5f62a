"""Commands for incidents: list, open, update, announce, cancel, resolve, review."""

from datetime import UTC, datetime
from typing import Annotated, Literal, TypeAlias

import msgspec
from cyclopts import Parameter

from meterai import approvals
from meterai.commands import (
    NO_OPTIONS,
    AsJson,
    By,
    DryRun,
    Options,
    Reason,
    Text,
    line,
    text_only,
    with_database,
)
from meterai.incidents import steps
from meterai.incidents.levers import (
    ANNOUNCE,
    CANCEL,
    OPEN,
    RESOLVE,
    REVIEW,
    UPDATE,
    IncidentOpen,
    IncidentReview,
    IncidentUpdate,
    IncidentWords,
    MaintenanceAnnounce,
    SeverityWord,
)
from meterai.incidents.model import Incident
from meterai.incidents.views import shown
from meterai.kit.refusal import Malformed
from meterai.kit.text import one_line
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database

Moment = Annotated[
    str | None, Parameter(help="A moment, as 2026-12-01T08:00+07:00.", validator=text_only)
]
States: TypeAlias = Annotated[
    str,
    Parameter(help="As buying=major_outage,payment=partial_outage.", validator=text_only),
]


def _states(typed: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in typed.split(",") if pair]
    return {name.strip(): label.strip() for name, _, label in pairs}


def _moment(name: str, text: object) -> datetime:
    """Parse a moment with its time zone.  Refuses `Malformed`."""
    try:
        found = datetime.fromisoformat(str(text))
        found.astimezone(UTC)
    except (ValueError, OverflowError):  # outside the years that a datetime holds
        raise Malformed(name, "moment") from None
    if found.tzinfo is None:
        raise Malformed(name, "moment")
    return found


def _read(kind: type[msgspec.Struct], **fields: object) -> msgspec.Struct:
    """Convert the arguments of a command to the arguments of its lever (staff action).  Refuses `Malformed`."""
    given = {
        name: _moment(name, value) if name.endswith("_at") else value
        for name, value in fields.items()
        if value is not None
    }
    unknown = set(given) - set(kind.__struct_fields__)
    if unknown:
        raise Malformed(min(unknown), "known_name")
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Malformed(str(error).rpartition("$.")[2].strip("`"), "another_value") from None


def list_incidents(options: Options = NO_OPTIONS, *, as_json: AsJson = False) -> None:
    """Show the incidents and maintenances that are not over."""

    async def look(database: Database, _: Settings) -> list[Incident]:
        async with database.reading() as tx:
            return await steps.open_now(tx)

    found = with_database("incidents list", options, look)
    if as_json:
        line(msgspec.json.format(msgspec.json.encode(list(map(shown, found))).decode()))
        return
    for one in found:
        states = ",".join(f"{name}={state.label}" for name, state in one.components.items())
        held = f" held_by={one.held_by}" if one.held_by else ""
        since = one.started_at.astimezone(UTC).isoformat()
        line(
            one_line(
                f"{one.shown} {one.state} {one.severity} {states} {since}{held} {one.title['en']}"
            )
        )


def open_incident(  # noqa: PLR0913 - each is a word of the command
    title_id: Text,
    title_en: Text,
    *,
    components: States,
    text_id: Text,
    text_en: Text,
    severity: SeverityWord = "as_components",
    started_at: Moment = None,
    by: By = None,
    reason: Reason = "",
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Open an incident with its title and first text, in Indonesian and English."""
    asked = _read(
        IncidentOpen,
        title_id=title_id,
        title_en=title_en,
        text_id=text_id,
        text_en=text_en,
        severity=severity,
        started_at=started_at,
        **_states(components),
    )
    approvals.pull(options, OPEN, asked, by=by, reason=reason or title_en, dry_run=dry_run)
    line(f"opened: {one_line(title_en)}")


def update(  # noqa: PLR0913 - each is a word of the command
    incident: Text,
    *,
    text_id: Text,
    text_en: Text,
    state: Literal["as_it_is", "investigating", "identified", "monitoring"] = "as_it_is",
    components: States = "",
    severity: SeverityWord = "as_components",
    note: Annotated[
        str, Parameter(help="The note stored by a watcher that is published.", validator=text_only)
    ] = "",
    by: By = None,
    reason: Reason = "",
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Add a text to an incident, and change its state, components or severity."""
    asked = _read(
        IncidentUpdate,
        incident=incident,
        text_id=text_id,
        text_en=text_en,
        state=state,
        severity=severity,
        note=note,
        **_states(components),
    )
    approvals.pull(
        options, UPDATE, asked, by=by, reason=reason or one_line(text_en)[:500], dry_run=dry_run
    )
    line(f"{incident} is updated")


def announce(  # noqa: PLR0913 - each is a word of the command
    title_id: Text,
    title_en: Text,
    *,
    components: Annotated[str, Parameter(help="As buying,payment.", validator=text_only)],
    begins_at: Moment,
    ends_at: Moment,
    text_id: Text,
    text_en: Text,
    by: By = None,
    reason: Reason = "",
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Announce a maintenance, which begins and ends automatically."""
    asked = _read(
        MaintenanceAnnounce,
        title_id=title_id,
        title_en=title_en,
        text_id=text_id,
        text_en=text_en,
        begins_at=begins_at,
        ends_at=ends_at,
        **{name.strip(): True for name in components.split(",") if name},
    )
    approvals.pull(options, ANNOUNCE, asked, by=by, reason=reason or title_en, dry_run=dry_run)
    line(f"announced: {one_line(title_en)}")


def cancel(
    incident: Text,
    *,
    text_id: Text,
    text_en: Text,
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Cancel a maintenance that has not begun."""
    asked = IncidentWords(incident, text_id, text_en)
    approvals.pull(options, CANCEL, asked, by=by, reason=one_line(text_en)[:500], dry_run=dry_run)
    line(f"{incident} is cancelled")


def resolve(
    incident: Text,
    *,
    text_id: Text,
    text_en: Text,
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Resolve an incident that is over, or end a maintenance before its time."""
    asked = IncidentWords(incident, text_id, text_en)
    approvals.pull(options, RESOLVE, asked, by=by, reason=one_line(text_en)[:500], dry_run=dry_run)
    line(f"{incident} is over")


def review(
    incident: Text,
    *,
    changed_id: Text,
    changed_en: Text,
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Write down what was changed since an incident, and publish its report."""
    asked = IncidentReview(incident, changed_id, changed_en)
    approvals.pull(
        options, REVIEW, asked, by=by, reason=one_line(changed_en)[:500], dry_run=dry_run
    )
    line(f"the report of {incident} is public")
