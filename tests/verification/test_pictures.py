"""Pictures in a verdict: bounded, framed, and without influence on the verdict."""

import asyncio
from collections.abc import Collection
from typing import Any

import pytest

from meterai import sealing
from meterai.kit.refusal import Refusal
from meterai.sealing import (
    ExaminationBusy,
    PageNotDrawn,
    PageTooSlow,
    Placement,
    development_issuer,
)
from meterai.verification.service.pictures import NotDrawn, Pictures, VerdictPictures
from tests.support.attacks import Lab
from tests.support.attacks.lab import AT, serials_of
from tests.support.pdf import pdf

BYTES_MAX = 60 * 1024


def drawn(document: bytes, serials: Collection[str] = ("X",)) -> VerdictPictures:
    """Pictures of a document, for any client."""
    return asyncio.run(Pictures().of(document, serials, "somebody"))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    directory = tmp_path_factory.mktemp("lab")
    return Lab(development_issuer(directory / "issuer", at=AT), directory)


def test_each_page_with_stamps_is_shown_once(lab: Lab) -> None:
    places = [Placement(1, 60, 60, 80), Placement(1, 200, 60, 80), Placement(2, 60, 60, 80)]
    document = lab.seal(pdf(pages=3), *places)
    found = drawn(document, serials_of(document)).pages
    assert [(one.number, one.pages, one.stamps) for one in found] == [(1, 3, 2), (2, 3, 1)]
    assert all(len(one.webp) <= BYTES_MAX for one in found)
    assert all(one.address.startswith("data:image/webp;base64,") for one in found)


def test_verdict_has_no_picture_when_too_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> Refusal:
        raise ExaminationBusy("too many wait")

    monkeypatch.setattr(sealing, "locating", busy)
    assert drawn(pdf()) == VerdictPictures((), NotDrawn.BUSY)


@pytest.mark.parametrize(
    ("refusal", "why"),
    [(PageTooSlow, NotDrawn.TOO_SLOW), (PageNotDrawn, NotDrawn.UNDRAWABLE)],
)
def test_pages_before_undrawn_one_are_shown_with_reason(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, refusal: type[Refusal], why: NotDrawn
) -> None:
    picturing = sealing.picturing

    def first_alone(document: bytes, page: int, *rest: Any, **options: Any) -> Any:
        if page > 1:
            raise refusal("not this one")
        return picturing(document, page, *rest, **options)

    document = lab.seal(pdf(pages=2), Placement(1, 60, 60, 80), Placement(2, 60, 60, 80))
    monkeypatch.setattr(sealing, "picturing", first_alone)
    found = drawn(document, serials_of(document))
    assert ([one.number for one in found.pages], found.why) == ([1], why)
