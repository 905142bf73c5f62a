"""Values in a sentence are written as people write them."""

from datetime import UTC, datetime

import pytest

from meterai.plumbing.messages import format_clock, format_length, format_size, localize, translate

MB = 1024 * 1024


@pytest.mark.parametrize(
    ("size", "as_size", "as_limit"),
    [
        (0, "0 KB", "0 KB"),
        (3, "1 KB", "1 KB"),
        (310 * 1024, "310 KB", "310 KB"),
        (310 * 1024 + 1, "311 KB", "310 KB"),
        (MB - 1, "1,0 MB", "1023 KB"),
        (MB * 3 // 2, "1,5 MB", "1,5 MB"),
        (10 * MB - 1, "10 MB", "9,9 MB"),
        (20 * MB, "20 MB", "20 MB"),
        (20 * MB + 1, "21 MB", "20 MB"),
    ],
)
def test_rounded_size_never_hides_that_a_limit_is_exceeded(
    size: int, as_size: str, as_limit: str
) -> None:
    for language, point in (("id", ","), ("en", ".")):
        assert format_size(size, language) == as_size.replace(",", point)
        assert format_size(size, language, is_limit=True) == as_limit.replace(",", point)
        facts = localize({"size_bytes": size, "limit_bytes": size}, language)
        assert facts == {
            "size_bytes": as_size.replace(",", point),
            "limit_bytes": as_limit.replace(",", point),
        }


def test_size_of_a_file_is_shown_beside_the_limit() -> None:
    facts = {"size_bytes": 20_971_521, "limit_bytes": 20_971_520}
    said = translate("refusal.document_too_large", "id", **localize(facts, "id"))
    assert said == "Berkas ini 21 MB; paling besar 20 MB."


def test_time_is_written_with_or_without_its_day() -> None:
    at = datetime(2026, 11, 24, 16, 40, tzinfo=UTC)
    for language, whole, clock in (
        ("id", "24 Nov 2026 23.40 WIB", "23.40 WIB"),
        ("en", "24 Nov 2026 23:40 WIB", "23:40 WIB"),
    ):
        told = localize({"retry_at": at}, language)["retry_at"]
        assert told == whole
        assert format_clock(at, language) == clock
        assert clock in translate(
            "refusal.too_many_codes", language, **localize({"retry_at": at}, language)
        )


def test_placeholder_of_a_missing_time_is_left_unchanged() -> None:
    assert "{retry_at.clock}" in translate("refusal.too_many_codes", "en")


def test_singular_and_plural_have_different_words() -> None:
    for count, words in ((1, "1 order is not paid yet"), (2, "2 orders are not paid yet")):
        assert words in translate("refusal.too_many_unpaid_orders", "en", unpaid_max=count)


@pytest.mark.parametrize(
    ("value", "written"), [(65.0, "65"), (595.28, "595,28"), (0.5, "0,5"), (100.0, "100")]
)
def test_length_is_written_with_the_decimal_sign_of_the_language(
    value: float, written: str
) -> None:
    for language, point in (("id", ","), ("en", ".")):
        assert format_length(value, language) == written.replace(",", point)
        assert localize({"page_width": value}, language) == {
            "page_width": written.replace(",", point)
        }


def test_words_about_a_missing_fact_are_left_out() -> None:
    key, facts = "work.mails.item", {"what": "x", "tries": 2}
    assert translate(key, "en", **facts, fault="away") == "Email about x: 2 tries, fault away"
    for nothing in (None, ""):
        assert translate(key, "en", **facts, fault=nothing) == "Email about x: 2 tries"
    assert (
        translate(key, "id", **facts, fault="{tries}|*")
        == "Email tentang x: 2 percobaan, gangguan {tries}|*"
    )
