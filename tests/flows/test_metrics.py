"""What the web says about itself, all of its processes together."""

from pathlib import Path

from tests.support.instance import Instance, until


def test_the_processes_of_the_web_count_together(tmp_path: Path) -> None:
    with Instance(tmp_path, METERAI_WORKERS="2") as instance:
        for _ in range(20):
            # A connection of its own each time, so that both processes get some.
            assert instance.anybody().get("/healthz").status == 200
        assert instance.anybody().get("/nothing/here").status == 404
        assert instance.anybody().call("BREW", "/healthz").status == 405
        shown = instance.anybody().get("/metrics").body.decode().splitlines()
    count = "meterai_requests_total"
    assert f'{count}{{method="GET",route="/healthz",status="200"}} 20.0' in shown
    assert f'{count}{{method="GET",route="none",status="404"}} 1.0' in shown
    assert f'{count}{{method="other",route="none",status="405"}} 1.0' in shown
    assert 'meterai_request_seconds_count{route="/healthz"} 20.0' in shown


def test_the_worker_counts_in_the_same_place(instance: Instance) -> None:
    customer = instance.customer()
    order = customer.place()
    instance.bank.pay(order["payment"]["qr_content"])
    until("it is issued", lambda: customer.balance()["available"] == 1)
    shown = instance.anybody().get("/metrics").body.decode()
    assert 'meterai_jobs_total{kind="payment_captured",outcome="done"}' in shown


def test_every_answer_has_the_headers_that_protect(instance: Instance) -> None:
    for path in ("/healthz", "/v1/orders", "/nothing/here"):
        assert "content-security-policy" in instance.anybody().get(path).headers
