"""Archives that every program can read, also while they come."""

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

from meterai.plumbing.zips import ZippedFile, distinct, zipped

AT = datetime(2026, 11, 24, 8, 4, 6, tzinfo=UTC)


def archive(*files: ZippedFile) -> bytes:
    async def each() -> AsyncIterator[ZippedFile]:
        for file in files:
            yield file

    async def whole() -> bytes:
        return b"".join([piece async for piece in zipped(each())])

    return asyncio.run(whole())


@given(
    some.lists(some.tuples(some.text(min_size=1, max_size=9), some.binary(max_size=99)), max_size=5)
)
def test_what_goes_in_comes_out(made: list[tuple[str, bytes]]) -> None:
    names = list(distinct([name.encode("utf-8", "ignore").decode() or "_" for name, _ in made]))
    files = [ZippedFile(name, AT, content) for name, (_, content) in zip(names, made, strict=True)]
    opened = zipfile.ZipFile(io.BytesIO(archive(*files)))
    assert opened.testzip() is None
    found = {one.orig_filename: opened.read(one) for one in opened.infolist()}
    assert found == {file.name: file.content for file in files}
    assert {one.date_time for one in opened.infolist()} <= {(2026, 11, 24, 15, 4, 6)}, (
        "as in Jakarta"
    )


@pytest.mark.skipif(shutil.which("unzip") is None, reason="there is no unzip on this machine")
def test_another_program_reads_it(tmp_path: Path) -> None:
    large = bytes(200_000)
    (tmp_path / "a.zip").write_bytes(
        archive(ZippedFile("surat kuasa é.pdf", AT, large), ZippedFile("b.pdf", AT, b"b"))
    )
    done = subprocess.run(["unzip", "-t", "a.zip"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


def test_names_are_distinct_and_lead_nowhere() -> None:
    names = ["Surat.pdf", "surat.PDF", "Surat.pdf", "../../etc/x", "a\\b", "..", "x", "x"]
    found = list(distinct(names))
    assert found[:3] == ["Surat.pdf", "surat (2).PDF", "Surat (3).pdf"]
    assert not any("/" in one or "\\" in one or one.startswith(".") for one in found)
    assert len({one.casefold() for one in found}) == len(found)
