"""Comparison of the name that a buyer types with the name that a bank confirms for an account; pure.

The comparison detects a mistyped number.  It proves no identity, since the same person chooses name and number.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import zip_longest

# Lengths at which banks cut a name, in characters; a last space may have been removed.
CUT_LENGTHS = range(18, 31)
# A word with at least so many letters counts as a whole name, not as an initial.
FULL_LENGTH_MIN = 3
SPELLED_LENGTH_MIN = 4  # a word needs at least so many letters for one of them to be wrong
# Titles before or after a name, without dots; a bank may omit them.
_SPOKEN = (
    "bp bpk bapak ibu sdr sdri tn ny nn mr mrs ms haji hajah hj kh ust ustadz alm almh rr rm ra kgs"
)
_LEARNED = (
    "prof dr drs dra ir drg drh apt ns ners amd amdkep amdkeb se sh si skom st ssi spd ssos sik sip skm sked skep"
    " sfarm spsi spt sp spdi sag shi stp spi ssn shum shut sds str sst sstp sikom sab sap sak sei stt sth"
    " ma mm msi mh mt mpd mkom msc mba mkes mkn mak mag mhum mph mpsi mp mikom map phd llm llb bsc ba ak cpa"
)
_TITLES = frozenset([*_SPOKEN.split(), *_LEARNED.split()])
_PILGRIM = "h"  # a title (Haji) or the initial of a name: both interpretations are tried
# Equivalent spellings of one name.
_SPELLINGS = {
    **dict.fromkeys(
        [
            "muh",
            "moh",
            "mhd",
            "md",
            "mohd",
            "mohammad",
            "mohamad",
            "mohammed",
            "muhamad",
            "muhammed",
            "mochamad",
            "mochammad",
            "moch",
            "much",
            "muchamad",
            "muchammad",
            "mohamed",
        ],
        "muhammad",
    ),
    **dict.fromkeys(["abd", "abdoel"], "abdul"),
    **dict.fromkeys(["achmad", "akhmad", "ahmat"], "ahmad"),
}
_OLD_SPELLING = (("oe", "u"), ("dj", "j"), ("tj", "c"), ("sj", "sy"), ("ch", "kh"))
_APOSTROPHES = re.compile("['`\u2018\u2019\u02bc]")
_NO_WORD = re.compile(r"[^\w.]+|_")


class NameVerdict(StrEnum):
    """Result of comparing the name that a bank confirms with the typed name."""

    SAME = "same"
    NEAR = "near"  # the buyer is asked once to confirm
    OTHER = "other"


def compare(typed: str, confirmed: str) -> NameVerdict:
    """Compare the name that a bank confirms with the typed name."""
    best = NameVerdict.OTHER
    for ours in _readings(typed):
        for theirs in _readings(confirmed):
            verdict = _compare_words(
                ours, theirs, is_perhaps_cut=len(confirmed.strip()) in CUT_LENGTHS
            )
            if verdict is NameVerdict.SAME:
                return verdict
            best = verdict if verdict is NameVerdict.NEAR else best
    return best


def masked(name: str) -> str:
    """A name as shown to a reader who may not be its owner: the first letter of each word and three asterisks, `B*** S***`."""
    return " ".join(f"{word[0]}***" for word in name.split())


def _readings(name: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of a name without titles.  `H.` may be a title or an initial, so a name that contains it is yielded
    twice: without this word and with it.
    """
    words = list(_words(name))
    without = tuple(word for word in words if word != _PILGRIM)
    if without:
        yield without
    if len(without) != len(words):
        yield tuple(words)


def _words(name: str) -> Iterator[str]:
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", name).casefold()
        if not unicodedata.combining(letter)
    )
    for word in _NO_WORD.split(_APOSTROPHES.sub("", plain)):
        if word.replace(".", "") not in _TITLES:
            yield from (_SPELLINGS.get(part, part) for part in word.split(".") if part)


def _compare_words(
    ours: Sequence[str], theirs: Sequence[str], *, is_perhaps_cut: bool
) -> NameVerdict:
    if "".join(ours) == "".join(theirs):
        return NameVerdict.SAME
    if is_perhaps_cut and _is_cut(ours, theirs):
        return NameVerdict.SAME
    if len(ours) == 1 < len(theirs):  # one word against several: too weak
        return NameVerdict.OTHER
    if (
        _fits(ours, theirs)
        or _fits(sorted(ours), sorted(theirs))
        or _is_part(ours, theirs)
        or _is_part(theirs, ours)
    ):
        return NameVerdict.NEAR
    return NameVerdict.NEAR if _is_misspelt(ours, theirs) else NameVerdict.OTHER


def _fits(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """True if the words at each position are equal, or one is the initial of the other; at least one word of three or more
    letters must be equal.
    """
    pairs = list(zip_longest(ours, theirs, fillvalue=""))
    is_known = any(one == other and len(one) >= FULL_LENGTH_MIN for one, other in pairs)
    return is_known and all(_is_same(one, other) for one, other in pairs)


def _is_same(one: str, other: str) -> bool:
    if not one or not other:
        return False
    return one == other or (min(len(one), len(other)) == 1 and one[0] == other[0])


def _is_cut(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """True if the words of the bank (`theirs`) are the first of the typed words (`ours`); the last may be cut short."""
    whole, last = theirs[:-1], theirs[-1]
    if not whole or len(ours) < len(theirs):
        return False
    return list(ours[: len(whole)]) == list(whole) and ours[len(whole)].startswith(last)


def _is_part(few: Sequence[str], many: Sequence[str]) -> bool:
    """True if all words of `few` are in `many` in the same order, as whole words or initials, and at least one is whole."""
    rest, is_known = iter(many), False
    for word in few:
        found = next((other for other in rest if _is_same(word, other)), None)
        if found is None:
            return False
        is_known |= found == word and len(word) >= FULL_LENGTH_MIN
    return is_known


def _is_misspelt(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """True if the words at each position are equal except for one letter or the old spelling."""
    if len(ours) != len(theirs) or max(map(len, ours)) < FULL_LENGTH_MIN:
        return False
    return all(
        _is_same(one, other)
        or _modern(one) == _modern(other)
        or (
            min(len(one), len(other)) >= SPELLED_LENGTH_MIN
            and one[0] == other[0]
            and _is_one_off(one, other)
        )
        for one, other in zip(ours, theirs, strict=True)
    )


def _modern(word: str) -> str:
    for old, new in _OLD_SPELLING:
        word = word.replace(old, new)
    return word


def _is_one_off(one: str, other: str) -> bool:
    """True if one letter differs or is missing, or two adjacent letters are exchanged."""
    if len(one) > len(other):
        one, other = other, one
    at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    if len(one) != len(other):
        return one[at:] == other[at + 1 :]
    is_exchanged = one[at : at + 2] == other[at : at + 2][::-1]
    return one[at + 1 :] == other[at + 1 :] or (is_exchanged and one[at + 2 :] == other[at + 2 :])
