"""Log of the requests of API keys, for which no request waits."""

import json
from pathlib import Path
from typing import Any

import pytest

from meterai.accounts import AccountService
from meterai.limiter import Limiter
from meterai.plumbing.db.database import Database, DatabaseBusy
from meterai.requests import RequestLog, knows, service, store
from tests.apps.test_edge import a_key, run
from tests.support.within import Within

JSON = {"Content-Type": "application/json"}


async def lines(web: Within, key: dict[str, str], query: str = "") -> list[dict[str, Any]]:
    """Return the log without the request that reads it, which is not answered yet."""
    await web.container.of(RequestLog).write()
    given = await web.get(f"/v1/requests{query}", key)
    assert given.status == 200, given.body
    found: list[dict[str, Any]] = json.loads(given.body)["requests"]
    return found


def test_request_of_a_key_is_logged_with_its_answer(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within) -> None:
        key = await a_key(web)
        placed = await web.post(
            "/v1/orders",
            b'{"quantity": 0}',
            key | JSON | {"Idempotency-Key": "PO-17", "Request-Id": "of-the-client"},
        )
        await web.get("/v1/orders/ord_none?name=Budi", key)
        await web.get("/v1/orders?limit=1", key)
        await web.get("/v1/nothing", key)
        found = await lines(web, key)
        assert [(one["method"], one["path"], one["status"], one["code"]) for one in found] == [
            ("GET", "/v1/nothing", 404, "not_found"),
            ("GET", "/v1/orders", 200, None),
            ("GET", "/v1/orders/ord_none", 422, "parameter_unknown"),
            ("POST", "/v1/orders", 422, "malformed"),
        ]
        first = found[-1]
        assert first["request_id"] == "of-the-client"
        assert first["idempotency_key"] == "PO-17"
        assert (first["bytes_in"], first["bytes_out"]) == (15, len(placed.body))
        assert first["key_name"] == "test"
        assert first["route"] == "/v1/orders"
        assert found[0]["route"] is None
        assert found[2]["route"] == "/v1/orders/{order_id}"
        assert b"Budi" not in json.dumps(found).encode()
        assert (await lines(web, key))[0]["path"] == "/v1/requests"

    run(database_url, tmp_path, act)


def test_request_list_filters_and_pages(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within) -> None:
        key, other = await a_key(web), await a_key(web)
        for number in range(5):
            await web.get("/v1/orders", key | {"Request-Id": f"request-{number}"})
        await web.get("/v1/orders/ord_none", key)
        assert len(await lines(web, key, "?status=2xx")) == 5
        assert [one["code"] for one in await lines(web, key, "?status=4xx")] == ["not_found"]
        [one] = await lines(web, key, "?request_id=request-3")
        assert len(await lines(web, key, f"?key={one['key_id']}&status=4xx")) == 1
        assert await lines(web, key, "?key=key_0000000000000000000000000b") == []
        assert await lines(web, key, "?since=2099-01-01T00:00:00Z") == []
        whole = [one["id"] for one in await lines(web, key)]
        paged, after = [], ""
        for _ in range(len(whole)):
            given = await web.get(f"/v1/requests?limit=2{after}", key)
            page = json.loads(given.body)
            paged += [one["id"] for one in page["requests"]]
            if page["next"] is None:
                break
            after = f"&before={page['next']}"
        assert [one for one in paged if one in whole] == whole
        # The key of another account sees its own requests alone.
        assert await lines(web, other) == []
        for wrong in ("?status=404", "?key=x", "?before=x", "?since=x", "?more=1"):
            given = await web.get(f"/v1/requests{wrong}", key)
            assert given.status in (404, 422), wrong

    run(database_url, tmp_path, act)


def test_refusal_of_the_limiter_is_logged(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(web: Within) -> None:
        key = await a_key(web)
        await web.get("/v1/orders", key)
        with monkeypatch.context() as full:
            full.setattr(Limiter, "is_full", lambda _self, _priority: True)
            assert (await web.get("/v1/orders", key)).status == 503
        newest, _ = await lines(web, key)
        assert (newest["status"], newest["code"]) == (503, "busy")

    run(database_url, tmp_path, act)


def outcomes(outcome: str) -> float:
    found: float = service.LINES.labels(outcome=outcome)._value.get()  # type: ignore[attr-defined]
    return found


def test_lines_are_buffered_within_bounds_while_the_database_is_slow(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(web: Within) -> None:
        key, log = await a_key(web), web.container.of(RequestLog)
        await web.get("/v1/orders", key)
        monkeypatch.setattr(service, "GATHERED_MAX", 3)
        once = Database.once

        async def busy(self: Database, command: Any, *given: Any, **named: Any) -> Any:
            if command is store.write:
                raise DatabaseBusy("others come first")
            return await once(self, command, *given, **named)

        dropped, written = outcomes("dropped"), outcomes("written")
        with monkeypatch.context() as slow:
            slow.setattr(Database, "once", busy)
            with pytest.raises(DatabaseBusy):
                await log.write()
            for _ in range(5):
                assert (await web.get("/v1/orders", key)).status == 200
        assert outcomes("dropped") == dropped + 2
        assert len(await lines(web, key)) == 4
        assert outcomes("written") == written + 4

    run(database_url, tmp_path, act)


def test_remaining_lines_are_written_when_the_process_stops(
    database_url: str, tmp_path: Path
) -> None:
    async def act(web: Within) -> None:
        key = await a_key(web)
        await web.get("/v1/orders", key)
        log = web.container.of(RequestLog)
        await log.close()
        rows = await web.container.database.read("SELECT path FROM api_requests")
        assert [row["path"] for row in rows] == ["/v1/orders"]
        dropped = outcomes("dropped")
        await web.get("/v1/orders", key)
        assert outcomes("dropped") == dropped + 1

    run(database_url, tmp_path, act)


def test_staff_find_the_account_by_the_id_of_a_request(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within) -> None:
        key = await a_key(web)
        await web.get("/v1/orders/ord_none", key | {"Request-Id": "what-went-wrong"})
        [line] = await lines(web, key)
        async with web.container.database.reading() as tx:
            [found] = await knows.find(tx, "what-went-wrong", 5)
            assert await knows.find(tx, "something-else", 5) == []
            assert await knows.find(tx, "a b", 5) == ()
            [told] = await knows.tell(tx, found)
        assert (told.word, told.for_staff) == ("request_refused", True)
        assert told.facts["request"] == line["request_id"]
        assert found.account is not None
        keys = await web.container.of(AccountService).api_keys(found.account)
        assert [one.id for one in keys] == [line["key_id"]]

    run(database_url, tmp_path, act)


@pytest.mark.parametrize("length", [None, 64, 12])
def test_key_in_a_path_or_a_header_is_not_logged(
    database_url: str, tmp_path: Path, length: int | None
) -> None:
    async def act(web: Within) -> None:
        key = await a_key(web)
        secret = key["Authorization"].removeprefix("Bearer ")[:length]
        for text in (secret, secret[4:] if length is None else secret, "whsec_" + "a+/" * 10):
            await web.get(f"/v1/orders/{text}", key)
            await web.get(f"/v1/orders/ord_{text}/payment", key)
            await web.get(f"/v1/nothing/{text.replace('_', '%255F')}", key)
            await web.get(f"/v1/nothing/{text[:8]}%E2%80%8B{text[8:]}", key)
            for name in ("Idempotency-Key", "Request-Id", "X-Request-Id"):
                shown = text if name == "Idempotency-Key" else text[:64]
                await web.get("/v1/orders", key | {name: shown})
        kept = json.dumps(await lines(web, key))
        for part in (secret, secret[4:][:30], secret[56:] or secret, "a+/a+/"):
            assert part not in kept
        assert "/v1/orders/[key]" in kept

    run(database_url, tmp_path, act)
