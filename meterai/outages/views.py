"""Outage records as the API shows them."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from meterai.kit.components import PublicAct
from meterai.kit.ids import show
from meterai.outages.model import Outage, OutageSpan


class SpanView(msgspec.Struct, frozen=True):
    """A time in which nobody knows whether an act was possible; `end` is not in it."""

    begin: datetime
    end: datetime


class PeriodView(msgspec.Struct, frozen=True):
    """A time in which an act counts as failed; `end` is not in it.  Of its minutes so many failed, so many were not measured."""

    begin: datetime
    end: datetime
    failed_minutes: int
    unmeasured_minutes: int


class FoundView(msgspec.Struct, frozen=True):
    """Findings about one act (`buy`, `affix`, `check`)."""

    act: str
    failed: list[PeriodView]
    unmeasured: list[SpanView]


class OutageView(msgspec.Struct, frozen=True, kw_only=True):
    """A confirmed outage record.  `record_url` is the signed document that everything can be derived from again."""

    id: str
    state: str
    begin: datetime
    end: datetime
    incident: str | None
    replaces: str | None
    confirmed_at: datetime | None
    acts: list[FoundView]
    record_url: str
    pdf_url: str


def _spans(spans: Sequence[OutageSpan]) -> list[SpanView]:
    return [SpanView(one.begin, one.end) for one in spans]


def shown(outage: Outage) -> OutageView:
    """One public record."""
    found = outage.findings
    return OutageView(
        id=outage.shown,
        state=outage.state,
        begin=outage.begins_at,
        end=outage.ends_at,
        incident=show("inc", outage.incident) if outage.incident else None,
        replaces=show("out", outage.replaces) if outage.replaces else None,
        confirmed_at=outage.confirmed_at,
        acts=[
            FoundView(
                act,
                [PeriodView(*msgspec.structs.astuple(one)) for one in found.failed[act]],
                _spans(found.unmeasured[act]),
            )
            for act in PublicAct
        ],
        record_url=f"/outages/{outage.shown}.json",
        pdf_url=f"/outages/{outage.shown}.pdf",
    )
