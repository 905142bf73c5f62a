"""If a page says that nothing was charged, nothing was: for every form of a browser, under every fault.

The claims of a page are found by its texts (`tests/<room>/claims.py`). They are compared with the stamps,
documents, orders and the bank's record from before the request, at once and when everything is at rest.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

import psutil
import pytest
import urllib3

from tests.support.browser_forms import Case, Holding, Sent, Visitor, cases, visitors
from tests.support.claims import broken_in, claims_in
from tests.support.inside import Inside
from tests.support.instance import Client, Instance, Reply, until
from tests.support.killing import frozen, kill, revive

CASES = cases()
ALL = -1  # the fault never ends by itself
BANK_SERVICES = ("token", "generate", "query", "cancel", "refund")
CROWD = 80  # more requests than may be under way at once
Answers = Sequence[str]  # pages that a visitor saw: answers, and the pages to which they led
Send = Callable[[Visitor, Sent], Answers]
Fault = Callable[[Inside], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    settings = {"METERAI_BANK_TIMEOUT_SECONDS": "1", "METERAI_SEAL_LEASE_SECONDS": "4"}
    with Instance(tmp_path_factory.mktemp("truth"), **settings) as instance:
        yield Inside(instance)
        instance.assert_audit_holds()


# -- ways to send ---------------------------------------------------------------------------------------


def seen_of(visitor: Visitor, reply: Reply) -> list[str]:
    """The page that the visitor sees at the end: the answer, or the page to which it redirects."""
    there = reply.headers.get("location", "")
    if reply.status != 303 or not there.startswith("/"):
        return [reply.body.decode(errors="replace")]
    visitor.keeps_cookies(reply)
    return [visitor.looks(there)]


def send(visitor: Visitor, sent: Sent) -> Answers:
    try:
        return seen_of(visitor, visitor.sends(sent))
    except urllib3.exceptions.HTTPError:
        return []  # no answer, so no claim


def send_twice_at_once(visitor: Visitor, sent: Sent) -> Answers:
    with ThreadPoolExecutor(2) as hands:
        return [
            page for pages in hands.map(lambda _: send(visitor, sent), range(2)) for page in pages
        ]


def send_again(visitor: Visitor, sent: Sent) -> Answers:
    """Send a form twice. The answer to the first request is lost."""
    send(visitor, sent)
    return send(visitor, sent)


def send_signed_out(visitor: Visitor, sent: Sent) -> Answers:
    cookies = {name: one for name, one in visitor.cookies.items() if name != "session"}
    return send(replace(visitor, cookies=cookies), sent)


def send_from_a_stale_page(visitor: Visitor, sent: Sent) -> Answers:
    token = visitor.token().encode()
    return send(visitor, replace(sent, body=sent.body.replace(token, b"0" * len(token))))


def send_cut_off(visitor: Visitor, sent: Sent) -> Answers:
    return send(visitor, replace(sent, body=sent.body[: len(sent.body) // 2]))


# -- faults -----------------------------------------------------------------------------------------------


@contextmanager
def no_fault(_: Inside) -> Iterator[None]:
    yield


@contextmanager
def bank_away(inside: Inside) -> Iterator[None]:
    with frozen(inside, "standins"):
        yield


@contextmanager
def bank_slow(inside: Inside) -> Iterator[None]:
    inside.instance.bank.faults(response_delay_seconds=0.7)
    yield


@contextmanager
def bank_garbled(inside: Inside) -> Iterator[None]:
    for service in BANK_SERVICES:
        answer = {"body": "<html>502", "times": ALL}
        wrong = {"service": service, "answers": [answer]}
        assert inside.instance.bank.post("/standin/answers", wrong).status == 200
    yield


@contextmanager
def database_frozen(inside: Inside) -> Iterator[None]:
    pid = (inside.instance.data / "postgres" / "postmaster.pid").read_text().splitlines()[0]
    server = psutil.Process(int(pid))
    server.suspend()  # first, since it then starts no more processes
    frozen = [server, *server.children(recursive=True)]
    for one in frozen:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.suspend()
    try:
        yield
    finally:
        for one in frozen:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.resume()


@contextmanager
def no_turn(inside: Inside) -> Iterator[None]:
    """A crowd of requests occupies every permit and waits at a lock. A new request is refused, or waits too."""
    [somebody] = visitors(inside, 1)
    client, is_over = somebody.client, threading.Event()

    def looks() -> None:
        while not is_over.is_set():
            client.get("/history", headers=somebody.headers)

    with inside.paused_at("LOCK TABLE balances IN ACCESS EXCLUSIVE MODE") as pause:
        crowd = [threading.Thread(target=looks) for _ in range(CROWD)]
        for one in crowd:
            one.start()
        try:
            pause.wait_for_somebody("balances")
            yield
        finally:
            is_over.set()
            pause.release()
            for one in crowd:
                one.join()


@contextmanager
def store_away(inside: Inside) -> Iterator[None]:
    """Nothing can be written, as on a full disk, and nothing can be read that is not in memory."""
    store = inside.instance.data / "objects"
    kept = store.rename(store.with_name("objects.kept"))
    store.write_bytes(b"")
    try:
        yield
    finally:
        store.unlink()
        kept.rename(store)


@contextmanager
def no_seals(inside: Inside) -> Iterator[None]:
    """Seals need time-stamps, and the time-stamp authority is away."""
    [issuer] = [one for one in (inside.instance.data / "keys" / "issuer").iterdir() if one.is_dir()]
    proofs = issuer / "proofs.toml"
    proofs.write_text(
        'time_stamp_url = "http://127.0.0.1:9"\ntime_stamp_roots = "root.pem"\ntimeout_seconds = 0.3\n'
    )
    _begin_anew(inside)
    try:
        yield
    finally:
        proofs.unlink()
        _begin_anew(inside)


def _begin_anew(inside: Inside) -> None:
    """Restart the processes that read their keys at the start."""
    for part in ("web", "worker"):
        kill(inside, part)
        revive(inside, part)


@contextmanager
def deliveries_held(inside: Inside) -> Iterator[None]:
    """No seal can be delivered."""
    with inside.paused_at("LOCK TABLE deltas IN ACCESS EXCLUSIVE MODE"):
        yield


@contextmanager
def stopped_after_the_stamps_are_held(inside: Inside) -> Iterator[None]:
    """The stamps of a form are held, its seal cannot be delivered, and its state cannot be read."""
    with inside.paused_at("LOCK TABLE deltas IN ACCESS EXCLUSIVE MODE") as pause:

        def stop() -> None:
            pause.wait_for_somebody("stamping_deliver")
            pause.take("LOCK TABLE stampings IN ACCESS EXCLUSIVE MODE")

        with ThreadPoolExecutor(1) as other:
            stopped = other.submit(stop)
            yield
            stopped.result()


@contextmanager
def disk_full_for_answers(inside: Inside) -> Iterator[None]:
    """An order is committed, and the following statements find no room in the database."""
    with inside.connect() as owner:
        owner.execute(
            """
            CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $$;
            CREATE TRIGGER no_room BEFORE UPDATE ON payment_attempts EXECUTE FUNCTION no_room();
            """
        )
    try:
        yield
    finally:
        with inside.connect() as owner:
            owner.execute("DROP FUNCTION no_room CASCADE")


FAULTS: dict[str, tuple[Fault, Send]] = {
    "none": (no_fault, send),
    "bank away": (bank_away, send),
    "bank slow": (bank_slow, send),
    "bank answers garbage": (bank_garbled, send),
    "database frozen": (database_frozen, send),
    "no turn": (no_turn, send),
    "object store away": (store_away, send),
    "disk full for answers": (disk_full_for_answers, send),
    "no seals": (no_seals, send),
    "no delivery": (deliveries_held, send),
    "stopped after the stamps are held": (stopped_after_the_stamps_are_held, send),
    "session ended": (no_fault, send_signed_out),
    "page stale": (no_fault, send_from_a_stale_page),
    "cut off": (no_fault, send_cut_off),
    "pressed twice at once": (no_fault, send_twice_at_once),
    "answer lost": (no_fault, send_again),
}


def at_rest(inside: Inside) -> bool:
    """Return True if no work is under way. Orders may still wait for their payment."""
    return not inside.rows(
        "SELECT 1 FROM jobs UNION ALL SELECT 1 FROM stampings WHERE state = 'reserved'"
    )


@pytest.mark.sample(1)
@pytest.mark.parametrize("fault", FAULTS)
def test_claims_of_a_page_are_true(inside: Inside, fault: str) -> None:
    begin, way = FAULTS[fault]
    people = visitors(inside, len(CASES))
    with ThreadPoolExecutor(8) as hands:
        sent = list(hands.map(lambda case, who: case.fill(who), CASES, people))
    before = [who.holds() for who in people]
    with ThreadPoolExecutor(len(CASES)) as hands, begin(inside):
        seen = list(hands.map(way, people, sent))
        claimed = {key for pages in seen for page in pages for key in claims_in(page)}
    try:
        until("the web is ready", lambda: Client(inside.instance.url).get("/readyz").status == 200)
        at_once = [who.holds() for who in people]
    finally:
        inside.instance.bank.clear_faults()
    inside.let_leases_run_out()
    inside.until("everything is at rest", lambda: at_rest(inside))
    afterwards = [who.holds() for who in people]
    assert not list(_lies(seen, before, at_once)), "at once"
    assert not list(_lies(seen, before, afterwards)), "when all is at rest"
    assert claimed or fault in ("session ended", "cut off"), "nothing was put to the proof"
    inside.assert_audit_holds()


def _lies(
    seen: Sequence[Answers], before: Sequence[Holding], after: Sequence[Holding]
) -> Iterator[tuple[Case, str, Holding, Holding]]:
    for case, pages, was, became in zip(CASES, seen, before, after, strict=True):
        for page in pages:
            for broken in broken_in(page, was, became):
                yield case, broken, was, became
