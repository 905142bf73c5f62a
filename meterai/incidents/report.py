"""Report of an incident, from its record and the books, as lines shared by page and PDF."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from meterai import cases, ledger, orders, sealing
from meterai.incidents import store
from meterai.incidents.model import Incident, IncidentKind, IncidentUnknown
from meterai.incidents.steps import one
from meterai.kit.clock import Clock
from meterai.kit.money import Rupiah
from meterai.operator import SPECIMEN
from meterai.pages import paper
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, ReadTx, Tx
from meterai.plumbing.messages import format_datetime, format_length, translate
from meterai.sealing import Issuers

SEALED_MAX = (
    16  # cached PDFs: a seal costs milliseconds, and readers mostly request the newest report
)
STATEMENT_SECONDS_MAX = 120  # limit of one count over the books of a night


@dataclass(frozen=True, slots=True)
class IncidentReport:
    """Figures about the orders, money and complaints during an incident, counted at the moment `at`; without personal data.

    For the orders for which money came in during the incident: captured - charged back + loss = executed + refunded + in
    flight.
    """

    at: datetime
    orders: int
    buyers: int
    executed: int  # orders executed in the time of the incident
    waiting: int
    given_back: int
    denied: int
    median_seconds: float | None
    p95_seconds: float | None
    captured_rupiah: int
    executed_rupiah: int
    refunded_rupiah: int
    charged_back_rupiah: int
    loss_rupiah: int
    in_flight_rupiah: int
    complaints: int


async def counted(tx: ReadTx, incident: Incident, now: datetime) -> IncidentReport:
    """Count the figures for the report of an incident, from the incident's beginning to its end, or to now if it is open."""
    await tx.allow(STATEMENT_SECONDS_MAX)
    begin, end = incident.started_at, incident.resolved_at or now
    paid = await orders.paid_within(tx, begin, end)
    money = await ledger.money_of_time(tx, begin, end)
    return IncidentReport(
        at=now,
        orders=paid.orders,
        buyers=paid.buyers,
        executed=paid.executed,
        waiting=paid.waiting,
        given_back=paid.given_back,
        denied=paid.denied,
        median_seconds=paid.median_seconds,
        p95_seconds=paid.p95_seconds,
        captured_rupiah=money.captured.value,
        executed_rupiah=money.executed.value,
        refunded_rupiah=money.refunded.value,
        charged_back_rupiah=money.charged_back.value,
        loss_rupiah=money.loss.value,
        in_flight_rupiah=money.in_flight.value,
        complaints=await cases.told_within(tx, begin, end),
    )


def kept(incident: Incident) -> IncidentReport | None:
    """Return the stored report of a reviewed incident; None until it is made."""
    return (
        None if incident.report is None else msgspec.convert(dict(incident.report), IncidentReport)
    )


def sections(
    incident: Incident, found: IncidentReport, language: str
) -> Sequence[tuple[str, Sequence[paper.PaperLine]]]:
    """Return the report in words: titles, each with its lines."""

    def said(key: str, /, **facts: Any) -> str:
        return translate(f"report.{key}", language, **facts)

    return [
        (said("what"), list(_what(incident, language))),
        (
            said("timeline"),
            [
                paper.PaperLine(
                    format_datetime(each.at, language),
                    f"{translate(f'incident.{each.state}', language)}. {each.text[language]}",
                )
                for each in incident.updates
            ],
        ),
        (said("who"), [paper.PaperLine(said(name), text) for name, text in _who(found, language)]),
        (said("money"), [paper.PaperLine(said(name), text) for name, text in _money(found)]),
        (
            said("changed"),
            [paper.PaperLine("", incident.changed[language] or said("not_reviewed"))],
        ),
        ("", [paper.PaperLine("", said("as_of", at=format_datetime(found.at, language)))]),
    ]


def _what(incident: Incident, language: str) -> Iterator[paper.PaperLine]:
    def label(key: str) -> str:
        return translate(f"report.{key}", language)

    yield paper.PaperLine(label("number"), incident.shown)
    yield paper.PaperLine(label("severity"), translate(f"severity.{incident.severity}", language))
    yield paper.PaperLine(label("began"), format_datetime(incident.started_at, language))
    if incident.resolved_at is not None:
        minutes = (incident.resolved_at - incident.started_at).total_seconds() / 60
        yield paper.PaperLine(label("ended"), format_datetime(incident.resolved_at, language))
        yield paper.PaperLine(
            label("lasted"), translate("report.minutes", language, minutes=round(minutes))
        )
    for component, state in incident.components.items():
        told = translate(f"component_state.{state.label}", language)
        yield paper.PaperLine(translate(f"component.{component}", language), told)
    acts = ", ".join(translate(f"act.{act}", language) for act in incident.acts)
    if acts:
        yield paper.PaperLine(label("acts"), acts)


def _who(found: IncidentReport, language: str) -> Iterator[tuple[str, str]]:
    for name in ("orders", "buyers", "executed", "waiting", "given_back", "denied", "complaints"):
        yield name, str(getattr(found, name))
    for name, seconds in (("median", found.median_seconds), ("p95", found.p95_seconds)):
        text = "-" if seconds is None else format_length(round(seconds, 1), language)
        yield name, translate("report.seconds", language, seconds=text) if seconds else text


def _money(found: IncidentReport) -> Iterator[tuple[str, str]]:
    yield "captured_rupiah", str(Rupiah(found.captured_rupiah))
    yield "executed_rupiah", str(Rupiah(found.executed_rupiah))
    yield "refunded_rupiah", str(Rupiah(found.refunded_rupiah))
    yield "in_flight_rupiah", str(Rupiah(found.in_flight_rupiah))
    if found.charged_back_rupiah:
        yield "charged_back_rupiah", str(Rupiah(found.charged_back_rupiah))
        yield "loss_rupiah", str(Rupiah(found.loss_rupiah))


class Reports:
    """Makes, reads and seals the reports of incidents."""

    def __init__(
        self, database: Database, issuers: Issuers, settings: Settings, clock: Clock
    ) -> None:
        self._database = database
        self._issuers = issuers
        self._process = settings.process
        self._clock = clock
        self._sealed: dict[tuple[UUID, str, datetime], bytes] = {}

    async def of(self, incident_id: UUID, *, for_staff: bool) -> tuple[Incident, IncidentReport]:
        """Return an incident and its report.  If the report is not published yet, it is counted now, for staff only.

        Refuses `IncidentUnknown` if no report may be shown.
        """
        async with self._database.reading() as tx:
            incident = await one(tx, incident_id)
            found = kept(incident)
            if found is None and for_staff:
                found = await counted(tx, incident, self._clock.now())
        if found is None or incident.kind is IncidentKind.MAINTENANCE:
            raise IncidentUnknown("the report of the incident is not published")
        return incident, found

    async def make(self, tx: Tx, incident_id: UUID) -> None:
        """Count and publish the report of a reviewed incident."""
        incident = await one(tx, incident_id)
        if incident.reviewed_at is not None:
            found = await counted(tx, incident, self._clock.now())
            await store.keep_report(tx, incident_id, msgspec.to_builtins(found))

    async def sealed(self, incident: Incident, found: IncidentReport, language: str) -> bytes:
        """Return the report as a tagged PDF, sealed without a stamp.  Refuses with a `SealingUnavailable`."""
        key = incident.id, language, found.at
        if (made := self._sealed.get(key)) is not None:
            return made
        process = self._process
        foot = paper.PaperLine("", translate("report.check", language, by=process.url))
        lines = [
            line
            for title, each in sections(incident, found, language)
            for line in ([paper.PaperLine("", title)] if title else []) + list(each)
        ]
        mark = "" if process.is_production else SPECIMEN
        title = translate("report.title", language, title=incident.title[language])
        receipt = paper.Receipt(title, language, [*lines, foot], mark)
        issuer, now = self._issuers.current, self._clock.now()
        made = await asyncio.to_thread(_sealed, receipt, issuer, now)
        if len(self._sealed) >= SEALED_MAX:
            self._sealed.clear()
        self._sealed[key] = made
        return made


def _sealed(receipt: paper.Receipt, issuer: sealing.Issuer, at: datetime) -> bytes:
    content = paper.written(receipt)
    return content + sealing.seal_statement(content, issuer, at=at).data
