"""Batches by the Python client: a bad row is named, and a repeated row is recognized."""

import zipfile
from pathlib import Path

from meterai_client import At, InCorner, Meterai, Retrying, Row

from tests.support.dropping import dropping
from tests.support.instance import Instance
from tests.support.pdf import pdf

PATIENT = Retrying(first_seconds=0.1, longest_seconds=1.0, tries_max=100)


def test_batch_sent_twice_is_stamped_once(audited: Instance, tmp_path: Path):
    key = audited.customer().key
    names = [f"surat-{number}.pdf" for number in range(6)]
    for name in names:
        (tmp_path / name).write_bytes(pdf(words=name))
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.writestr("more.pdf", pdf(words="more"))
    with dropping(audited.port) as proxy, Meterai(proxy.url, key, retrying=PATIENT) as client:
        proxy.to_lose = 4
        batch = client.batches.create("salaries", key="salaries")
        for _ in range(2):
            client.batches.add_file(batch.id, tmp_path / names[0])
            client.batches.add_files(batch.id, [tmp_path / name for name in names[1:]])
            client.batches.add_zip(batch.id, tmp_path / "more.zip")
            rows = [Row(file=one, placement=InCorner("bottom_right"), key=one) for one in names]
            rows.append(Row(file="more.pdf", placement=[At(1, 60, 60), At(1, 300, 60)], type="4a"))
            taken = client.batches.add_rows(
                batch.id, [*rows, Row(file="none.pdf", placement=At(1, 9, 9))]
            )
        assert proxy.lost == 4
        assert (taken.added, taken.known) == (0, 8)
        started = client.batches.start(batch.id, orders=True)
        assert started.order is not None
        assert started.order.quantity == 8
        audited.bank.pay(started.order.payment.qr_content or "")
        seen: list[float] = []
        ended = client.batches.wait(batch.id, progress=lambda one: seen.append(one.progress))
        assert (ended.rows.delivered, ended.rows.refused) == (7, 1)
        assert seen[-1] == 1
        (wrong,) = client.batches.rows(batch.id, state="refused", page_size=1)
        assert wrong.reason is not None
        assert wrong.reason.code == "row_file_missing"
        assert len(list(client.batches.rows(batch.id, page_size=3))) == 8
        client.batches.results(batch.id, tmp_path / "results.zip")
        with zipfile.ZipFile(tmp_path / "results.zip") as archive:
            assert {*names, "more.pdf", "results.csv"} == set(archive.namelist())
            assert client.verifications.check(archive.read("more.pdf")).verdict == "genuine"
        client.batches.document(batch.id, 1, tmp_path / "one.pdf")
        assert client.verifications.check(tmp_path / "one.pdf").verdict == "genuine"
        assert [one.id for one in client.batches.list(reference="salaries")] == [batch.id]
        assert client.stampings.balance().used == 8
