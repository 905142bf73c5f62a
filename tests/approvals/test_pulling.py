"""Arguments of forms, outdated forecasts, and settings that name levers."""

import pytest

from meterai.approvals import ForecastChanged
from meterai.approvals.pulling import check_always
from meterai.apps.container import build_services
from meterai.kit.ids import show
from meterai.kit.reasons import ReasonMissing
from meterai.kit.refusal import Malformed
from meterai.kit.subjects import Subject, SubjectKind
from meterai.plumbing.config import ConfigurationWrong
from meterai.refunds.model import ACCOUNT_CLAIM_SUBJECT, REFUND_SUBJECT
from tests.support.lines import BUYING
from tests.support.pulling import member
from tests.support.shop import Shop


def test_malformed_form_is_refused_with_its_field(shop: Shop) -> None:
    one = member(shop, "operations")
    for arguments, field in (
        ({}, "name"),
        ({"name": BUYING, "rate": "fast"}, "rate"),
        ({"name": BUYING, "spead": "3"}, "spead"),
    ):
        with pytest.raises(Malformed) as refused:
            one.pull("line rate", **arguments)
        assert refused.value.field == field
    with pytest.raises(Malformed) as refused:
        one.pull("line close", name=BUYING, at="2099-01-01T00:00")  # without a time zone
    assert refused.value.field == "at"


def test_pull_with_an_outdated_forecast_is_refused(shop: Shop) -> None:
    one = member(shop, "operations")
    arguments = {"name": BUYING, "how": "always"}
    forecast = one.forecast("line stand", **arguments)
    digest = one.service.digest("line stand", arguments, forecast)
    with pytest.raises(ForecastChanged):
        one.pull("line stand", shown=digest, name=BUYING, how="never")
    assert one.pull("line stand", shown=digest, **arguments).is_done


def test_request_needs_a_reason(shop: Shop) -> None:
    one = member(shop, "operations", settings={"approval_always": "line resume"})
    with pytest.raises(ReasonMissing):
        one.pull("line resume", reason=" ", name=BUYING)


def test_setting_with_unknown_lever_stops_the_start(shop: Shop) -> None:
    levers = shop.container.offers.levers
    check_always(shop.container.settings.replaced(approval_always="issuing stop"), levers)
    wrong = shop.container.settings.replaced(approval_always="issuing stopp")

    async def start() -> None:
        async with build_services(wrong):
            pass

    with pytest.raises(ConfigurationWrong, match="stopp"):
        shop.do(start())


def test_levers_are_offered_by_permission_and_subject(shop: Shop) -> None:
    subject = Subject(SubjectKind.ORDER, show("ord", shop.account), shop.account)
    offered = {}
    for role in ("finance", "operations", "regulator"):
        one = member(shop, role)
        offered[role] = [found.lever.name for found in one.service.offered(one.caller, subject)]
    assert offered == {"finance": ["refunds ask"], "operations": [], "regulator": []}
    one = member(shop, "finance")
    for kind, names in (
        (REFUND_SUBJECT.kind, ["refunds reroute", "refunds retry"]),
        (ACCOUNT_CLAIM_SUBJECT.kind, ["refunds accept-account", "refunds decline-account"]),
    ):
        found = one.service.offered(one.caller, Subject(kind, "x", shop.account))
        assert sorted(each.lever.name for each in found) == names
