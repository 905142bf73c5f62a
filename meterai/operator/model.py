"""The operator's identity on pages, mails and receipts; pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from meterai.kit.refusal import CommandRefusal
from meterai.operator.settings import OperatorSettings

SPECIMEN = "SPECIMEN"
# Days for which security.txt is valid: RFC 9116, section 2.5.5, recommends less than a year.
SECURITY_DAYS = 180
_SEPARATORS = str.maketrans("", "", ".- ")
_NPWP = re.compile(r"[0-9]{15,16}")
_NPWP_DIGITS = 16  # an earlier number of 15 digits gets a 0 in front
_NITKU = re.compile(r"[0-9]{22}")


class Paper(StrEnum):
    """Kind of a text that the operator publishes."""

    TERMS = "terms"
    PRIVACY = "privacy"


class PaperMissing(CommandRefusal):
    """The file of a published text of the operator cannot be read."""

    code = "paper_missing"
    status = 500

    def __init__(self, setting: str, path: str) -> None:
        super().__init__(f"{setting}: {path} cannot be read")
        self.setting = setting
        self.path = path


class TextBlock(NamedTuple):
    """Part of a published text: a heading, a list, or a paragraph; a list has a text for each item."""

    kind: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seller:
    """Seller that is named on a receipt."""

    name: str
    address: str
    contact: str
    tax_number: str
    branch_number: str

    @property
    def tax_numbers(self) -> str:
        """The tax number (NPWP) and the branch number (NITKU), if there is one, on one line."""
        return " / ".join(filter(None, [self.tax_number, self.branch_number]))

    @classmethod
    def of(cls, settings: OperatorSettings) -> "Seller":
        """Return the operator as the seller on receipts."""
        contact = [settings.operator_mail, settings.operator_phone, settings.operator_hours]
        return cls(
            settings.operator_name,
            settings.operator_address,
            ", ".join(filter(None, contact)),
            settings.operator_tax_number,
            settings.operator_branch_number,
        )


def is_web_address(text: str) -> bool:
    """True if the setting is the https address of a page, and not the path of a file."""
    return text.startswith("https://")


def digits_of(number: str) -> str:
    """Return a tax number without dots and dashes, which people often write in it."""
    return number.translate(_SEPARATORS)


def is_tax_number(number: str) -> bool:
    """True if the number has the length of an NPWP. The first digits are not checked, because no list of valid
    first digits is published.
    """
    return _NPWP.fullmatch(digits_of(number)) is not None


def is_branch_of(branch: str, number: str) -> bool:
    """True if the branch number (NITKU) belongs to this NPWP: it must be the 16 digits of the NPWP and six more (PMK
    112/2022).
    """
    digits, owner = digits_of(branch), digits_of(number).zfill(_NPWP_DIGITS)
    return _NITKU.fullmatch(digits) is not None and digits.startswith(owner)


def blocks(text: str) -> Iterator[TextBlock]:
    """Split a plain text into blocks.

    A line that begins with # is a heading. Lines that begin with - are a list. Other lines up to an empty line are a
    paragraph.
    """
    stripped = (line.strip() for line in text.splitlines())
    for kind, lines in groupby(stripped, key=_kind):
        if kind == "heading":
            yield from (TextBlock(kind, (line.lstrip("# "),)) for line in lines)
        elif kind == "list":
            yield TextBlock(kind, tuple(line.removeprefix("- ") for line in lines))
        elif kind:
            yield TextBlock(kind, (" ".join(lines),))


def _kind(line: str) -> str:
    if not line:
        return ""
    return "heading" if line.startswith("#") else "list" if line.startswith("- ") else "paragraph"


def security_text(settings: OperatorSettings, url: str, now: datetime, *, is_specimen: bool) -> str:
    """Return the content of security.txt (RFC 9116), valid for `SECURITY_DAYS` from `now`."""
    contact = settings.operator_security
    if not is_web_address(contact):
        contact = f"mailto:{contact}"
    expires = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        f"Contact: {contact}",
        f"Expires: {expires + timedelta(days=SECURITY_DAYS):%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: id, en",
        f"Canonical: {url}/.well-known/security.txt",
    ]
    return "\n".join([*([f"# {SPECIMEN}"] if is_specimen else []), *lines, ""])
