"""Query parameters of the API are read as strictly as its JSON, and a full disk is reported as such."""

import errno
import re
from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar, get
from litestar.params import FromPath
from litestar.testing import TestClient

from meterai.accounts import Permission
from meterai.kit.paging import PAGE_MAX
from meterai.kit.refusal import Refusal
from meterai.pages import Site
from meterai.plumbing.db.transactions import (
    BrokenOff,
    DatabaseAway,
    DatabaseBusy,
    StorageFull,
)
from meterai.plumbing.http.queries import Before, Limit
from meterai.plumbing.http.requests import InProgress
from meterai.plumbing.messages import LANGUAGES, translate
from tests.support.pages import application

UNDONE = re.compile(r"(?:not|nothing (?:is|was)) (?:done|charged|stamped)(?! twice)|belum|tidak di")
OPEN: dict[str, Any] = {"permission": Permission.PUBLIC}


@get("/v1/list", opt=OPEN, sync_to_thread=False)
def listed(limit: Limit = PAGE_MAX, before: Before = None) -> dict[str, Any]:
    return {"limit": limit, "before": before}


@get("/v1/full/{kind:int}", opt=OPEN, sync_to_thread=False)
def full(kind: FromPath[int]) -> None:
    raise OSError(kind, "no room")


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient[Litestar]]:
    app = application([listed, full], object.__new__(Site))
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers["Accept"] = "application/json"
        yield client


@pytest.mark.parametrize(
    ("query", "field", "expected"),
    [
        ("limit=1e1", "limit", "whole_number"),
        ("limit=1.0", "limit", "whole_number"),
        ("limit=%D9%A5", "limit", "whole_number"),
        ("limit=+5", "limit", "whole_number"),
        (f"limit={'9' * 4400}", "limit", "whole_number"),
        ("limit=", "limit", "whole_number"),
        ("limit=5&limit=6", "limit", "once"),
        ("before=a&limit=5&before=a", "before", "once"),
        ("limit=-1", "limit", "within_bounds"),
        ("limit=201", "limit", "within_bounds"),
    ],
)
def test_malformed_integer_or_repeated_parameter_is_refused(
    client: TestClient[Litestar], query: str, field: str, expected: str
) -> None:
    answer = client.get(f"/v1/list?{query}", headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")
    assert (answer.json()["field"], answer.json()["expected"]) == (field, expected)


@pytest.mark.parametrize("kind", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_causes_503_with_a_retry_time(client: TestClient[Litestar], kind: int) -> None:
    answer = client.get(f"/v1/full/{kind}")
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_full")
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("kind", [BrokenOff, DatabaseAway, DatabaseBusy, InProgress, StorageFull])
@pytest.mark.parametrize("language", LANGUAGES)
def test_refusal_after_a_step_that_may_be_committed_claims_nothing_undone(
    kind: type[Refusal], language: str
) -> None:
    assert kind.may_be_done
    said = translate(f"refusal.{kind.code}", language)
    assert not UNDONE.search(said), said
