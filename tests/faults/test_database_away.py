"""The database ends every connection, as in a restart or a failover."""

import psycopg

from meterai.plumbing.db.embedded import EmbeddedPostgres
from tests.support.instance import Instance, until
from tests.support.money import payable

_END_ALL = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = 'meterai' AND pid <> pg_backend_pid()
"""


def _end_every_connection(instance: Instance) -> int:
    url = EmbeddedPostgres(instance.data).url
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(_END_ALL).fetchone()
        assert row is not None
        return int(row[0])


def test_broken_connection_is_refused_with_a_retry_time_and_causes_no_fault(
    audited: Instance,
) -> None:
    customer = audited.customer()
    before = len(audited.log)  # the instance is shared
    order = customer.place()
    qr = payable(customer, order)
    seen = set()
    for _ in range(5):
        assert _end_every_connection(audited) > 0
        for _ in range(5):
            reply = customer.get(f"/v1/orders/{order['id']}")
            seen.add(reply.status)
            if reply.status != 200:
                assert reply.status == 503
                assert reply.json["code"] == "database_away"
                assert reply.headers["retry-after"]
    assert 200 in seen
    audited.bank.pay(qr)
    until(
        "it is issued all the same",
        lambda: customer.get("/v1/balance").status == 200 and customer.balance()["available"] == 1,
    )
    assert "fault " not in audited.log[before:]
