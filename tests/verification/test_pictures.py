"""The pictures in a verdict: bounded, framed, and never what a verdict depends on."""

import asyncio

import pytest

from meterai import sealing
from meterai.kit.refusal import Refusal
from meterai.sealing import CHECKED_BYTES_MAX, ExaminationBusy, Placement, development_issuer
from meterai.verification.service.pictures import PAGES_MAX, Pictures
from tests.support.attacks import Lab
from tests.support.attacks.lab import AT, serials_of
from tests.support.pdf import pdf

BYTES_MAX = 60 * 1024


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    directory = tmp_path_factory.mktemp("lab")
    return Lab(development_issuer(directory / "issuer", at=AT), directory)


def test_each_page_with_stamps_is_shown_once(lab: Lab) -> None:
    places = [Placement(1, 60, 60, 80), Placement(1, 200, 60, 80), Placement(2, 60, 60, 80)]
    document = lab.seal(pdf(pages=3), *places)
    found = asyncio.run(Pictures().of(document, serials_of(document), "somebody"))
    assert [(one.number, one.pages, one.stamps) for one in found] == [(1, 3, 2), (2, 3, 1)]
    assert all(len(one.webp) <= BYTES_MAX for one in found)
    assert all(one.address.startswith("data:image/webp;base64,") for one in found)


def test_no_more_pages_are_shown_than_may_be(lab: Lab) -> None:
    places = [Placement(page, 60, 60, 80) for page in range(1, PAGES_MAX + 3)]
    document = lab.seal(pdf(pages=PAGES_MAX + 2), *places)
    assert len(asyncio.run(Pictures().of(document, serials_of(document), "somebody"))) == PAGES_MAX


@pytest.mark.parametrize("content", [b"%PDF-1.7\n", b"", b"\0" * CHECKED_BYTES_MAX])
def test_what_cannot_be_drawn_is_left_out(content: bytes) -> None:
    assert asyncio.run(Pictures().of(content, ("X",), "somebody")) == []


def test_where_too_many_wait_there_is_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> Refusal:
        raise ExaminationBusy("too many wait")

    monkeypatch.setattr(sealing, "locating", busy)
    assert asyncio.run(Pictures().of(pdf(), ("X",), "somebody")) == []
