"""An archive is read as it was written; any other form is refused."""

import io
import random
import zipfile
from datetime import datetime

import pytest

from meterai.kit.clock import WIB
from meterai.plumbing.zips import ArchiveUnreadable, ZippedFile, archive, unzipped

AT = datetime(2026, 11, 30, 8, 0, 2, tzinfo=WIB)
FILES = [ZippedFile("a.json", AT, b"{}"), ZippedFile("über.bin", AT, bytes(range(256)) * 40)]


def test_archive_is_read_again() -> None:
    assert unzipped(archive(FILES)) == FILES
    with zipfile.ZipFile(io.BytesIO(archive(FILES))) as read:
        assert read.testzip() is None


def test_any_changed_byte_is_refused() -> None:
    content, chosen = archive(FILES), random.Random(1)
    for place in [*range(200), *range(len(content) - 200, len(content))]:
        changed = bytearray(content)
        changed[place] ^= 1 << chosen.randrange(8)
        with pytest.raises(ArchiveUnreadable):
            unzipped(bytes(changed))


def packed(method: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        file.writestr("bomb.bin", bytes(10_000_000))
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"PK\3\4", b"PK\3\4" + b"\xff" * 60, b"PK\5\6" + bytes(18), b"x" + archive(FILES)),
        *(archive(FILES) + b"x", packed(zipfile.ZIP_DEFLATED), packed(zipfile.ZIP_STORED)),
        archive([ZippedFile(f"{n}", AT, b"") for n in range(101)]),
    ],
)
def test_archive_of_another_program_is_refused(content: bytes) -> None:
    with pytest.raises(ArchiveUnreadable):
        unzipped(content)
