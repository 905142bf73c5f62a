"""Request ids: the same in each answer, in the log and in problem documents."""

import io
import json
import re
import sys
from pathlib import Path

import pytest
import structlog

from meterai.plumbing.observe import logs
from tests.apps.test_edge import a_key, run
from tests.support.within import Asking, Within

OURS = re.compile(r"[0-9a-f]{16}")
NAME, OLD = "request-id", "x-request-id"


@pytest.mark.parametrize(
    ("brought", "is_taken"),
    [
        ([b"0192f0c1-7d2e-7c11-9a55-0d7a1b2c3d4e"], True),
        ([b"abcdefgh"], True),
        ([b"short"], False),
        ([b"x" * 65], False),
        ([b"<script>alert(1)</script>"], False),
        ([b"with space"], False),
        ([b"line\nbreak"], False),
        ([b"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8"], False),
        ([b"onlyoneofthem", b"mayspeak"], False),
    ],
)
def test_request_id_of_client_is_accepted_in_safe_form(
    database_url: str, tmp_path: Path, brought: list[bytes], *, is_taken: bool
) -> None:
    async def act(web: Within) -> None:
        for name in (b"request-id", b"x-request-id"):
            headers = [(name, one) for one in brought]
            given = await web.ask(Asking("GET", b"/v1/orders", headers))
            assert (given.header(NAME) == brought[0].decode("latin-1")) == is_taken
            assert is_taken or OURS.fullmatch(given.header(NAME))

    run(database_url, tmp_path, act)


def test_log_contains_the_request_id(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = io.StringIO()
    before = structlog.get_config()
    monkeypatch.setattr(sys, "stderr", told)
    logs.configure(level="info", as_json=True, who="test")
    structlog.configure(cache_logger_on_first_use=False)

    async def act(web: Within) -> None:
        key = await a_key(web)
        monkeypatch.setattr("meterai.orders.store.orders_of", None)
        given = await web.get("/v1/orders", key)
        assert given.status == 500
        (line,) = [one for one in told.getvalue().splitlines() if '"event": "fault"' in one]
        assert json.loads(line)["request"] == given.header(NAME)
        structlog.get_logger().info("afterwards")
        assert "request" not in json.loads(told.getvalue().splitlines()[-1])

    try:
        run(database_url, tmp_path, act)
    finally:
        structlog.configure(**before)
