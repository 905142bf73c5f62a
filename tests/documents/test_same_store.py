"""Every process uses the one store of its database, or reports that it does not."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from meterai.documents import Timeline
from meterai.kit.clock import SystemClock
from meterai.payments import SnapSettings
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.objects import ObjectStore, StoreDiffers
from tests.support.commands import ROOT
from tests.support.shop import dead_bank
from tests.support.within import browsed

pytestmark = pytest.mark.sample(3, of="file")

KEY = b"k" * 32


def check(database_url: str, *folders: Path, key: bytes = KEY) -> list[object]:
    """Check stores of several processes at the same moment."""

    async def run() -> list[object]:
        database = Database(database_url, connections=4)
        await database.open()
        try:
            services = [
                Timeline(database, ObjectStore(folder, key), SystemClock()) for folder in folders
            ]
            works = [service.check_store() for service in services]
            return list(await asyncio.gather(*works, return_exceptions=True))
        finally:
            await database.close()

    return asyncio.run(run())


def test_first_start_marks_store_and_database(database_url: str, tmp_path: Path) -> None:
    for _ in range(3):
        assert check(database_url, *[tmp_path] * 6) == [None] * 6


def test_one_of_two_folders_belongs_to_database(database_url: str, tmp_path: Path) -> None:
    ours, other = tmp_path / "ours", tmp_path / "other"
    at_first = check(database_url, ours, other, ours, other)
    refused = [isinstance(answer, StoreDiffers) for answer in at_first]
    assert refused in ([False, True, False, True], [True, False, True, False])
    later = check(database_url, ours, other)
    assert [isinstance(answer, StoreDiffers) for answer in later] == refused[:2]


def test_another_key_is_another_store(database_url: str, tmp_path: Path) -> None:
    assert check(database_url, tmp_path) == [None]
    (answer,) = check(database_url, tmp_path, key=b"K" * 32)
    assert isinstance(answer, StoreDiffers)


def test_crash_between_two_marks_is_repaired(database_url: str, tmp_path: Path) -> None:
    asyncio.run(ObjectStore(tmp_path, KEY).put("store-marker", UUID(int=7).hex.encode()))
    assert check(database_url, tmp_path) == [None]
    assert isinstance(check(database_url, tmp_path / "other")[0], StoreDiffers)


@pytest.fixture
def ours(database_url: str, tmp_path: Path) -> Settings:
    """Settings of a machine of the instance."""
    directory = tmp_path / "ours"
    directory.mkdir()
    return dead_bank(directory).replaced(database_url=database_url)


def other_machine(ours: Settings) -> Settings:
    """Settings of another machine: the same keys, and a folder of its own for objects."""
    directory = ours.process.directory.with_name("other")
    shutil.copytree(ours.process.directory, directory)
    shutil.rmtree(directory / "objects")
    return ours.replaced(data=str(directory))


def readyz(settings: Settings) -> tuple[int, str]:
    status, told = ready(settings)
    return status, told["objects"]


def ready(settings: Settings) -> tuple[int, dict[str, str]]:
    with browsed(settings) as client:
        answer = client.get("/readyz")
    return answer.status_code, answer.json()


def command(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("METERAI_")
    } | {
        "DATABASE_URL": settings.process.database_url,
        "METERAI_BANK_URL": settings.of(SnapSettings).bank_url,
        "METERAI_BANK_PUBLIC_KEY": settings.of(SnapSettings).bank_public_key,
    }
    return subprocess.run(
        [sys.executable, "-m", "meterai", *words, "--data", settings.process.data],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_readyz_and_commands_report_held_deletion(ours: Settings) -> None:
    assert readyz(ours) == (200, "ok")
    with psycopg.connect(ours.process.database_url) as connection:
        connection.execute("UPDATE object_store SET hold = 'behind', held_at = now()")
    status, told = ready(ours)
    assert (status, told["objects"], told["deletion_held"]) == (200, "ok", "behind")
    assert "a copy of it works with the same store" in command(ours, "objects", "show").stdout
    assert "deletion is held" in command(ours, "objects", "confirm", "--by", "budi").stdout
    assert "deletion is not held" in command(ours, "objects", "show").stdout
    assert "deletion_held" not in ready(ours)[1]


def test_machine_with_another_folder_reports_it(ours: Settings) -> None:
    assert readyz(ours) == (200, "ok")
    other = other_machine(ours)
    assert readyz(other) == (503, "object_store_differs")
    refused = command(other, "worker")
    assert refused.returncode == 78, refused.stderr
    assert f"object_store_differs: The object store in {other.process.directory}" in refused.stderr
    assert "Traceback" not in refused.stderr
    # The old store is lost for good: an operator adopts the new one.
    assert command(other, "objects", "adopt").returncode == 0
    assert readyz(other) == (200, "ok")
    assert readyz(ours) == (503, "object_store_differs")
