"""Verdicts of third-party programs on a sealed document: pyHanko, pdfsig, qpdf and mutool.

Each judge gets the document before and after and returns a `Verdict`. A program that is missing on this machine is reported
as missing, and never counts as approval.
"""

import io
import logging
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko_certvalidator import ValidationContext

from meterai.sealing import PageSize, Placement

SECONDS_MAX = 60  # for one program and one document
FIELD_PREFIX = "Meterai_"

_BLOCK = re.compile(r"^Signature #\d+:\n((?:  - .*\n)+)", re.MULTILINE)
_FIELD = re.compile(r"Signature Field Name: (.*)")
_STATUS = re.compile(r"Signature Validation: (.*)")
_QPDF_ORDER = (0, 3, 2)  # exit statuses from best to worst: clean, warnings, errors
_MUTOOL_BLOCK = re.compile(r"^Verifying signature (\d+):\n((?:\t.*\n?)*)", re.MULTILINE)
_OUR_FIELD = re.compile(rb"(\d+) 0 obj\n<</Type/Annot(?:(?!endobj).)*?/FT/Sig", re.DOTALL)

logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)

Word = Literal["content", "objects", "missing"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Verdict of one judge on one document, with its reason."""

    word: Word
    why: str = ""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A document before and after it was sealed, as bytes and as files; `at` is the time.

    `sizes` are the visible sizes of the pages with the `placements`.
    """

    before: Path
    after: Path
    original: bytes
    delta: bytes
    password: str
    root: x509.Certificate
    at: datetime
    placements: Sequence[Placement]
    sizes: Sequence[PageSize]


Judge = Callable[[Sealed], Verdict]

CONTENT = Verdict("content")
MISSING = Verdict("missing")


def said_by(command: Sequence[str]) -> tuple[int, str]:
    """Return exit status and all output of a program; status -1 and a message if it took too long."""
    try:
        done = subprocess.run(  # noqa: S603 - programs by name, no shell
            command, capture_output=True, timeout=SECONDS_MAX, check=False
        )
    except subprocess.TimeoutExpired:
        return -1, f"no answer within {SECONDS_MAX} s"
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


def pyhanko(sealed: Sealed) -> Verdict:
    """Check by pyHanko's default rules that every seal of ours is valid and the last seal covers the whole file."""
    try:
        words = _pyhanko_words(sealed.original + sealed.delta, sealed, FIELD_PREFIX)
    # Every crash of a judge counts as an objection.
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        try:
            _pyhanko_words(sealed.original, sealed, "")
        except Exception as before:
            if type(before) is type(error):
                return Verdict("objects", f"to the original too: {why}")
        return Verdict("objects", why)
    return Verdict("objects", "; ".join(words)) if words else CONTENT


def _pyhanko_words(document: bytes, sealed: Sealed, prefix: str) -> list[str]:
    """Return pyHanko's objections to the signatures whose field names have this prefix."""
    reader = PdfFileReader(io.BytesIO(document), strict=False)
    if reader.security_handler is not None:
        reader.decrypt(sealed.password)
    root = asn1_x509.Certificate.load(sealed.root.public_bytes(Encoding.DER))
    words, count = [], 0
    for name, value, reference in enumerate_sig_fields(reader):
        if not name.startswith(prefix) or value is None:
            continue
        count += 1
        context = ValidationContext(trust_roots=[root], moment=sealed.at, allow_fetching=False)
        status = validate_pdf_signature(
            EmbeddedPdfSignature(reader, reference.get_object(), name), context
        )
        if not status.bottom_line:
            level = status.modification_level
            words.append(
                f"seal {count}: intact {status.intact}, valid {status.valid}, trusted "
                f"{status.trusted}, later changes {level.name if level else 'unknown'}"
            )
    return words


def pdfsig(sealed: Sealed) -> Verdict:
    """Check by pdfsig that every seal of ours is valid, and that the last seal covers the whole file."""
    if shutil.which("pdfsig") is None:
        return MISSING
    blocks = [one for one in _blocks(sealed.after, sealed) if FIELD_PREFIX in one]
    statuses = [_first_match(_STATUS, one) for one in blocks]
    wrong = [status for status in statuses if status != "Signature is Valid."]
    if not blocks:
        return Verdict("objects", "finds no seal")
    if wrong:
        return Verdict("objects", "; ".join(wrong))
    if not any("Total document signed" in one and "Not total" not in one for one in blocks):
        return Verdict("objects", "no seal covers the whole file")
    return CONTENT


def earlier(sealed: Sealed) -> Verdict:
    """Check that pdfsig's result for signatures from before sealing is unchanged."""
    if shutil.which("pdfsig") is None:
        return MISSING
    before = [_status(one) for one in _blocks(sealed.before, sealed)]
    after = [_status(one) for one in _blocks(sealed.after, sealed)]
    kept = [one for one in after if not one[0].startswith(FIELD_PREFIX)]
    if sorted(before) != sorted(kept):
        return Verdict("objects", f"before {before}, now {kept}")
    return CONTENT


def _blocks(path: Path, sealed: Sealed) -> list[str]:
    command = ["pdfsig", "-nocert"]
    command += ["-upw", sealed.password] if sealed.password else []
    return _BLOCK.findall(said_by([*command, str(path)])[1])


def _status(block: str) -> tuple[str, str]:
    return _first_match(_FIELD, block), _first_match(_STATUS, block)


def _first_match(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1].strip() if found else "nothing said"


def qpdf(sealed: Sealed) -> Verdict:
    """Check that `qpdf --check` finds nothing worse than before."""
    if shutil.which("qpdf") is None:
        return MISSING
    command = ["qpdf", f"--password={sealed.password}", "--check"]
    before, _ = said_by([*command, str(sealed.before)])
    after, text = said_by([*command, str(sealed.after)])
    if after not in _QPDF_ORDER or _rank(after) > _rank(before):
        return Verdict("objects", f"status {before}, now {after}: {_last_line(text)}")
    return CONTENT


def _rank(status: int) -> int:
    return _QPDF_ORDER.index(status) if status in _QPDF_ORDER else len(_QPDF_ORDER)


def mutool(sealed: Sealed) -> Verdict:
    """Check by mutool that every seal of ours is valid, and that the document is unchanged since the last seal."""
    if shutil.which("mutool") is None:
        return MISSING
    command = ["mutool", "sign", "-v", "-p", sealed.password, str(sealed.after)]
    fields = [number.decode("ascii") for number in _OUR_FIELD.findall(sealed.delta)]
    _, text = said_by([*command, *fields])
    said = dict(_MUTOOL_BLOCK.findall(text))
    wrong = [
        _last_line(said.get(one, text)) for one in fields if not _is_good_verdict(said.get(one, ""))
    ]
    if not fields or wrong:
        return Verdict("objects", "; ".join(wrong) or "no field of ours in the update")
    if "unchanged since signing" not in said[fields[-1]]:
        return Verdict("objects", _last_line(said[fields[-1]]))
    return CONTENT


def _is_good_verdict(words: str) -> bool:
    return "unchanged since signing" in words or "signature is valid but there have" in words


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "nothing said"


JUDGES: dict[str, Judge] = {
    "pyHanko": pyhanko,
    "pdfsig": pdfsig,
    "qpdf": qpdf,
    "mutool": mutool,
    "earlier signatures": earlier,
}
_VERSIONS = {
    "pdfsig": ["pdfsig", "-v"],
    "pdftoppm": ["pdftoppm", "-v"],
    "qpdf": ["qpdf", "--version"],
    "mutool": ["mutool", "-v"],
}


def versions() -> dict[str, str]:
    """Return the version of every judge, or that it is missing."""
    found = {"pyHanko": version("pyhanko")}
    for name, command in _VERSIONS.items():
        if shutil.which(name) is None:
            found[name] = "missing"
            continue
        number = re.search(r"\d+(?:\.\d+)+", said_by(command)[1])
        found[name] = number[0] if number else "of unknown version"
    return found
