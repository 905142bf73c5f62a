"""Batches with wrong rows of every kind, and a server that is killed meanwhile: each row ends once."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.support.batching import RECTANGLE, Batching, buy, letter, zipped
from tests.support.instance import Instance, until

pytestmark = pytest.mark.sample(1, of="file")

Rows = Callable[[Batching, list[str]], int]
NEVER = {"page": 1, "x": 60, "y": 60, "width": 90}


def wrong_rows(names: list[str]) -> list[object]:
    """37 rows of every wrong kind; `names` are existing files, none of which they stamp."""
    file = iter(names)
    far, none = {**RECTANGLE, "x": 5_000}, {**RECTANGLE, "page": 9}
    return [
        *({"file": f"hilang {at}.pdf", "placement": RECTANGLE} for at in range(4)),
        *({"file": f"bukan {at}.pdf", "placement": RECTANGLE} for at in range(2)),
        b"{",
        b"[]",
        b'"surat"',
        *({"file": next(file), "placement": NEVER, "warna": at} for at in range(2)),
        *(
            {"file": next(file), "placement": NEVER, "date": day}
            for day in ("2026-02-30", "x", "1/1/26")
        ),
        *(
            {"file": next(file), "placement": NEVER, "type": kind}
            for kind in ("4c", "5", "meterai")
        ),
        *(
            {"file": next(file), "placement": NEVER, "party": {"number": at}}
            for at in ("1", "abc", "12E3")
        ),
        *({"file": next(file)} for _ in range(3)),
        *({"file": next(file), "placement": none} for _ in range(3)),
        *({"file": next(file), "placement": far} for _ in range(3)),
        *({"file": next(file), "placement": {"text": "Tidak ada di sini"}} for _ in range(2)),
        *({"file": names[0], "key": f"kunci {at}", "placement": NEVER} for at in range(2)),
        *({"file": names[at], "key": f"lagi {at}", "placement": RECTANGLE} for at in range(2)),
        *({"file": f"../{at}.pdf", "placement": RECTANGLE} for at in range(2)),
    ]


CODES = {
    "row_file_missing": 6,
    "row_unread": 3,
    "malformed": 11,
    "placement_missing": 3,
    "page_out_of_range": 3,
    "placement_outside_page": 3,
    "text_not_found": 2,
    "row_changed": 2,
    "row_twice": 2,
    "file_name_unsafe": 2,
}


# Errors of a row found only with its document, when the batch starts or later.
LATER = (
    "row_file_missing",
    "page_out_of_range",
    "placement_outside_page",
    "text_not_found",
    "row_twice",
)
NAMED_LATER = sum(CODES[code] for code in LATER)
# Columns of the market, and some of ours.
HEADER = (
    *("Nama File", "Password", "Tipe", "Nomor", "Tanggal", "Tempat", "NPWP/NIK", "Nama"),
    *("LLX", "LLY", "URX", "URY", "Halaman", "Teks", "Kunci"),
)
PLACED = {"LLX": "60", "LLY": "60,5", "URX": "140,5", "URY": "160"}
NOT_PLACED = dict.fromkeys(PLACED, "")
TABLES = (("utf-8-sig", ";"), ("utf-16", "\t"), ("cp1252", ","))  # as Excel writes them


def record(**cells: str) -> list[str]:
    """The cells of one record."""
    told = PLACED | {"Tipe": "4a", "Tanggal": "05/11/2026", "Nama": "PT Majú, Tbk"} | cells
    return [told.get(column, "") for column in HEADER]


def right_records(names: list[str]) -> list[list[str]]:
    """A record for each file; the first two have a key."""
    keys = ["kunci 0", "kunci 1", *[""] * len(names)]
    return [
        record(Kunci=key, **{"Nama File": name}) for key, name in zip(keys, names, strict=False)
    ]


def wrong_records(names: list[str]) -> list[list[str] | str]:
    """37 records of every wrong kind, with the same codes as the wrong JSON lines. A text is a whole line."""
    file = iter(names)

    def of_next(**cells: str) -> list[str]:
        return record(**{"Nama File": next(file)} | cells)

    return [
        *(record(**{"Nama File": f"hilang {at}.pdf"}) for at in range(4)),
        *(record(**{"Nama File": f"bukan {at}.pdf"}) for at in range(2)),
        f'{next(file)} "tanpa akhir',
        *([*of_next(), "lebih"] for _ in range(2)),
        *(of_next(Tanggal=day) for day in ("30/02/2026", "x", "1/1/26")),
        *(of_next(Tipe=kind) for kind in ("4c", "5", "meterai")),
        *(of_next(**{"NPWP/NIK": number}) for number in ("1", "abc", "1,23E+14")),
        *(of_next(LLX=side) for side in ("dua", "")),
        *(of_next(**NOT_PLACED) for _ in range(3)),
        *(of_next(Halaman="9") for _ in range(3)),
        *(of_next(LLX="5000", URX="5080") for _ in range(3)),
        *(of_next(**NOT_PLACED, Teks="Tidak ada di sini") for _ in range(2)),
        *(record(Kunci=f"kunci {at}", **{"Nama File": names[0], "Tipe": "3"}) for at in range(2)),
        *(record(Kunci=f"lagi {at}", **{"Nama File": names[at]}) for at in range(2)),
        *(record(**{"Nama File": f"../{at}.pdf"}) for at in range(2)),
    ]


def table(records: Sequence[list[str] | str], encoding: str, separator: str) -> bytes:
    """Write a table as Excel saves it; an unusual separator is declared."""
    out = io.StringIO(newline="")
    if separator == ",":
        out.write("sep=,\r\n")
    writer = csv.writer(out, delimiter=separator)
    writer.writerow(HEADER)
    for one in records:
        if isinstance(one, str):
            out.write(f"{one}\r\n")
        else:
            writer.writerow(one)
    return out.getvalue().encode(encoding)


def as_lines(batch: Batching, names: list[str]) -> int:
    """Send all rows as JSON lines. Return the number of new ones."""
    right: list[object] = [
        {"file": name, "placement": RECTANGLE} | ({"key": f"kunci {at}"} if at < 2 else {})
        for at, name in enumerate(names)
    ]
    return int(batch.rows([*right, *wrong_rows(names)])["added"])


def as_tables(batch: Batching, names: list[str]) -> int:
    """Send all rows as tables of Excel, in several encodings. Return the number of new ones."""
    records: list[list[str] | str] = [*right_records(names), *wrong_records(names)]
    return sum(
        int(batch.csv(table(records[at :: len(TABLES)], *how))["added"])
        for at, how in enumerate(TABLES)
    )


def _sent(batch: Batching, files: dict[str, bytes]) -> int:
    """Send all files, like a client that does not know which ones arrived. Return the number of new ones."""
    names = list(files)
    half = len(names) // 2
    archive = batch.send_zip(zipped({name: files[name] for name in names[:half]}))
    assert archive.status == 200, archive.body
    parts = batch.send({name: files[name] for name in names[half:]})
    return int(archive.json["added"] + parts["added"])


def _assert_completed_once(instance: Instance, good: int, rows: Rows) -> None:
    customer = instance.customer()
    for bought in range(0, good + 10, 500):
        buy(instance, customer, min(500, good + 10 - bought))
    batch = Batching(customer, f"gaji-{good}")
    names = [f"surat {rows.__name__} {at}.pdf" for at in range(good)]
    files = {name: letter(f"Surat {name}") for name in names}
    files |= {f"bukan {at}.pdf": b"ini bukan PDF" for at in range(2)}

    def sent() -> tuple[int, int]:
        """Send everything under the key of the batch. Return the numbers of new files and rows."""
        assert Batching(customer, f"gaji-{good}", batch.key).path == batch.path
        return _sent(batch, files), rows(batch, names)

    assert sent() == (good, good + NAMED_LATER)
    assert batch.start().status == 200
    instance.kill_all()
    instance.start()
    assert sent() == (0, 0)
    until("some rows ended", lambda: batch.now["rows"]["delivered"] > 0)
    instance.kill("worker")
    assert sent() == (0, 0)
    assert batch.start().status == 200
    view = batch.ended(seconds=180)
    assert view["state"] == "finished"
    assert view["rows"]["delivered"] == good
    assert view["rows"]["refused"] == 37
    assert view["rows"]["total"] == good + 37
    refused = batch.every("refused")
    found = [row["reason"]["code"] for row in refused]
    assert {code: found.count(code) for code in set(found)} == CODES
    assert all(row["reason"]["id"] and row["reason"]["en"] for row in refused)
    results = batch.results()
    assert set(results) == {*names, "results.csv"}
    serials = {serial for row in batch.every("delivered") for serial in row["serials"]}
    assert len(serials) == good
    assert results["results.csv"].count(b"\r\n") == 1 + good + 37
    assert customer.balance() == {"available": 10, "held": 0, "used": good}
    assert customer.verify(results[names[-1]])["verdict"] == "genuine"
    instance.assert_audit_holds()


QUICK = {
    "METERAI_SEAL_LEASE_SECONDS": "3",
    "METERAI_BATCH_LEASE_SECONDS": "3",
    "METERAI_BATCH_CHUNK_ROWS": "4",
}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance that is killed."""
    with Instance(tmp_path_factory.mktemp("killed"), **QUICK) as instance:
        yield instance


@pytest.mark.parametrize("rows", [as_lines, as_tables])
def test_each_row_ends_once_though_the_server_is_killed_twice(killed: Instance, rows: Rows) -> None:
    _assert_completed_once(killed, 83, rows)
