"""The worker killed in the middle of step 3 of the way back: what is paid is executed once, and the way goes on."""

from meterai.kit.ids import read
from tests.support.inside import Inside
from tests.support.instance import until
from tests.support.killing import freeze, kill, revive

OPEN = (
    *("incidents", "open", "Pembelian terganggu", "Buying is disturbed"),
    *("--components", "buying=major_outage"),
    *("--text-id", "Kami mencari sebabnya.", "--text-en", "We look for the cause."),
)


def told(inside: Inside, *words: str) -> str:
    done = inside.instance.command(*words)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


def steps(inside: Inside) -> list[str]:
    rows = inside.rows("SELECT state FROM recovery_steps ORDER BY number")
    return [row["state"] for row in rows]


def test_worker_killed_while_it_executes_what_is_paid_goes_on_and_executes_once(
    inside: Inside,
) -> None:
    customer = inside.customer()
    order = customer.place(2)["id"]

    def qr() -> str:
        return str(customer.get(f"/v1/orders/{order}").json["payment"]["qr_content"] or "")

    content = until("the order has a QR", qr)
    told(inside, *OPEN)
    told(inside, "recover", "start")
    for _ in range(2):
        told(inside, "recover", "next")
    assert steps(inside) == ["closing", "stampings", "paid"]
    freeze(inside, "worker")
    assert inside.instance.bank.pay(content).status == 200
    told_of = "SELECT 1 FROM notification_inbox"
    until("the bank has told of the payment", lambda: inside.rows(told_of))
    told(inside, "recover", "go")
    assert customer.get(f"/v1/orders/{order}").json["state"] == "placed"
    kill(inside, "worker")
    # The next worker books the payment, and is killed while it writes that the step has ended.
    with inside.paused_at("LOCK TABLE recovery_steps IN SHARE MODE") as pause:
        revive(inside, "worker")
        pause.wait_for_somebody("recovery_steps")
        kill(inside, "worker")
    assert steps(inside)[:3] == ["closing", "stampings", "paid"]
    revive(inside, "worker")
    until("the way back goes on", lambda: "checking" in steps(inside))
    told(inside, "recover", "hold")
    assert steps(inside).count("checking") == 1
    paid = inside.rows("SELECT state FROM orders WHERE order_id = %s", read("ord", order))
    assert [row["state"] for row in paid] == ["executed"]
    told(inside, "recover", "abandon")
    assert customer.balance()["available"] == 2
    assert told(inside, "audit")
