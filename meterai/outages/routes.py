"""Outage records over the API.  Anybody may, without a key."""

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts import Permission
from meterai.kit.ids import read
from meterai.kit.priority import Priority
from meterai.outages.model import OUTAGE_KIND
from meterai.outages.service import OutageService
from meterai.outages.views import OutageView, shown

_PUBLIC = {"permission": Permission.PUBLIC, "priority": Priority.NEW}


class OutageList(msgspec.Struct, frozen=True):
    """The newest confirmed outage records, the newest time first."""

    outages: list[OutageView]


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
