"""Archives with files of a batch: what is in them is taken by name, and nothing leads elsewhere or grows without bound."""

import io
import stat
import zipfile

import pytest

from tests.support.batching import Batching, letter, zipped
from tests.support.instance import Client, Instance


@pytest.fixture(scope="module")
def customer(instance: Instance) -> Client:
    return instance.customer()


def reasons(batch: Batching, archive: bytes) -> dict[str, str]:
    """By the name of a file what became of it."""
    reply = batch.send_zip(archive)
    assert reply.status == 200, reply.body
    return {
        one["name"]: one["reason"]["code"] if one["reason"] else one["outcome"]
        for one in reply.json["files"]
    }


def with_link(name: str, target: str) -> bytes:
    """An archive with a symbolic link."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo(name)
        link.create_system = 3
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, target)
        archive.writestr("surat.pdf", letter("surat di samping tautan"))
    return out.getvalue()


def test_files_are_named_as_in_their_archive(customer: Client) -> None:
    files = {
        "gaji/surat é.pdf": letter("satu"),
        "gaji/dua.pdf": letter("dua"),
        "__MACOSX/gaji/._dua.pdf": b"x",
        "gaji/.DS_Store": b"x",
    }
    found = reasons(Batching(customer), zipped(files))
    assert found == {"gaji/surat é.pdf": "added", "gaji/dua.pdf": "added"}


def test_name_in_cp437_is_read(customer: Client) -> None:
    archive = zipped({"surat-X.pdf": letter("satu")}).replace(b"surat-X", "surat-é".encode("cp437"))
    assert reasons(Batching(customer), archive) == {"surat-é.pdf": "added"}


@pytest.mark.parametrize(
    "name", ["../surat.pdf", "/etc/surat.pdf", "a/../../surat.pdf", "C:/surat.pdf"]
)
def test_name_that_leads_elsewhere_is_refused_by_name(customer: Client, name: str) -> None:
    found = reasons(Batching(customer), zipped({name: letter("satu"), "baik.pdf": letter("dua")}))
    assert sorted(found.values()) == ["added", "file_name_unsafe"]
    assert found["baik.pdf"] == "added"


def test_link_and_archive_in_an_archive_are_not_followed(customer: Client) -> None:
    assert reasons(Batching(customer), with_link("tautan.pdf", "/etc/passwd")) == {
        "tautan.pdf": "file_is_link",
        "surat.pdf": "added",
    }
    nested = zipped({"dalam.zip": zipped({"a.pdf": letter("a")}), "b.pdf": letter("b")})
    assert reasons(Batching(customer), nested) == {"dalam.zip": "file_unread", "b.pdf": "added"}


def test_bomb_is_refused_by_name(customer: Client) -> None:
    bomb = zipped({"nol.pdf": bytes(20_000_000), "baik.pdf": letter("baik")})
    assert len(bomb) < 50_000
    found = reasons(Batching(customer), bomb)
    assert found["nol.pdf"] != "added"
    assert found["baik.pdf"] == "added"


def test_size_that_is_told_too_small_is_not_believed(customer: Client) -> None:
    archive = bytearray(zipped({"a.pdf": letter("a") + bytes(1_000_000)}))
    told = len(letter("a")) + 1_000_000
    for at in range(len(archive) - 4):
        if archive[at : at + 4] == told.to_bytes(4, "little"):
            archive[at : at + 4] = (1_000).to_bytes(4, "little")
    assert reasons(Batching(customer), bytes(archive)) == {"a.pdf": "file_unread"}


@pytest.mark.parametrize(
    "archive", [b"PK\3\4rusak", zipped({"a.pdf": letter("a")})[:-30], zipped({})]
)
def test_what_is_no_archive_is_refused_whole(customer: Client, archive: bytes) -> None:
    reply = Batching(customer).send_zip(archive)
    assert (reply.status, reply.json["code"]) == (422, "archive_unread")


def test_other_bytes_under_a_name_are_refused_by_name(customer: Client) -> None:
    batch = Batching(customer)
    assert batch.send({"a.pdf": letter("a")})["added"] == 1
    assert batch.send({"a.pdf": letter("a")})["known"] == 1
    taken = batch.send({"a.pdf": letter("b"), "b.pdf": letter("b")})
    assert [one["outcome"] for one in taken["files"]] == ["refused", "added"]
    assert taken["files"][0]["reason"]["code"] == "file_differs"
    put = customer.call(
        "PUT", f"{batch.path}/files/c.pdf", letter("c"), headers={"Content-Type": "application/pdf"}
    )
    assert put.json["added"] == 1
