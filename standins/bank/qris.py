"""QRIS payloads: the text inside a merchant-presented QR code.

EMVCo Merchant-Presented Mode, section 3: a sequence of (2-digit tag, 2-digit length, value), which ends with tag 63, a
CRC-16/CCITT-FALSE over everything before its value.  QRIS (PADG 21/18/2019) fixes the currency 360, the country ID and
template 51 with the national merchant id.
"""

import re
from dataclasses import dataclass

from standins.refusal import Refusal

PAYLOAD_CHARACTERS_MAX = 512  # SNAP BI, qrContent
MERCHANT_NAME_MAX = 25  # characters, tag 59
MERCHANT_ID_MAX = 15  # characters, tag 26-02

# Numbers of no real bank or merchant: National Numbering System 93600999 and an NMID of nines.
MERCHANT_PAN = "936009990000000001"
NATIONAL_MERCHANT_ID = "ID1099999999999"
MERCHANT_CATEGORY = "9311"  # tax payments
_CRC_TAG = "6304"
_DIGITS = re.compile(r"\d\d")


class NotAQr(Refusal):
    """The text is not a QRIS payload, or its CRC does not match."""

    code = "not_a_qr"
    status = 400


@dataclass(frozen=True, slots=True)
class DynamicQr:
    """Content of a dynamic QR. `amount` is in whole rupiah, `reference` is the reference number of the bank."""

    amount: int
    reference: str
    merchant_id: str
    merchant_name: str
    terminal_id: str


def crc(text: str) -> str:
    """Return the CRC-16/CCITT-FALSE as four upper-case hexadecimal digits; `123456789` gives `29B1`."""
    value = 0xFFFF
    for byte in text.encode():
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
    return f"{value:04X}"


def _field(tag: str, value: str) -> str:
    if not (value.isascii() and 0 < len(value) <= 99):
        raise ValueError(f"tag {tag} takes 1 to 99 ASCII characters, not {value!r}")
    return f"{tag}{len(value):02d}{value}"


def payload(qr: DynamicQr) -> str:
    """Return the payload of a dynamic QR for one payment."""
    acquirer = (
        _field("00", "ID.CO.STANDIN.WWW")
        + _field("01", MERCHANT_PAN)
        + _field("02", qr.merchant_id)
        + _field("03", "UKE")
    )
    national = (
        _field("00", "ID.CO.QRIS.WWW") + _field("02", NATIONAL_MERCHANT_ID) + _field("03", "UKE")
    )
    text = (
        _field("00", "01")
        + _field("01", "12")
        + _field("26", acquirer)
        + _field("51", national)
        + _field("52", MERCHANT_CATEGORY)
        + _field("53", "360")
        + _field("54", str(qr.amount))
        + _field("58", "ID")
        + _field("59", qr.merchant_name)
        + _field("60", "JAKARTA PUSAT")
        + _field("61", "10110")
        + _field("62", _field("05", qr.reference) + _field("07", qr.terminal_id))
        + _CRC_TAG
    )
    return text + crc(text)


def fields(text: str) -> dict[str, str]:
    """Return the top-level tags and values of a payload. Raises `ValueError` if the lengths do not add up."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        tag, length = text[at : at + 2], text[at + 2 : at + 4]
        if not (text.isascii() and _DIGITS.fullmatch(tag) and _DIGITS.fullmatch(length)):
            raise ValueError(f"no tag and length at character {at}")
        start, at = at + 4, at + 4 + int(length)
        if at > len(text) or tag in found:
            raise ValueError(f"tag {tag} is cut short or there twice")
        found[tag] = text[start:at]
    return found


def scan(text: str) -> dict[str, str]:
    """Read a payload as a customer's app does: first the CRC, then the tags. Refuses `NotAQr`."""
    if not 8 <= len(text) <= PAYLOAD_CHARACTERS_MAX or text[-8:-4] != _CRC_TAG:
        raise NotAQr("not a QRIS payload")
    if crc(text[:-4]) != text[-4:]:
        raise NotAQr("the CRC does not match")
    try:
        found = fields(text)
    except ValueError as wrong:
        raise NotAQr(str(wrong)) from None
    if found.get("00") != "01" or found.get("53") != "360":
        raise NotAQr("not a QRIS payload in rupiah")
    return found
