"""A web whose object store is not the database's refuses documents, and shows readable pages."""

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from meterai.accounts import AccountService
from meterai.documents import Timeline, timeline
from meterai.kit.actor import Actor, ActorKind
from tests.support.pdf import pdf
from tests.support.walk_in import WalkIn, walk_in

WRONG = {"objects": "object_store_differs"}


@pytest.fixture
def visitor(database_url: str, tmp_path: Path) -> Iterator[WalkIn]:
    with walk_in(database_url, tmp_path) as one:
        yield one


def folder(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def mounted(visitor: WalkIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WalkIn:
    """A signed-in visitor who chose a file; then another folder is mounted over the store."""
    visitor.signs_in()
    visitor.places()
    monkeypatch.setattr(timeline, "LOOK_SECONDS", 0.0)
    folder(tmp_path).rename(tmp_path / "ours")
    folder(tmp_path).mkdir()
    return visitor


def test_web_with_wrong_folder_refuses_files_and_shows_pages(
    mounted: WalkIn, tmp_path: Path
) -> None:
    file = {"document": ("lain.pdf", pdf(words="lain"), "application/pdf")}
    refused = mounted.client.post("/stamp/files", files=file)
    assert refused.status_code == 503
    assert "you are not charged" in refused.text
    assert list(folder(tmp_path).iterdir()) == []
    ready = mounted.client.get("/readyz")
    assert (ready.status_code, ready.json()["objects"]) == (503, WRONG["objects"])
    for page in ("/", "/account", "/stamp"):
        assert mounted.get(page)
    shutil.rmtree(folder(tmp_path))
    (tmp_path / "ours").rename(folder(tmp_path))
    assert mounted.client.post("/stamp/files", files=file).status_code == 303
    assert mounted.client.get("/readyz").json()["objects"] == "ok"


def test_api_with_wrong_folder_refuses_to_store_documents(mounted: WalkIn, tmp_path: Path) -> None:
    accounts, by = mounted.container.of(AccountService), Actor(ActorKind.OPERATOR, "budi")
    with mounted.client.portal() as portal:
        make = partial(accounts.create_with_key, "toko@example.id", "toko", actor=by)
        _, key = portal.call(make)
    refused = mounted.client.post(
        "/v1/stampings",
        files={"document": ("surat.pdf", pdf(words="surat"), "application/pdf")},
        data={"placement": '{"page": 1, "x": 60, "y": 60, "width": 80}'},
        headers={"Authorization": f"Bearer {key}", "Idempotency-Key": "one"},
    )
    assert (refused.status_code, refused.json()["code"]) == (503, "store_not_ours")
    assert refused.headers["Retry-After"] == "60"
    assert list(folder(tmp_path).iterdir()) == []


def test_store_check_is_cached(
    visitor: WalkIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    seen = Timeline.look

    async def look(self: Timeline) -> object:
        looks.append(1)
        return await seen(self)

    monkeypatch.setattr(Timeline, "look", look)
    for number in range(5):
        visitor.places(f"surat-{number}.pdf")
    assert len(looks) == 1
