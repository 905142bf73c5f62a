"""Archives that every program can read, also while they are being sent."""

import asyncio
import io
import shutil
import subprocess
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from meterai.plumbing.zips import Names, PiecedFile, ZippedFile, zipped

AT = datetime(2026, 11, 24, 8, 4, 6, tzinfo=UTC)


def archive(*files: ZippedFile | PiecedFile) -> bytes:
    async def each() -> AsyncIterator[ZippedFile | PiecedFile]:
        for file in files:
            yield file

    async def whole() -> bytes:
        return b"".join([piece async for piece in zipped(each())])

    return asyncio.run(whole())


@given(
    some.lists(some.tuples(some.text(min_size=1, max_size=9), some.binary(max_size=99)), max_size=5)
)
def test_written_files_are_read_back(made: list[tuple[str, bytes]]) -> None:
    names = Names()
    files = [
        ZippedFile(names.distinct(name.encode("utf-8", "ignore").decode() or "_"), AT, content)
        for name, content in made
    ]
    opened = zipfile.ZipFile(io.BytesIO(archive(*files)))
    assert opened.testzip() is None
    found = {one.orig_filename: opened.read(one) for one in opened.infolist()}
    assert found == {file.name: file.content for file in files}
    assert {one.date_time for one in opened.infolist()} <= {(2026, 11, 24, 15, 4, 6)}, (
        "as in Jakarta"
    )


@pytest.mark.skipif(shutil.which("unzip") is None, reason="there is no unzip on this machine")
def test_archive_is_read_by_another_program(tmp_path: Path) -> None:
    large = bytes(200_000)
    (tmp_path / "a.zip").write_bytes(
        archive(ZippedFile("surat kuasa é.pdf", AT, large), ZippedFile("b.pdf", AT, b"b"))
    )
    done = subprocess.run(["unzip", "-t", "a.zip"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


def test_names_are_distinct_and_safe() -> None:
    names = ["Surat.pdf", "surat.PDF", "Surat.pdf", "../../etc/x", "a\\b", "..", "x", "x"]
    taken = Names()
    found = [taken.distinct(name) for name in names]
    assert found[:3] == ["Surat.pdf", "surat (2).PDF", "Surat (3).pdf"]
    assert not any("/" in one or "\\" in one or one.startswith(".") for one in found)
    assert len({one.casefold() for one in found}) == len(found)
