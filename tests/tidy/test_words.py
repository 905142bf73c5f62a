"""No sentence of the product uses a word that its readers do not know."""

import re

import pytest

from meterai.plumbing.messages import LANGUAGES, catalogue

# Texts for programs and for operators use technical terms.
FOR_PROGRAMS = (
    "refusal.provider_refused",
    "refusal.database_",
    "expected.",
    "page.docs.",
    "page.many.csv_columns",
)
FOR_OPERATORS = ("production.", "key.", "draw.", "simulation.", "assessment.", "rehearsal.")
CODE_OF_A_PERSON = ("mail.sign_in_code.",)
OF_SEVERAL = ("page.order.headline.stamped_in_part", "page.order.download_all")  # at least two
FORBIDDEN = {
    r"\bsurel\b": "people say email",
    r"\bsurat (terakhir|ini)\b": "people say email",
    r"\bbita\b|\bbytes?\b|\bkB\b": "a size is told in MB or KB",
    r"\(s\)": "one form for one thing, another for several: {quantity:stamp|stamps}",
    r"\{(code|state|response_code)\}": "a word of the program, not of people",
    r"(?i)\bwithdr[ae]w": "people cancel an order",
    r"(?i)\b(comes?|sent|goes) back by itself|Uang kembali sendiri": "is refunded automatically",
    r"(?i)\bby itself\b": "automatically",
    r"(?i)\bput(ting)? right\b": "there is a problem; we are fixing it",
    r"(?i)\bask the money\b": "refund unused stamps",
    r"(?i)\bperamban\b": "people say browser",
    r"(?i)\bdaring\b": "people say online, or the page is named",
    r"(?i)^tunggu sebentar": "say until when",
    r"(?i)\bsah diperiksa\b": "dapat diperiksa keasliannya",
}


def told() -> list[tuple[str, str]]:
    skipped = FOR_PROGRAMS + FOR_OPERATORS + CODE_OF_A_PERSON
    return [
        (key, texts[language])
        for key, texts in catalogue().items()
        for language in LANGUAGES
        if not key.startswith(skipped)
    ]


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_sentences_use_only_words_of_their_readers(pattern: str) -> None:
    found = {
        key: text for key, text in told() if re.search(pattern, re.sub(r"\{\w*bytes\}", "", text))
    }
    assert not found, f"{FORBIDDEN[pattern]}: {found}"


def test_sum_of_an_effect_has_its_sign_once() -> None:
    # The fact `rupiah` is an amount (approvals/telling.py), which is written with its sign.
    told = {key: texts for key, texts in catalogue().items() if key.startswith("effect.")}
    assert [key for key, texts in told.items() if "Rp{rupiah" in "".join(texts.values())] == []


def test_count_in_a_sentence_has_a_singular() -> None:
    # These values are always greater than one.
    counted = re.compile(
        r"\{(?!\w*_max|most|high|stamps)\w+\} (stamps|documents|orders|tries|files|minutes|days|pages)\b"
    )
    found = {
        key: texts["en"]
        for key, texts in catalogue().items()
        if counted.search(texts["en"])
        and not key.startswith(FOR_PROGRAMS + FOR_OPERATORS + OF_SEVERAL)
    }
    assert not found
