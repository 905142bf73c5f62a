"""Check of many files in one request: rows, slots and memory."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from meterai import sealing
from meterai.kit.clock import SystemClock
from meterai.kit.priority import Priority
from meterai.plumbing.config import ProcessSettings
from meterai.plumbing.db.database import DatabaseBusy
from meterai.plumbing.http.bodies import ByteBudget
from meterai.plumbing.http.forms import FormFile
from meterai.plumbing.permits import PURPOSE, WorkPurpose
from meterai.sealing import CHECKED_BYTES_MAX, CheckQuestion, CheckReport, Issuers, NotJudged, Work
from meterai.sealing.signing.development import development_issuers
from meterai.verification import VerificationService
from meterai.verification.service import batch as module
from meterai.verification.service.batch import FILES_MAX, CheckBatch, CheckRow, NotChecked
from tests.support.pdf import pdf

LETTER = pdf()
MEMORY = 2 * CHECKED_BYTES_MAX


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> VerificationService:
    """A service for documents without stamps, which need no database."""
    clock = SystemClock()
    issuers: Issuers = development_issuers(tmp_path_factory.mktemp("issuers"), at=clock.now())
    nowhere: Any = None
    return VerificationService(nowhere, issuers, clock, ProcessSettings())


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


async def given(files: Sequence[tuple[str, bytes]]) -> AsyncIterator[FormFile]:
    for name, content in files:
        yield FormFile(name, len(content), io.BytesIO(content))


def rows_of(
    service: VerificationService,
    *files: tuple[str, bytes],
    purpose: WorkPurpose | None = None,
    memory: ByteBudget | None = None,
) -> list[CheckRow]:
    async def act() -> list[CheckRow]:
        PURPOSE.set(purpose or WorkPurpose())
        batch = CheckBatch(service, memory or ByteBudget(MEMORY), "id", "somebody")
        return [row async for row in batch.rows(given(files))]

    return asyncio.run(act())


def told(rows: Sequence[CheckRow]) -> list[tuple[str, str]]:
    return [(one.path, str(one.found.verdict if one.found else one.reason)) for one in rows]


def test_every_file_has_row_in_request_order(service: VerificationService) -> None:
    archive = packed({"map/b.pdf": LETTER, "c.txt": b"catatan", "d.zip": packed({"x": b"y"})})
    memory = ByteBudget(MEMORY)
    rows = rows_of(service, ("a.pdf", LETTER), ("semua.zip", archive), memory=memory)
    assert told(rows) == [
        ("a.pdf", "not_sealed"),
        ("map/b.pdf", "not_sealed"),
        ("c.txt", "unreadable"),
        ("d.zip", "nested"),
    ]
    assert memory.used == 0


@pytest.mark.parametrize("is_packed", [True, False])
def test_too_many_files_are_reported_in_last_row(
    service: VerificationService, is_packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FILES_MAX", 3)
    names = [f"{number}.txt" for number in range(5)]
    files = [("a.zip", packed(dict.fromkeys(names, b"x")))] if is_packed else []
    rows = rows_of(service, *(files or [(name, b"x") for name in names]))
    assert len(rows) == 4
    assert rows[-1].reason is NotChecked.TOO_MANY
    assert FILES_MAX >= 300


def test_inflated_bytes_of_all_archives_are_bounded(
    service: VerificationService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INFLATED_BYTES_MAX", 150_000)
    archive = packed({f"{number}.txt": bytes(100_000) for number in range(5)})
    reasons = [row.reason for row in rows_of(service, ("a.zip", archive))]
    assert reasons == [None, None, *[NotChecked.TOO_LARGE] * 3]


def test_slot_is_released_between_two_files_and_time_restarts(
    service: VerificationService,
) -> None:
    seen: list[str] = []

    async def regain_permit() -> None:
        seen.append("back")
        purpose.until = 0.0  # the request is over its time

    purpose = WorkPurpose(Priority.CHECKING, 0.0, release_permit=lambda: seen.append("aside"))
    purpose.regain_permit = regain_permit
    rows = rows_of(service, ("a.pdf", LETTER), ("b.pdf", LETTER), purpose=purpose)
    assert told(rows) == [("a.pdf", "not_sealed"), ("b.pdf", "not_sealed")]
    assert seen == ["back", "aside", "back", "aside"]
    assert purpose.until > 0.0


@pytest.mark.parametrize(("refusals", "outcome"), [(2, "not_sealed"), (99, "busy")])
def test_file_is_tried_again_while_others_have_priority(
    service: VerificationService, refusals: int, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSES", (0.0,) * 5)
    left = refusals

    async def regain_permit() -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            raise DatabaseBusy("others come first")

    purpose = WorkPurpose(Priority.CHECKING, 1e12, regain_permit=regain_permit)
    assert told(rows_of(service, ("a.pdf", LETTER), purpose=purpose)) == [("a.pdf", outcome)]


def test_file_without_judgement_is_reported_and_not_tried_again(
    service: VerificationService, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    def never(_: CheckQuestion) -> Work[CheckReport]:
        nonlocal asked
        asked += 1
        raise NotJudged("the check did not end within the bounds of a task")

    monkeypatch.setattr(sealing, "verifying", never)
    assert told(rows_of(service, ("a.pdf", LETTER))) == [("a.pdf", "not_judged")]
    assert asked == 1


def test_batch_ends_when_its_time_is_over(
    service: VerificationService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECONDS_MAX", -1.0)
    assert told(rows_of(service, ("a.pdf", LETTER))) == [("a.pdf", "late")]
