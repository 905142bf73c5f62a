"""API of outage records, public and without a key."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts import Permission
from meterai.kit.components import PublicAct
from meterai.kit.ids import read, show
from meterai.kit.priority import Priority
from meterai.outages.model import OUTAGE_KIND, Outage, OutageSpan
from meterai.outages.service import OutageService

_PUBLIC = {"permission": Permission.PUBLIC, "priority": Priority.NEW}


class SpanView(msgspec.Struct, frozen=True):
    """A time for which it is unknown whether an act was possible, since too few watchers measured it; `end` is not in it."""

    begin: datetime
    end: datetime


class PeriodView(msgspec.Struct, frozen=True):
    """A time in which an act counts as failed; `end` is not in it.

    `failed_minutes` of its minutes failed, and `unmeasured_minutes` were not measured.
    """

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
    """A confirmed outage record.  `record_url` is the signed document, from which the findings can be derived again."""

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


class OutageList(msgspec.Struct, frozen=True):
    """The newest confirmed outage records, sorted by the time that they cover, the latest first."""

    outages: list[OutageView]


def _spans(spans: Sequence[OutageSpan]) -> list[SpanView]:
    return [SpanView(one.begin, one.end) for one in spans]


def shown(outage: Outage) -> OutageView:
    """Return a public outage record in the form in which the API returns it."""
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


@get("/v1/outages", opt=_PUBLIC, summary="Outage records", tags=["outages"])
async def list_outages(outages: NamedDependency[OutageService]) -> OutageList:
    """Records of when the system counted as failed under the law, the newest 200."""
    return OutageList([shown(one) for one in await outages.public()])


@get("/v1/outages/{outage_id:str}", opt=_PUBLIC, summary="One outage record", tags=["outages"])
async def show_outage(
    outages: NamedDependency[OutageService], outage_id: FromPath[str]
) -> OutageView:
    """One confirmed outage record."""
    found, _ = await outages.public_one(read(OUTAGE_KIND, outage_id))
    return shown(found)


routes = [list_outages, show_outage]
