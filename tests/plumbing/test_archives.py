"""Archives of strangers: their content is bounded before it is unpacked, and nothing is written to disk."""

import io
import random
import struct
import zipfile
from contextlib import suppress

import pytest

from meterai.plumbing.archives import (
    DIRECTORY_BYTES_MAX,
    Unpacking,
    Unread,
    UnreadReason,
    entries,
)

FILE_BYTES_MAX = 10_000_000
LETTER = b"%PDF-1.7\n" + bytes(range(256)) * 40


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, found in files.items():
            archive.writestr(name, found)
    return out.getvalue()


def read(archive: bytes) -> dict[str, bytes | UnreadReason]:
    file = io.BytesIO(archive)
    found: dict[str, bytes | UnreadReason] = {}
    unpacking = Unpacking(file_bytes_max=FILE_BYTES_MAX, bytes_max=10 * FILE_BYTES_MAX)
    for entry in entries(file):
        try:
            found[entry.path] = unpacking.read(file, entry)
        except Unread as unread:
            found[entry.path] = unread.reason
    return found


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("comment", [b"", b"dari panitia"])
def test_packed_files_are_read(method: int, comment: bytes) -> None:
    files = {"surat.pdf": LETTER, "folder/Ijazah.pdf": LETTER[::-1], "kosong.pdf": b""}
    archive = packed(files, method)
    end = struct.pack("<H", len(comment)) + comment
    assert read(archive[:-2] + end) == files


def _is_damaged(archive: bytes) -> bool:
    try:
        entries(io.BytesIO(archive))
    except Unread as unread:
        return unread.reason == UnreadReason.DAMAGED
    return False


def test_truncated_archive_is_not_read_as_the_one_inside_it() -> None:
    inner = packed({"asli.pdf": LETTER}, zipfile.ZIP_STORED)
    files = {f"{number}.pdf": LETTER for number in range(3)} | {"lampiran.zip": inner}
    outer = packed(files, zipfile.ZIP_STORED)
    end_of_inner = outer.index(inner) + len(inner)
    for length in range(outer.index(inner), len(outer)):
        assert _is_damaged(outer[:length]), length - end_of_inner


def test_bytes_before_or_behind_an_archive_are_not_skipped() -> None:
    before, archive = packed({"palsu.pdf": LETTER}), packed({"asli.pdf": LETTER})
    assert _is_damaged(before + archive)
    assert _is_damaged(archive + before[:40])
    moved = io.BytesIO(before)
    with zipfile.ZipFile(moved, "a") as appended:  # with correct offsets: one more file
        appended.writestr("asli.pdf", LETTER)
    assert list(read(moved.getvalue())) == ["palsu.pdf", "asli.pdf"]
    # Without its entry in the directory, the first file is invisible to programs that read the directory.
    both = moved.getvalue()
    first, second = both.index(b"PK\1\2"), both.rindex(b"PK\1\2")
    length = both.rindex(b"PK\5\6") - second
    for count in (1, 2):
        end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, length, first, 0)
        assert _is_damaged(both[:first] + both[second : second + length] + end)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "../../etc/passwd"),
        ("/etc/.ssh/id", "/etc/.ssh/id"),
        (".surat.pdf", ".surat.pdf"),
        ("C:\\Users\\budi\\surat.pdf", "C:\\Users\\budi\\surat.pdf"),
        ("a\u202efdp.exe", "a\\u202efdp.exe"),
        ("a\nb.pdf", "a\\nb.pdf"),
        ("..", ".."),
    ],
)
def test_file_name_is_shown_unchanged(given: str, shown: str) -> None:
    file = io.BytesIO(packed({given: LETTER}))
    assert [(one.path, one.raw) for one in entries(file)] == [(shown, given)]


def test_bomb_is_refused_before_it_is_inflated() -> None:
    bomb = packed({"bom.pdf": b"\0" * (FILE_BYTES_MAX + 1)})
    assert read(bomb) == {"bom.pdf": UnreadReason.TOO_LARGE}
    # The header states a small size. It can cause a refusal, but nothing else relies on it.
    liar = bomb.replace(struct.pack("<L", FILE_BYTES_MAX + 1), struct.pack("<L", 100))
    assert liar != bomb
    assert read(liar) == {"bom.pdf": UnreadReason.DAMAGED}


def test_nested_archive_is_not_opened() -> None:
    assert read(packed({"a.zip": packed({"b.pdf": LETTER})})) == {"a.zip": UnreadReason.NESTED}


def test_endless_directory_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(DIRECTORY_BYTES_MAX // 50):
            archive.writestr(f"{number}", b"")
    with pytest.raises(Unread) as refused:
        list(entries(io.BytesIO(out.getvalue())))
    assert refused.value.reason == UnreadReason.TOO_MANY


def _sharing(archive: bytes, entries_: list[bytes]) -> bytes:
    """An archive whose directory consists of these entries."""
    start, end = archive.rindex(b"PK\1\2"), archive[archive.rindex(b"PK\5\6") :]
    directory = b"".join(entries_)
    sizes = struct.pack("<2HL", len(entries_), len(entries_), len(directory))
    return archive[:start] + directory + end[:8] + sizes + end[16:]


def test_overlapping_files_are_not_read() -> None:
    """A thousand names for the same bytes, and a file inside another (David Fifield, 2019)."""
    archive = packed({"a.pdf": LETTER})
    entry = archive[archive.rindex(b"PK\1\2") : archive.rindex(b"PK\5\6")]
    names = [entry.replace(b"a.pdf", b"%05d" % number) for number in range(1000)]
    found = read(_sharing(archive, names))
    assert len(found) == 1000
    assert set(found.values()) == {UnreadReason.OVERLAPPING}
    inner = packed({"in.pdf": LETTER}, zipfile.ZIP_STORED)
    local = inner[: inner.rindex(b"PK\1\2")]
    outer = bytearray(packed({"zz.pdf": local, "b.pdf": LETTER}, zipfile.ZIP_STORED))
    place = outer.rindex(b"PK\1\2", 0, outer.rindex(b"PK\1\2"))
    entries_ = bytes(outer[place : outer.rindex(b"PK\5\6")])
    ours = inner[inner.rindex(b"PK\1\2") : inner.rindex(b"PK\5\6")]
    within = ours[:42] + struct.pack("<L", 30 + len("zz.pdf")) + ours[46:]
    start = place
    made = bytes(outer[:start]) + entries_ + within
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 3, 3, len(made) - start, start, 0)
    assert read(made + end) == {
        "zz.pdf": UnreadReason.OVERLAPPING,
        "b.pdf": LETTER,
        "in.pdf": UnreadReason.OVERLAPPING,
    }


def test_file_that_overlaps_the_directory_is_not_read() -> None:
    archive = bytearray(packed({"a.pdf": LETTER}, zipfile.ZIP_STORED))
    place = archive.rindex(b"PK\1\2")
    archive[place + 20 : place + 28] = struct.pack("<2L", len(LETTER) + 1, len(LETTER) + 1)
    assert read(bytes(archive)) == {"a.pdf": UnreadReason.OVERLAPPING}


def test_any_bytes_are_read_or_refused() -> None:
    dice = random.Random(11)
    whole = packed({"surat.pdf": LETTER, "b.pdf": b"b" * 5000})
    for _ in range(3_000):
        broken = bytearray(whole[: dice.choice([len(whole), dice.randrange(len(whole))])])
        for _ in range(dice.randrange(4)):
            if broken:
                # Most of the structure is near the end of the file.
                place = max(0, len(broken) - dice.randrange(1, 200))
                broken[place] = dice.randrange(256)
        with suppress(Unread):
            read(bytes(broken))


def test_bytes_unpacked_from_all_archives_are_bounded() -> None:
    file = io.BytesIO(packed({f"{number}.txt": bytes(100_000) for number in range(5)}))
    unpacking = Unpacking(file_bytes_max=100_000, bytes_max=150_000)
    found = entries(file)
    assert [len(unpacking.read(file, one)) for one in found[:2]] == [100_000] * 2
    for entry in found[2:]:
        with pytest.raises(Unread) as refused:
            unpacking.read(file, entry)
        assert refused.value.reason == UnreadReason.TOO_LARGE
