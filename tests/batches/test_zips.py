"""Archives with files of a batch: files are taken by name, no name leads out of its folder, and nothing inflates
without bound.
"""

import hashlib
import io
import stat
import zipfile
from urllib.parse import quote

import pytest

from tests.support.batching import RECTANGLE, Batching, buy, letter, zipped
from tests.support.instance import Client, Instance


@pytest.fixture
def customer(instance: Instance) -> Client:
    return instance.customer()


def reasons(batch: Batching, archive: bytes) -> dict[str, str]:
    """Outcome of each file, by its name."""
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


@pytest.mark.parametrize(
    "name", ["../surat.pdf", "/etc/surat.pdf", "a/../../surat.pdf", "C:/surat.pdf"]
)
def test_name_leading_out_of_its_folder_is_refused(customer: Client, name: str) -> None:
    found = reasons(Batching(customer), zipped({name: letter("satu"), "baik.pdf": letter("dua")}))
    assert sorted(found.values()) == ["added", "file_name_unsafe"]
    assert found["baik.pdf"] == "added"


HIDDEN = {".letter.pdf": "satu", "letter.pdf": "dua", ".d/z.pdf": "tiga", "d/..z.pdf": "empat", ".pdf": "lima"}  # fmt: skip
# A backslash is missing here: whether it separates folders depends on the system.
UNSAFE = ("d//a.pdf", "d/./a.pdf", "a.pdf ", "d /a.pdf", "a\u0301.pdf", "a\u202e.pdf", "d\\a.pdf", "a\tb.pdf", "...", 'a".pdf')  # fmt: skip


def test_row_is_stamped_with_file_of_exactly_its_name(customer: Client, instance: Instance) -> None:
    buy(instance, customer, 2 * len(HIDDEN))
    for is_packed in (True, False):
        way = str(is_packed)
        files = {name: letter(f"{way} {words}") for name, words in HIDDEN.items()}
        batch = Batching(customer)
        taken = batch.send_zip(zipped(files)).json if is_packed else batch.send(files)
        assert [(one["name"], one["outcome"]) for one in taken["files"]] == [
            (name, "added") for name in files
        ]
        batch.rows({"file": name, "key": f"{way} {name}", "placement": RECTANGLE} for name in files)
        assert batch.start().status == 200
        batch.ended()
        found = {row["key"]: row["sha256"] for row in batch.every("delivered")}
        assert found == {
            f"{way} {name}": hashlib.sha256(content).hexdigest() for name, content in files.items()
        }


def test_name_that_needs_a_change_is_refused_unchanged(customer: Client) -> None:
    shown = {name: name.replace("\u202e", "\\u202e").replace("\t", "\\t") for name in UNSAFE}
    refused = dict.fromkeys(shown.values(), "file_name_unsafe")
    assert reasons(Batching(customer), zipped({name: letter("a") for name in UNSAFE})) == refused
    batch = Batching(customer)
    taken = batch.send({name.replace('"', "%22"): letter("a") for name in UNSAFE})["files"]
    assert {one["name"]: one["reason"]["code"] for one in taken} == refused
    for name in UNSAFE:
        if "/" not in name:
            (one,) = customer.call("PUT", f"{batch.path}/files/{quote(name)}", letter("a")).json[
                "files"
            ]
            assert (one["name"], one["reason"]["code"]) == (shown[name], "file_name_unsafe")
    rows = batch.rows({"file": name, "placement": RECTANGLE} for name in UNSAFE)["refused"]
    assert [row["reason"]["code"] for row in rows] == ["file_name_unsafe"] * len(UNSAFE)


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
