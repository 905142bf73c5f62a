"""Offline verification of a record, by our command and by the public script; one changed byte invalidates it."""

import random
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from meterai.outages.model import RecordWrong
from meterai.outages.record import read_record, signed, signer_of
from meterai.outages.service import SIGNED
from meterai.outages.verification import Keys, examine, read_keys
from meterai.plumbing.signed import SignatureWrong
from meterai.sealing import NotJudged
from tests.support.commands import Done, run_here
from tests.support.outages import Keeping
from tests.support.readings import file_of

STRANGER = Path("docs/outages/verify_outage.py")
FLIPS = 200  # positions in a file; a PDF takes 15 ms to verify


@dataclass
class Published:
    """A sealed record and the published keys, as files."""

    keeping: Keeping
    folder: Path
    files: dict[str, bytes]
    keys_file: Path

    @property
    def keys(self) -> Keys:
        return read_keys([self.keys_file])

    def write(self, name: str, content: bytes) -> Path:
        file = self.folder / name
        file.write_bytes(content)
        return file

    def verify(self, name: str, content: bytes, *keys: Path) -> Done:
        named = [one for key in (keys or (self.keys_file,)) for one in ("--keys", str(key))]
        return run_here(self.folder, "outage", "verify", str(self.write(name, content)), *named)


@pytest.fixture
def published(keeping: Keeping, tmp_path: Path) -> Published:
    outage = keeping.sealed()
    files = {name: keeping.file(outage, name) for name in (SIGNED, "id.pdf", "en.pdf")}
    return Published(keeping, tmp_path, files, keeping.keys(tmp_path))


def test_verify_prints_the_periods_and_derives_them_again(published: Published) -> None:
    for name, content in published.files.items():
        done = published.verify(name, content)
        assert done.returncode == 0, done.stdout + done.stderr
        assert (
            "affix failed from 2024-09-03T12:10:00+00:00 to 2024-09-03T12:30:00+00:00"
            in done.stdout
        )
        assert "result in the same periods" in done.stdout


def test_verify_derives_by_trusted_watchers(published: Published) -> None:
    keeping = published.keeping
    known = [one.known("https://w.example") for one in keeping.watchers]
    folder = published.folder / "trusted"
    folder.mkdir()
    (folder / "keys.pem").write_bytes(published.keys_file.read_bytes())
    trusted = folder / "watchers.toml"
    trusted.write_text(file_of(known, keeping.watchers))
    done = published.verify("a.json", published.files[SIGNED], folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the watchers you trust" in done.stdout
    # Watchers whose keys are not in the record have no readings, and so no failure.
    trusted.write_text(file_of(known[:1], keeping.watchers[:1]).replace("jakarta", "bandung"))
    done = published.verify("a.json", published.files[SIGNED], folder)
    assert (done.returncode, "other periods" in done.stdout) == (1, True)


@pytest.mark.parametrize("name", [SIGNED, "id.pdf"])
def test_record_with_one_byte_changed_is_refused(published: Published, name: str) -> None:
    content, keys = published.files[name], published.keys
    assert examine(content, keys, datetime.now(UTC)).is_borne_out
    by_chance = random.Random(1)
    places = [by_chance.randrange(len(content)) for _ in range(FLIPS)]
    edges = [0, 1, 2, len(content) - 3, len(content) - 2, len(content) - 1]
    held = []
    for place in places + edges:
        # Also a change of letter case: base64 and hexadecimal digits may decode to the same.
        for mask in (0x01, 0x20):
            changed = bytearray(content)
            changed[place] ^= mask
            try:
                found = examine(bytes(changed), keys, datetime.now(UTC))
            except (SignatureWrong, RecordWrong, NotJudged):
                continue
            held.append((place, mask, found.is_borne_out))
    assert not held


def test_record_in_another_encoding_is_refused(published: Published) -> None:
    content = published.files[SIGNED]
    for other in (
        content + b"\n",
        content.replace(b": ", b":", 1),
        content.replace(b"A", b"\\u0041", 1),
    ):
        assert other != content
        with pytest.raises(SignatureWrong):
            examine(other, published.keys, datetime.now(UTC))


def test_record_that_claims_more_than_its_readings_is_rejected(
    published: Published,
) -> None:
    signer = signer_of(published.keeping.shop.container.keyring)
    record = read_record(published.files[SIGNED], signer.public_key())
    longer = {
        act: [msgspec.structs.replace(one, end=record.end) for one in periods]
        for act, periods in record.failed.items()
    }
    forged = signed(msgspec.structs.replace(record, failed=longer), signer).encode()
    assert not examine(forged, published.keys, datetime.now(UTC)).is_borne_out
    done = published.verify("forged.json", forged)
    assert (done.returncode, "other periods" in done.stdout) == (1, True)
    assert stranger(published, "forged.json").returncode != 0


def stranger(published: Published, name: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [
            *(sys.executable, str(STRANGER.absolute()), str(published.folder / name)),
            str(published.keys_file),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def test_public_script_of_thirty_lines_derives_the_same(published: Published) -> None:
    published.write("a.json", published.files[SIGNED])
    done = stranger(published, "a.json")
    assert done.returncode == 0, done.stderr
    assert "affix failed from 2024-09-03 12:10:00+00:00 to 2024-09-03 12:30:00+00:00" in done.stdout
    published.write("b.json", published.files[SIGNED].replace(b'"payload": "ey', b'"payload": "eY'))
    assert stranger(published, "b.json").returncode != 0
    assert len(STRANGER.read_text().splitlines()) <= 30
