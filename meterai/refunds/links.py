"""Claim links, by which the reader of a mail names a bank account for refunds.  The links are signed; their text is not
stored.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from uuid import UUID

from meterai.kit.ids import compact, from_compact
from meterai.refunds.model import ClaimLink, ClaimLinkWrong

PURPOSE = "claim links"  # purpose of the signing key
CLAIM_PATH = "/claims"
_ID_LENGTH = 26
_SIGNATURE_BYTES = 24


class ClaimLinks:
    """Signs claim links and checks their signatures."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def _signature(self, link: ClaimLink) -> str:
        told = f"{link.account}:{link.id}:{link.refund}:{link.expires_at.timestamp():.6f}"
        digest = hmac.digest(self._key, told.encode(), hashlib.sha256)
        return urlsafe_b64encode(digest[:_SIGNATURE_BYTES]).decode()

    def text(self, link: ClaimLink) -> str:
        """The text of the link in its URL: account, id and signature."""
        return f"{compact(link.account)}{compact(link.id)}{self._signature(link)}"

    def is_signed(self, link: ClaimLink, text: str) -> bool:
        """True if the text has our signature of this link."""
        return hmac.compare_digest(self.text(link).encode(), text.encode("utf-8", "replace"))


def named_by(text: str) -> tuple[UUID, UUID]:
    """(account, link id) in the text of a link, whether signed or not.

    Refuses `ClaimLinkWrong` if the text is not a link, for instance since a mail program cut it.
    """
    try:
        return from_compact(text[:_ID_LENGTH]), from_compact(text[_ID_LENGTH : 2 * _ID_LENGTH])
    except ValueError:
        raise ClaimLinkWrong("the link was not made by us, or is incomplete") from None
