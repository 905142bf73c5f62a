"""Uploads and downloads."""

import asyncio
import hashlib
import io
from email.parser import BytesParser
from pathlib import Path

import pytest
from meterai_client import AsyncMeterai, At, DownloadDamaged, Meterai, Retrying
from meterai_client.contents import CHUNK_BYTES, Target, file_of, form_of
from scripted import NO_ANSWER, Said, said, scripted
from test_retrying import AT_ONCE, client_of

VERIFICATION = {
    "verdict": "genuine", "summary": "", "is_specimen": True, "checked_at": "2026-11-30T00:00:00Z",
    "checked_by": "x", "sha256": "", "size_bytes": 1, "serials": [], "sealed_at": None,
    "sha256_original": None, "checks": [],
}  # fmt: skip
LARGE = bytes(range(256)) * (5 * CHUNK_BYTES // 512)


def test_form_is_read_by_other_parsers(tmp_path: Path) -> None:
    path = tmp_path / 'sur"at.pdf'
    path.write_bytes(LARGE)
    body = form_of([("document", file_of(path)), ("reference", "é"), ("left", None)])
    sent = b"".join(body.chunks())
    assert len(sent) == body.size
    read = BytesParser().parsebytes(f"Content-Type: {body.content_type}\r\n\r\n".encode() + sent)
    _, document, reference = read.walk()
    assert document.get_payload(decode=True) == LARGE
    assert document.get_filename() == "sur%22at.pdf"
    assert reference.get_payload(decode=True) == "é".encode()


@pytest.mark.parametrize("how", ["bytes", "path", "open"])
def test_interrupted_upload_restarts_from_the_beginning(tmp_path: Path, how: str) -> None:
    path = tmp_path / "large.pdf"
    path.write_bytes(LARGE)
    seen: list[tuple[int, int]] = []
    with scripted([NO_ANSWER, said(VERIFICATION)]) as server, path.open("rb") as file:
        given = {"bytes": LARGE, "path": path, "open": file}[how]
        with client_of(server.url) as client:
            found = client.verifications.check(given, progress=lambda *told: seen.append(told))  # type: ignore[arg-type]
    assert not found.is_good, "a specimen"
    assert [one.body == LARGE for one in server.asked] == [True, True]
    assert seen[-1] == (len(LARGE), len(LARGE))


def test_awaited_upload_has_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "large.pdf"
    path.write_bytes(LARGE)

    async def run(url: str) -> None:
        async with AsyncMeterai(url, retrying=AT_ONCE) as client:
            assert (await client.verifications.check(path)).verdict == "genuine"
            await client.verifications.sealed(path, tmp_path / "sealed.pdf")

    with scripted([NO_ANSWER, said(VERIFICATION), NO_ANSWER, Said(200, LARGE)]) as server:
        asyncio.run(run(server.url))
    assert [one.body == LARGE for one in server.asked] == [True] * 4
    assert (tmp_path / "sealed.pdf").read_bytes() == LARGE


def test_interrupted_download_restarts_and_appears_when_complete(tmp_path: Path) -> None:
    path = tmp_path / "stamped.pdf"
    whole = Said(200, LARGE, {"Content-Type": "application/pdf"})
    cut = Said(200, LARGE, {"Content-Type": "application/pdf"}, half=True)
    with scripted([cut, whole]) as server, client_of(server.url) as client:
        found = client.stampings.download("stg_1", path)
    assert path.read_bytes() == LARGE
    assert (found.size, found.sha256) == (len(LARGE), hashlib.sha256(LARGE).hexdigest())
    assert [one.name for one in tmp_path.iterdir()] == ["stamped.pdf"]


def test_download_into_open_file_is_written_once() -> None:
    into = io.BytesIO(b"before")
    into.seek(6)
    cut = Said(200, LARGE, half=True)
    with scripted([cut, Said(200, LARGE)]) as server, client_of(server.url) as client:
        client.stampings.download_delta("stg_1", into)
    assert into.getvalue() == b"before" + LARGE


def test_damaged_download_leaves_no_file(tmp_path: Path) -> None:
    target = Target(tmp_path / "x.pdf", "0" * 64)
    target.begin()
    target.write(b"x")
    with pytest.raises(DownloadDamaged):
        target.finish()
    assert list(tmp_path.iterdir()) == []


def test_refused_download_leaves_file_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    path.write_bytes(b"before")
    with (
        scripted([Said(404, b"", {})]) as server,
        client_of(server.url) as client,
        pytest.raises(Exception, match="404"),
    ):
        client.stampings.download("stg_1", path)
    assert path.read_bytes() == b"before"


def test_missing_file_raises_before_sending() -> None:
    with (
        scripted([NO_ANSWER]) as server,
        Meterai(server.url, retrying=Retrying()) as client,
        pytest.raises(FileNotFoundError),
    ):
        client.stampings.stamp("missing.pdf", At(1, 0, 0))
    assert server.asked == []
