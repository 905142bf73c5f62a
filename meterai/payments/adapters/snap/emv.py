"""Content of a QR: EMVCo Merchant-Presented Mode, section 3, in the form of QRIS (PADG 21/18/2019).

A QR is a sequence of fields (2-digit tag, 2-digit length, value).  The last has tag 63 and a CRC-16/CCITT-FALSE of all text
before the CRC.  Tags 26 to 51 identify the payee; inside them, 01 is the merchant's PAN, by which banks route the money, and 02
the merchant's id at the acquirer or at the national registry (NMID).  Tag 54 is the amount, tag 62 data about the bill such as
its number, tag 59 the name of the merchant.
"""

import binascii
import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from meterai.kit.money import Rupiah

_FIELD = re.compile(r"([0-9]{2})([0-9]{2})")
_MERCHANTS = range(26, 52)
_NATIONAL = "51"  # of the switch that all banks share (ID.CO.QRIS.WWW)
_CLOSED_BY = "6304"
_CRC_BEGINS_AT = 0xFFFF
_RUPIAH = "360"  # ISO 4217
# Fields of a tip, with which the payer would pay another amount than ours.
_TIPS = ("55", "56", "57")


class NotAQr(ValueError):
    """The text is no sequence of fields, or its CRC is wrong."""


def fields(text: str) -> dict[str, str]:
    """Split a text in the format of a QR into its fields, and return their values by tag. Raises `NotAQr`."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        head = _FIELD.match(text, at)
        if head is None or head[1] in found:
            raise NotAQr(f"a tag is missing or repeated at character {at}")
        start, at = head.end(), head.end() + int(head[2])
        if at > len(text):
            raise NotAQr(f"tag {head[1]} is cut off")
        found[head[1]] = text[start:at]
    return found


def read(text: str) -> dict[str, str]:
    """Check the CRC of a QR and return its top-level fields, by tag.  Raises `NotAQr`."""
    if not text.isascii() or text[-8:-4] != _CLOSED_BY:
        raise NotAQr("the text does not end with a CRC")
    if f"{binascii.crc_hqx(text[:-4].encode(), _CRC_BEGINS_AT):04X}" != text[-4:].upper():
        raise NotAQr("the CRC is wrong")
    return fields(text)


class QrPayee(NamedTuple):
    """The payee of a QR: the merchant's name, and its id at the national registry (NMID); the id is empty if the QR has
    none.
    """

    name: str
    nmid: str


def payee(text: str) -> QrPayee | None:
    """The payee of a QR, as the payer's application shows it; None if the QR is unreadable."""
    try:
        row = read(text)
        national = fields(row.get(_NATIONAL, ""))
    except NotAQr:
        return None
    return QrPayee(row.get("59", ""), national.get("02", ""))


def qr_complaints(
    text: str, amount: int, ours: Collection[str], provider_reference: str | None
) -> Iterator[str]:
    """Yield each fault because of which a buyer must not pay `amount` rupiah by this QR; nothing if it is right.

    ours                our PANs and merchant ids; every PAN and id in the QR must be one of them, since a bank may route by any
    provider_reference  the provider's number of the QR; None if the provider does not write it into the QR
    """
    try:
        row = read(text)
        merchants = [fields(row[f"{tag}"]) for tag in _MERCHANTS if f"{tag}" in row]
        about = fields(row.get("62", ""))
    except NotAQr as wrong:
        yield f"not a QR: {wrong}"
        return
    named = [one[tag] for one in merchants for tag in ("01", "02") if tag in one]
    yield from (f"of merchant {one}" for one in named if one not in ours)
    if not named:
        yield "of no merchant"
    try:
        told = Rupiah.from_snap({"value": row.get("54"), "currency": "IDR"}).value
    except ValueError:
        told = None
    if told != amount or row.get("53") != _RUPIAH or any(tag in row for tag in _TIPS):
        yield f"of another amount than {amount}"
    # A bank may omit its number; if the QR contains one, it must be the number of this attempt.
    if provider_reference is not None and about.get("05", provider_reference) != provider_reference:
        yield f"of another reference than {provider_reference}"
