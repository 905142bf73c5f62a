"""Metrics of the web: summed over all its processes, and not served to the public."""

from pathlib import Path

import psutil
import pytest

from tests.support.instance import Client, Instance, until
from tests.support.money import payable

REQUESTS = "meterai_requests_total"
HEALTHY = f'{REQUESTS}{{method="GET",route="/healthz",status="200"}}'


@pytest.mark.soak
def test_metrics_sum_all_web_processes(tmp_path: Path) -> None:
    with Instance(tmp_path, METERAI_WORKERS="2") as instance:
        for _ in range(20):
            # A new connection each time, so that both processes get some.
            assert instance.anybody().get("/healthz").status == 200
        assert instance.anybody().get("/nothing/here").status == 404
        assert instance.anybody().call("BREW", "/healthz").status == 405
        expected = {
            HEALTHY: 20.0,
            f'{REQUESTS}{{method="GET",route="none",status="404"}}': 1.0,
            f'{REQUESTS}{{method="other",route="none",status="405"}}': 1.0,
            'meterai_request_seconds_count{route="/healthz"}': 20.0,
        }

        def counted() -> dict[str, float] | None:
            found = instance.counted()
            return found if expected.items() <= found.items() else None

        # An answer is counted after it is sent; another process may be asked for the metrics earlier.
        _children_die(instance, until("all are counted, and no more", counted))


def _children_die(instance: Instance, before: dict[str, float]) -> None:
    """Counters never decrease, whichever process is killed and in whatever order they return."""
    web = instance.part("web")
    old = {child.pid for child in web.children()}
    psutil.Process(min(old)).kill()
    until("another child is there", lambda: len({c.pid for c in web.children()} - old) == 1)
    instance.wait_ready()
    _never_less(before, after := instance.counted())
    instance.kill("web")
    web.wait(60)
    instance.wait_ready()
    _never_less(after, last := instance.counted())
    assert last[HEALTHY] == 20.0
    files = [file.name for file in (instance.data / "metrics").glob("counter_*.db")]
    assert len(files) <= 5, files  # the killed process, three of the web, the worker


def _never_less(before: dict[str, float], after: dict[str, float]) -> None:
    # Gauges (a limit, waiting requests) end with their process. Counters do not.
    counted = {
        name: figure
        for name, figure in before.items()
        if name.partition("{")[0].endswith(("_total", "_count", "_sum", "_bucket"))
    }
    assert counted
    less = {name for name, figure in counted.items() if after.get(name, 0.0) < figure}
    assert not less


def test_metrics_include_the_worker(instance: Instance) -> None:
    customer = instance.customer()
    order = customer.place()
    instance.bank.pay(payable(customer, order))
    until("it is issued", lambda: customer.balance()["available"] == 1)
    done = 'meterai_jobs_total{kind="payment_captured",outcome="done"}'
    until("it is counted, once it is done", lambda: done in instance.counted())


def test_metrics_are_not_served_on_the_public_port(instance: Instance) -> None:
    for headers in ({}, {"Host": "127.0.0.1"}, {"X-Forwarded-For": "127.0.0.1"}):
        assert instance.anybody().get("/metrics", headers=headers).status == 404
    door = instance.metrics.removesuffix("/metrics")
    assert Client(door).get("/metrics?name[]=x").status == 200
    assert Client(door).get("/v1/orders").status == 404
    assert Client(door).post("/metrics").status == 404


def test_every_answer_has_security_headers(instance: Instance) -> None:
    for path in ("/healthz", "/v1/orders", "/nothing/here"):
        assert "content-security-policy" in instance.anybody().get(path).headers
