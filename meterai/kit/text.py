"""Cleaning of text received from outside, such as a file name or the subject of a document, so that it is safe to show."""

import json
import re
import unicodedata

# Unicode general categories: control (also U+0085), format (bidi overrides, joiners, the byte order mark), surrogate
# (half of a character, which no encoding can write), private use, unassigned, and the separators of lines and
# paragraphs.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SPACES = re.compile(r" {2,}")
NUL = "\0"  # none of our texts contains it: PostgreSQL rejects it
QUOTED_LENGTH_MAX = 100  # characters; the name of an authority has some 40
NAMED_LENGTH_MAX = 60  # characters of a name in a sentence, so that it does not fill the sentence
_NO_QUOTES = str.maketrans(dict.fromkeys('"\u00ab\u00bb\u201c\u201d\u201e\u201f\u2033\uff02', "'"))
# Between these two characters, right-to-left letters do not reorder the surrounding text (UAX #9); like `<bdi>` in
# HTML.
FIRST_STRONG_ISOLATE, POP_DIRECTIONAL_ISOLATE = "\u2068", "\u2069"
FILE_NAME_LENGTH_MAX = 120  # characters; some systems allow 255 bytes


def _visible(letter: str) -> str:
    kind = unicodedata.category(letter)
    if kind in _UNSEEN:
        return ""
    return " " if kind == "Zs" else letter


def one_line(text: str) -> str:
    """Return the text on one line, without invisible characters and with single plain spaces."""
    seen = unicodedata.normalize("NFC", "".join(map(_visible, text)))
    return _SPACES.sub(" ", seen).strip()


def quoted(text: str) -> str:
    """Prepare a text from outside for quotation in our sentence: one short line, without invisible characters."""
    line = one_line(text[: QUOTED_LENGTH_MAX * 10])
    if len(line) <= QUOTED_LENGTH_MAX and len(text) <= QUOTED_LENGTH_MAX * 10:
        return line or "…"
    return line[: QUOTED_LENGTH_MAX - 1].rstrip() + "…"


def isolated(text: str) -> str:
    """Wrap a text in the isolate characters of Unicode, so that right-to-left letters in it do not reorder the text
    around it.
    """
    return FIRST_STRONG_ISOLATE + quoted(text) + POP_DIRECTIONAL_ISOLATE


def named(name: str) -> str:
    """Prepare the name of a customer's file for quotation in our sentence: no character in it can close the quotation."""
    line = one_line(name[: NAMED_LENGTH_MAX * 10])
    if len(line) > NAMED_LENGTH_MAX:
        line = line[: NAMED_LENGTH_MAX - 1].rstrip() + "…"
    return isolated(line.translate(_NO_QUOTES))


def without_isolates(text: str) -> str:
    """Remove the characters that `isolated` adds, for a text that a table or a program shows separately."""
    return text.replace(FIRST_STRONG_ISOLATE, "").replace(POP_DIRECTIONAL_ISOLATE, "")


def shown(text: str) -> str:
    """Return text that is safe to print on a terminal: line ends are kept, and other invisible characters become JSON
    escapes.
    """
    return "".join(
        json.dumps(letter)[1:-1]
        if unicodedata.category(letter) in _UNSEEN and letter not in "\n\t"
        else letter
        for letter in text
    )


def as_came(name: str) -> str:
    """Return a name from outside on one line and otherwise unchanged: invisible characters become escapes."""
    return shown(name).replace("\n", "\\n").replace("\t", "\\t")


def groups(number: str) -> list[str]:
    """Split a number that people read aloud into groups of four: `ord_06f9...` becomes `ord_`, `06f9`, ..."""
    prefix, line, rest = number.rpartition("_")
    of_four = [rest[start : start + 4] for start in range(0, len(rest), 4)]
    return [prefix + line, *of_four] if line else of_four


def file_name(text: str) -> str:
    """Return a file name that is safe to show, to mail and to send back: no path, no invisible characters.

    The result is empty if no safe character is left.
    """
    last = text.replace("\\", "/").rsplit("/", 1)[-1]
    name = one_line(last).strip(" .")
    if len(name) > FILE_NAME_LENGTH_MAX:
        name = name[: FILE_NAME_LENGTH_MAX - 4].rstrip() + ".pdf"
    return name


def lines_of_text(text: str) -> str:
    """Return text of several lines without invisible characters, repeated blank lines, and blank lines at either end."""
    lines = [one_line(one) for one in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    kept = [one for at, one in enumerate(lines) if one or (at and lines[at - 1])]
    return "\n".join(kept).strip("\n")
