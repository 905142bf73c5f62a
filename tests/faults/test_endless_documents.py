"""Documents without end, sent by strangers, while others stamp and check: nobody notices them."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import psutil
import pytest
import urllib3

from meterai.sealing import development_issuer
from meterai.sealing.sandbox.pool import PROCESSES, WAITING_MAX
from tests.support.attacks import Lab, endless
from tests.support.attacks.lab import AT, EMPTY_PAPER
from tests.support.instance import WAIT_SECONDS_MAX, Client, Instance, Reply, until
from tests.support.money import payable
from tests.support.pdf import pdf
from tests.support.pdfmaker import letter, whole
from tests.support.stamping_calls import made_json

STAMPS = 8


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with Instance(tmp_path_factory.mktemp("endless")) as instance:
        yield instance


@pytest.fixture(scope="module")
def payer(running: Instance) -> Client:
    found = running.customer()
    order = found.place(STAMPS)
    running.bank.pay(payable(found, order))
    until("stamps are issued", lambda: found.balance()["available"] == STAMPS)
    return found


def stamped(payer: Client, document: bytes) -> bytes:
    reply = payer.stamp(document)
    assert reply.status == 201, reply.body
    return payer.get(reply.json["document_url"]).body


@pytest.fixture(scope="module")
def bombs(payer: Client, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Three times a page of strokes without end, stamped by us and signed by a stranger."""
    issuer = development_issuer(tmp_path_factory.mktemp("issuer"), at=AT)
    lab = Lab(issuer, tmp_path_factory.mktemp("lab"))
    strokes = stamped(payer, whole(endless.dashed_strokes()))
    return [
        lab.signed(strokes, name, on_page=0, box=EMPTY_PAPER) for name in ("Satu", "Dua", "Tiga")
    ]


@pytest.fixture(scope="module")
def ordinary(payer: Client) -> bytes:
    return stamped(payer, pdf())


class Sent:
    """A document that is being checked for somebody."""

    def __init__(self, instance: Instance, document: bytes) -> None:
        self.answer: object = None
        self._client = Client(instance.url)
        self._thread = threading.Thread(target=self._send, args=(document,))
        self._thread.start()

    def _send(self, document: bytes) -> None:
        try:
            self.answer = self._client.post(
                "/v1/verifications", document, headers={"Content-Type": "application/pdf"}
            )
        except urllib3.exceptions.HTTPError as cut_off:
            self.answer = cut_off

    @property
    def is_under_way(self) -> bool:
        return self._thread.is_alive()

    def result(self) -> object:
        self._thread.join(60)
        assert not self._thread.is_alive()
        return self.answer


def examiners(instance: Instance) -> list[psutil.Process]:
    """The processes beside the web: the servers, and the tasks under way."""
    found = []
    for one in instance.part("web").children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # a task that ended meanwhile
            if "meterai.sealing.tasks" in " ".join(one.cmdline()):
                found.append(one)
    return found


@pytest.mark.soak
def test_who_stamps_and_who_checks_does_not_wait_for_documents_without_end(
    running: Instance, payer: Client, bombs: list[bytes], ordinary: bytes
) -> None:
    sent = [Sent(running, bomb) for bomb in bombs]
    until("two are being examined", lambda: len(examiners(running)) >= 3)
    assert running.anybody().verify(ordinary)["verdict"] == "genuine"
    assert payer.stamp(pdf()).status == 201
    signed = whole(letter()).replace(b" 00000 n \n", b" 00000 n\n")  # broken: it is repaired
    assert payer.stamp(signed).json["repaired"]
    assert any(one.is_under_way for one in sent)
    replies = [one.result() for one in sent]  # of all before one is asked about again
    for bomb, reply in zip(bombs, replies, strict=True):
        assert isinstance(reply, Reply)
        if reply.status == 503:
            # On a busy machine it waited for a process longer than anybody may, and is sent again.
            assert reply.json["code"] == "examination_busy"
            reply = until("it is judged", partial(judged, running, bomb), 2 * WAIT_SECONDS_MAX)
        assert reply.json["verdict"] == "could_not_be_compared"
        failed = [check["name"] for check in reply.json["checks"] if not check["passed"]]
        assert failed == ["compared"]
    assert running.anybody().verify(ordinary)["verdict"] == "genuine"


def test_nobody_without_stamps_has_anything_examined(
    running: Instance, payer: Client, bombs: list[bytes]
) -> None:
    poor = running.customer()
    broken = whole(letter()).replace(b" 00000 n \n", b" 00000 n\n")
    elsewhere = {"page": 1, "x": 60, "y": 400, "width": 80}  # than the stamp that is there
    for document in (*bombs, broken):
        reply = poor.stamp(document, elsewhere)
        assert (reply.status, reply.json["code"]) == (409, "not_enough_stamps")
    # Who has stamps learns why such a document is not stamped.
    reply = payer.stamp(bombs[0], elsewhere)
    assert (reply.status, reply.json["code"]) == (422, "not_comparable")


def test_a_key_that_was_answered_is_answered_again_without_stamps(running: Instance) -> None:
    """The same answer, although the document has to be repaired before it is known again."""
    customer = running.customer()
    order = customer.place(1)
    running.bank.pay(payable(customer, order))
    until("the stamp is issued", lambda: customer.balance()["available"] == 1)
    broken = whole(letter(2)).replace(b" 00000 n \n", b" 00000 n\n")
    first = customer.stamp(broken, key="same")
    assert first.status == 201
    assert customer.balance()["available"] == 0
    assert made_json(customer.stamp(broken, key="same").json) == made_json(first.json)
    assert customer.stamp(broken, key="other").json["code"] == "not_enough_stamps"


def judged(instance: Instance, document: bytes) -> Reply | None:
    reply = Sent(instance, document).result()
    assert isinstance(reply, Reply)
    return reply if reply.status == 200 else None


def is_gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def refusal_among(sent: list[Sent]) -> Reply | None:
    replies = [one.result() for one in sent if not one.is_under_way]
    return next((one for one in replies if isinstance(one, Reply) and one.status == 503), None)


def test_too_many_are_refused_at_once_and_stopping_waits_for_none(
    running: Instance, bombs: list[bytes]
) -> None:
    # More than are examined and may wait, of one client: the last is refused.
    sent = [Sent(running, bombs[0]) for _ in range(PROCESSES + WAITING_MAX + 4)]
    until("two are being examined", lambda: len(examiners(running)) >= 3)
    # The first of them may be answered meanwhile, where the machine is slow to send the last.
    first = until("one is refused", lambda: refusal_among(sent))
    assert first.json["code"] == "examination_busy"
    assert int(first.headers["retry-after"]) > 0
    beside, web = examiners(running), running.part("web")
    web.terminate()
    until("the web is gone", lambda: is_gone(web))
    until("and all beside it", lambda: not any(one.is_running() for one in beside))
    assert not all(isinstance(one.result(), Reply) for one in sent), "some were cut off"
    running.wait_ready()  # `up` starts it again
    running.assert_audit_holds()


def test_nothing_is_left_when_the_web_is_killed(running: Instance, bombs: list[bytes]) -> None:
    sent = [Sent(running, bomb) for bomb in bombs]
    until("two are being examined", lambda: len(examiners(running)) >= 3)
    beside = examiners(running)
    web = running.part("web")
    for one in [web, *(child for child in web.children() if child not in beside)]:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    until("all is gone", lambda: not any(one.is_running() for one in beside))
    assert not all(isinstance(one.result(), Reply) for one in sent), "some were cut off"
    running.wait_ready()
