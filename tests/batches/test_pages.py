"""Pages of batches without a script: made by a form, started by a button, reloaded meanwhile."""

import pytest
import urllib3

from tests.support.batching import letter, zipped
from tests.support.browser_forms import Sent, Visitor, visitors
from tests.support.inside import Inside
from tests.support.instance import Instance, until

HEADER = "nama file;password;tipe;nomor;tanggal;tempat;npwp/nik;nama;llx;lly;urx;ury"


@pytest.fixture
def inside(instance: Instance) -> Inside:
    return Inside(instance)


def table(*names: str) -> bytes:
    """A table as Excel writes it: a row for each name, and one with a wrong day."""
    rows = [f"{name};;4a;7;05/11/2026;Bandung;;;100;100;200;260" for name in names]
    wrong = f"{names[0]};;4a;7;31/02/2026;Bandung;;;100;100;200;260"
    return "\r\n".join((HEADER, *rows, wrong)).encode("utf-8-sig")


def making(visitor: Visitor, *files: tuple[str, bytes]) -> Sent:
    """The form of a new batch with these files."""
    plain = visitor.form("/batches", "/batches/new")
    pairs = [one.partition("=") for one in plain.body.decode().split("&")]
    fields: list[tuple[str, object]] = [(name, value) for name, _, value in pairs]
    fields += [("files", (name, content, "application/octet-stream")) for name, content in files]
    body, kind = urllib3.encode_multipart_formdata(fields)  # type: ignore[arg-type]
    return Sent("/batches", body, {"Content-Type": kind})


def test_batch_is_made_started_and_taken_on_pages(inside: Inside) -> None:
    (visitor,) = visitors(inside, 1)
    visitor.buys(2)
    names = ("satu.pdf", "dua.pdf")
    archive = zipped({name: letter(f"halaman {name}") for name in names} | {"bukan.pdf": b"%PDF-x"})
    made = visitor.sends(making(visitor, ("surat.zip", archive), ("tabel.csv", table(*names))))
    assert made.status == 200, made.body
    page = made.body.decode()
    assert "bukan.pdf" in page
    assert "Baris yang salah" in page
    here = page.split('action="', 1)[1].split('/start"', 1)[0]
    started = visitor.sends(visitor.form(f"{here}/start"))
    assert (started.status, started.headers["location"]) == (303, here)
    until("the batch ended", lambda: "Semua baris sudah selesai" in visitor.looks(here))
    page = visitor.looks(here)
    assert "2 dari 3 baris bermeterai, 1 salah" in page
    assert 'http-equiv="refresh"' not in page
    results = visitor.client.get(f"{here}/results.zip", headers=visitor.headers)
    assert (results.status, results.body[:2]) == (200, b"PK")
    rows = visitor.client.get(f"{here}/rows.csv", headers=visitor.headers)
    assert rows.body.decode("utf-8-sig").count("\r\n") == 4
    assert "2 dari 3" in visitor.looks("/batches")
    assert visitor.holds().used == 2


def test_batch_without_stamps_shows_it_and_can_be_cancelled(inside: Inside) -> None:
    (visitor,) = visitors(inside, 1)
    files = ("a.pdf", letter("kurang")), ("tabel.csv", table("a.pdf"))
    page = visitor.sends(making(visitor, *files)).body.decode()
    here = page.split('action="', 1)[1].split('/start"', 1)[0]
    refused = visitor.sends(visitor.form(f"{here}/start"))
    assert refused.status == 409
    assert "Meterai Anda kurang 1" in refused.body.decode()
    waiting = visitor.sends(visitor.form(f"{here}/start", order="yes"))
    assert waiting.status == 303
    page = visitor.looks(here)
    assert 'http-equiv="refresh"' in page
    assert "Bayar meterai yang kurang" in page
    assert visitor.sends(visitor.form(f"{here}/cancel")).status == 303
    assert "dibatalkan" in visitor.looks(here)
