"""Many files at once, through a whole instance: rows as they arrive, CSV, sealed revisions, limits."""

import csv
import hashlib
import io
import json
import time
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
import urllib3

from meterai.plumbing.messages import translate
from meterai.verification.pages.many import MANY_FORM_BYTES_MAX, TABLE_ROWS_MAX
from tests.support.instance import Client, Instance, until
from tests.support.money import payable
from tests.support.pdf import pdf

HTML = {"Accept": "text/html", "Accept-Language": "id"}
Files = list[tuple[str, bytes]]


class Papers:
    """Documents of a committee: stamped letters, a changed one, and one without a stamp."""

    def __init__(self, instance: Instance) -> None:
        self.anybody = instance.anybody()
        customer = instance.customer()
        order = customer.place(1)
        instance.bank.pay(payable(customer, order))
        until("a stamp is issued", lambda: customer.balance()["available"] == 1)
        stamping = customer.stamp(pdf()).json
        self.serial = stamping["serials"][0]
        self.good = customer.get(stamping["document_url"]).body
        until("it is genuine", lambda: self.anybody.verify(self.good)["verdict"] == "genuine")
        self.files: Files = [
            ("Budi.pdf", self.good),
            ("=cmd|'x'!A1.pdf", self.good.replace(b"595", b"594", 1)),
            ("Tanpa, meterai.pdf", pdf()),
        ]


@pytest.fixture(scope="module")
def papers(instance: Instance) -> Iterator[Papers]:
    yield Papers(instance)
    instance.assert_audit_holds()


def packed(files: Files) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return out.getvalue()


def sent(client: Client, path: str, files: Files, **headers: str) -> tuple[int, str]:
    fields = [("document", (name, content)) for name, content in files]
    body, kind = urllib3.encode_multipart_formdata(fields)
    reply = client.post(path, body, headers=HTML | {"Content-Type": kind} | headers)
    return reply.status, reply.body.decode()


def table_of(text: str) -> list[list[str]]:
    """The cells of a CSV in Indonesian."""
    return list(csv.reader(io.StringIO(text[1:], newline=""), delimiter=";", strict=True))


@pytest.mark.parametrize("is_packed", [True, False], ids=["zip", "files"])
def test_table_has_a_row_for_each_file_and_a_sum(papers: Papers, is_packed: bool) -> None:
    files = [("semua.zip", packed(papers.files))] if is_packed else papers.files
    status, text = sent(papers.anybody, "/check/many", files)
    assert status == 200
    assert text.count("<tr class=") == 3
    assert [text.count(f'<tr class="{kind}') for kind in ("good", "bad", "unsure")] == [1, 1, 1]
    assert translate("page.many.counts", "id", count=3) in text
    for verdict in ("genuine", "altered", "not_sealed"):
        assert f"{translate(f'verdict.{verdict}', 'id')} 1</li>" in text
    assert text.rstrip().endswith("</html>")
    assert text.count("</table>") == 1


def test_csv_is_safe_to_open(papers: Papers) -> None:
    status, text = sent(papers.anybody, "/check/many.csv", papers.files)
    assert status == 200
    assert text.startswith("\ufeffBerkas;Hasil;"), (
        "as a spreadsheet with Indonesian settings parts it"
    )
    assert text.endswith("\r\n")
    rows = table_of(text)
    assert {len(row) for row in rows} == {16}
    # Bad results come first.
    assert [row[0] for row in rows[1:]] == ["'=cmd|'x'!A1.pdf", "Tanpa, meterai.pdf", "Budi.pdf"]
    assert translate("verdict.altered", "id") == rows[1][1]
    assert rows[1][2]
    assert rows[3][1:4] == [translate("verdict.genuine", "id"), "", "SPECIMEN"]
    assert rows[3][4].replace(" ", "") == papers.serial
    [altered, plain, good] = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert good["serials"] == papers.serial
    assert good["sealed_sha256"] == good["sha256"] == hashlib.sha256(papers.good).hexdigest()
    assert (good["sealed_bytes"], good["later_bytes"]) == (str(len(papers.good)), "0")
    assert [one["verdict"] for one in (good, altered, plain)] == [
        "genuine",
        "altered",
        "not_sealed",
    ]
    assert not any(one["sealed_bytes"] for one in (altered, plain))


def workbook_of(content: bytes) -> tuple[list[list[str | float]], str]:
    """The cells of the only sheet of a workbook, row by row, and its XML."""
    space = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        strings = ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))
    texts = ["".join(one.itertext()) for one in strings.findall("m:si", space)]
    rows: list[list[str | float]] = []
    for row in ElementTree.fromstring(sheet).iterfind(".//m:row", space):
        values = [(one.get("t"), one.findtext("m:v", "", space)) for one in row]
        rows.append([texts[int(v)] if kind == "s" else float(v) for kind, v in values if v])
    return rows, sheet


def test_workbook_has_no_formula_and_stores_counts_as_numbers(papers: Papers) -> None:
    fields = [("document", one) for one in papers.files]
    body, kind = urllib3.encode_multipart_formdata(fields)
    reply = papers.anybody.post("/check/many.xlsx", body, headers=HTML | {"Content-Type": kind})
    assert reply.status == 200
    assert 'filename="hasil-pemeriksaan.xlsx"' in reply.headers["content-disposition"]
    rows, xml = workbook_of(reply.body)
    assert "<f>" not in xml
    assert "hyperlink" not in xml
    assert [row[0] for row in rows[1:]] == ["=cmd|'x'!A1.pdf", "Tanpa, meterai.pdf", "Budi.pdf"]
    assert len(papers.good) in rows[3]


@pytest.mark.parametrize(
    ("kind", "table", "status"),
    [
        ("csv", "", 422),
        ("csv", "[[1]]", 422),
        ("xlsx", json.dumps([["x"]] * (TABLE_ROWS_MAX + 1)), 422),
        ("xlsx", json.dumps([["x"] * 17]), 422),
        ("pdf", "[]", 404),
    ],
)
def test_malformed_table_is_refused(papers: Papers, kind: str, table: str, status: int) -> None:
    body, form = urllib3.encode_multipart_formdata({"table": table})
    headers = HTML | {"Content-Type": form}
    assert papers.anybody.post(f"/check/many/table/{kind}", body, headers=headers).status == status


PHOTOS = {
    "foto.jpg": b"\xff\xd8\xff\xe0" + b"x" * 20,
    "foto.png": b"\x89PNG\r\n\x1a\n" + b"x" * 20,
    "foto.heic": b"\0\0\0\x18ftypheic\0\0\0\0",
}
OFFICE = {
    "surat.docx": packed([("[Content_Types].xml", b"<Types/>"), ("word/document.xml", b"<w/>")]),
    "surat.odt": packed([("mimetype", b"application/vnd.oasis.opendocument.text")]),
    "surat.doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600,
}


@pytest.mark.parametrize("is_packed", [True, False], ids=["zip", "files"])
def test_file_that_is_no_pdf_gets_advice_for_its_type(papers: Papers, is_packed: bool) -> None:
    given = [*PHOTOS.items(), *OFFICE.items()]
    files = [("semua.zip", packed([*given, ("a.pdf", pdf())]))] if is_packed else given
    _, text = sent(papers.anybody, "/check/many", files)
    assert text.count(translate("page.many.not_checked.photo", "id") + "</td>") == 3
    assert text.count(translate("page.many.not_checked.office", "id") + "</td>") == 3


@pytest.mark.parametrize("is_packed", [True, False], ids=["zip", "files"])
def test_archive_has_the_sealed_revision_of_each_good_file(papers: Papers, is_packed: bool) -> None:
    given = [*papers.files, ("Budi.pdf", papers.good + b"x" * 100_000)]
    names = ["Budi.pdf", "b.pdf", "c.pdf", "d/Budi.pdf"]
    given = [(name, content) for name, (_, content) in zip(names, given, strict=True)]
    files = [("semua.zip", packed(given))] if is_packed else given
    fields = [("document", (name, content)) for name, content in files]
    body, kind = urllib3.encode_multipart_formdata(fields)
    reply = papers.anybody.post("/check/many.zip", body, headers=HTML | {"Content-Type": kind})
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(reply.body)) as archive:
        assert archive.testzip() is None
        *sealed, manifest = archive.namelist()
        assert sealed[0] == "Budi-meterai.pdf"
        assert len(sealed) == 2
        assert all(archive.read(name) == papers.good for name in sealed)
        text = archive.read(manifest).decode()
    rows = list(csv.DictReader(io.StringIO(text[1:], newline=""), delimiter=";", strict=True))
    assert manifest == "manifest.csv"
    by_file = {row["sealed_file"]: row for row in rows}
    assert set(by_file) == {*sealed, ""}
    extended = by_file[sealed[1]]
    assert (extended["verdict"], extended["later_bytes"]) == ("genuine_then_extended", "100000")
    assert extended["sealed_sha256"] == hashlib.sha256(papers.good).hexdigest()


def test_first_byte_arrives_before_the_last_file_is_examined(
    papers: Papers, instance: Instance
) -> None:
    """The first byte arrives before the last file is examined, so that no proxy ends an idle connection."""
    files = [(f"{number}.pdf", papers.good) for number in range(150)]
    fields = [("document", (name, content)) for name, content in files]
    body, kind = urllib3.encode_multipart_formdata(fields)
    answer = urllib3.PoolManager().request(
        "POST",
        f"{instance.url}/check/many/rows",
        body=body,
        headers=HTML | {"Content-Type": kind},
        preload_content=False,
    )
    begun = time.monotonic()
    times = [time.monotonic() - begun for _ in answer.stream(64)]
    assert times[0] < times[-1] / 2


def test_truncated_form_is_reported_in_its_table(papers: Papers) -> None:
    body, kind = urllib3.encode_multipart_formdata(
        [("document", (name, content)) for name, content in papers.files[:2]]
    )
    reply = papers.anybody.post("/check/many", body[:-300], headers=HTML | {"Content-Type": kind})
    text = reply.body.decode()
    assert reply.status == 200
    assert text.count('<tr class="good"') == 1
    assert translate("page.many.not_checked.damaged", "id") in text
    assert text.count(" data-unchecked ") == 1, "it has no answer, and is no answer to keep"


def test_form_that_is_too_large_is_refused_with_the_limit(
    papers: Papers, instance: Instance
) -> None:
    headers = HTML | {
        "Content-Type": "multipart/form-data; boundary=x",
        "Content-Length": str(MANY_FORM_BYTES_MAX + 1),
    }
    # On a connection of its own, since the rest of the body never comes.
    reply = instance.anybody().post("/check/many", b"--x", headers=headers)
    assert reply.status == 413
    assert "128 MB" in reply.body.decode()
