"""The answer to a repeated command is marked as replayed over HTTP; the first answer is not."""

from collections.abc import Callable

from tests.support.instance import Instance, Reply, until
from tests.support.money import payable
from tests.support.pdf import pdf

REPLAYED = "idempotent-replayed"


def assert_told_apart(command: Callable[[], Reply]) -> None:
    first, *repeats = (command() for _ in range(3))
    assert first.status == 201, first.body
    assert REPLAYED not in first.headers
    for repeat in repeats:
        assert (repeat.status, repeat.headers[REPLAYED]) == (201, "true")
        assert repeat.json["id"] == first.json["id"]


def test_every_command_with_a_key_marks_a_repeat(audited: Instance) -> None:
    customer = audited.customer()

    def buy() -> Reply:
        return customer.post("/v1/orders", {"quantity": 3}, headers={"Idempotency-Key": "k"})

    assert_told_apart(buy)
    order = buy().json
    audited.bank.pay(payable(customer, order))
    until("stamps are issued", lambda: customer.balance()["available"] == 3)
    document = pdf()
    assert_told_apart(lambda: customer.stamp(document, key="k"))
    assert_told_apart(lambda: customer.ask_back(order["id"], key="k"))

    # A refusal replays no earlier answer, and neither does a GET.
    other = customer.post("/v1/orders", {"quantity": 2}, headers={"Idempotency-Key": "k"})
    assert (other.status, REPLAYED in other.headers) == (422, False)
    assert REPLAYED not in customer.get(f"/v1/orders/{order['id']}").headers


def test_misspelt_key_header_counts_as_missing(instance: Instance) -> None:
    customer = instance.customer()
    bodies = {"/v1/orders": {"quantity": 1}, "/v1/refunds": {"order_id": "ord_x"}}
    for name in ("Idempotency_Key", "X-Idempotency-Key", "IdempotencyKey", "Idempotent-Key"):
        for path, body in bodies.items():
            reply = customer.post(path, body, headers={name: "k"})
            assert (reply.status, reply.json["code"]) == (400, "idempotency_key_missing"), name
