"""Strangers send documents that never end, while others stamp and check without delay."""

import threading
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest
import urllib3

from meterai.plumbing.messages import translate
from tests.support import endless
from tests.support.instance import Client, Instance, Reply, until
from tests.support.money import payable
from tests.support.pdf import pdf
from tests.support.pdfmaker import letter, whole
from tests.support.stamping_calls import made_json

pytestmark = pytest.mark.sample(1, of="file")

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
def bomb(payer: Client) -> bytes:
    """A stamped document with an endless page: its verdict is quick, and its picture is never finished."""
    return stamped(payer, whole(endless.dashed_strokes()))


@pytest.fixture(scope="module")
def ordinary(payer: Client) -> bytes:
    return stamped(payer, pdf())


class Sent:
    """A document that is being checked, on the page that shows its pictures."""

    def __init__(self, instance: Instance, document: bytes) -> None:
        self.answer: object = None
        self._client = Client(instance.url)
        self._thread = threading.Thread(target=self._send, args=(document,))
        self._thread.start()

    def _send(self, document: bytes) -> None:
        body, kind = urllib3.encode_multipart_formdata({"document": ("a.pdf", document)})
        headers = {"Content-Type": kind, "Accept": "text/html", "Accept-Language": "id"}
        try:
            self.answer = self._client.post("/check", body, headers=headers)
        except urllib3.exceptions.HTTPError as cut_off:
            self.answer = cut_off

    def result(self) -> object:
        self._thread.join(60)
        assert not self._thread.is_alive()
        return self.answer


def examiners(instance: Instance) -> list[psutil.Process]:
    """The processes beside the web process: the fork servers, and the tasks under way."""
    found = []
    for one in instance.part("web").children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # a task that ended meanwhile
            if "meterai.sealing.tasks" in " ".join(one.cmdline()):
                found.append(one)
    return found


def is_one_drawn(instance: Instance) -> bool:
    """Return True if a task runs beside its fork server."""
    return len(examiners(instance)) >= 2


def test_endless_documents_delay_neither_stamping_nor_checking(
    running: Instance, payer: Client, bomb: bytes, ordinary: bytes
) -> None:
    sent = [Sent(running, bomb) for _ in range(3)]
    until("one is being drawn", lambda: is_one_drawn(running))
    assert running.anybody().verify(ordinary)["verdict"] == "genuine"
    assert payer.stamp(pdf()).status == 201
    broken = whole(letter()).replace(b" 00000 n \n", b" 00000 n\n")  # this document is repaired
    assert payer.stamp(broken).json["repaired"]
    for one in sent:
        reply = one.result()
        assert isinstance(reply, Reply)
        assert reply.status == 200
        text = reply.body.decode()
        assert translate("page.verdict.genuine_specimen", "id") in text
        assert translate("page.verdict.too_slow", "id") in text
    assert running.anybody().verify(ordinary)["verdict"] == "genuine"


def test_document_is_not_examined_without_stamps(running: Instance) -> None:
    poor = running.customer()
    broken = whole(letter()).replace(b" 00000 n \n", b" 00000 n\n")
    reply = poor.stamp(broken)
    assert (reply.status, reply.json["code"]) == (409, "not_enough_stamps")


def test_answered_key_is_answered_again_without_stamps(running: Instance) -> None:
    """The same answer, although the document has to be repaired again before it is recognized."""
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
