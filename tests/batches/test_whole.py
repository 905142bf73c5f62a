"""A batch from its making to its results, over the API of a whole instance."""

from tests.support.batching import RECTANGLE, Batching, buy, letter
from tests.support.instance import Instance


def test_batch_stamps_each_row_once_and_results_are_downloaded(instance: Instance) -> None:
    customer = instance.customer()
    buy(instance, customer, 10)
    batch = Batching(customer, "gaji-2026-11")
    names = [f"surat {number}.pdf" for number in range(8)]
    taken = batch.send({name: letter(name) for name in names})
    assert taken["added"] == len(names), taken
    rows = [{"file": name, "placement": RECTANGLE, "type": "4a"} for name in names]
    assert batch.rows([*rows, {"file": "hilang.pdf", "placement": RECTANGLE}])["added"] == 9
    assert batch.start().status == 200
    view = batch.ended()
    assert view["state"] == "finished"
    assert view["rows"]["delivered"] == 8
    assert view["rows"]["refused"] == 1
    files = batch.results()
    assert set(files) == {*names, "results.csv"}
    for name in names:
        assert customer.verify(files[name])["verdict"] == "genuine"
    assert customer.balance() == {"available": 2, "held": 0, "used": 8}
    instance.assert_audit_holds()
