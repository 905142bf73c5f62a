"""Addresses, tokens and the ways sign-in is refused; pure."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from uuid import UUID

from meterai.kit.ids import compact, from_compact
from meterai.kit.refusal import Malformed, Refusal

NOBODY = UUID(int=0)  # the account of what belongs to no account yet

EMAIL_LENGTH_MAX = 254  # RFC 5321, section 4.5.3.1.3
CODE_DIGITS = 6
SECRET_BYTES = 24
KEY_PREFIX = "mtr_"
_EMAIL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+\Z")
_CREDENTIAL_LENGTH = 26 + 26 + 32


class SignInRequired(Refusal):
    """The request says not who it is from, or what it says is not valid."""

    code = "sign_in_required"
    status = 401


class CodeWrong(Refusal):
    """The code is not the one that was sent."""

    code = "code_wrong"
    status = 422


class CodeSpent(Refusal):
    """The code is too old, was used, or was tried too often; a new one is needed."""

    code = "code_spent"
    status = 422


class TooManyCodes(Refusal):
    """More codes were asked for than one address or network gets in an hour."""

    code = "too_many_codes"
    status = 429


class FormExpired(Refusal):
    """The form was not made by our page for this session."""

    code = "form_expired"
    status = 403


def normalized(email: str) -> str:
    """The address as we compare it.  Refuses `Malformed`."""
    text = email.strip().lower()
    if len(text) > EMAIL_LENGTH_MAX or not _EMAIL.match(text):
        raise Malformed("email", "an e-mail address")
    return text


def code_of(key: bytes, challenge: UUID) -> str:
    """The six digits of a challenge.  Derived, so that no copy of the database can tell them."""
    digest = hmac.digest(key, challenge.bytes, hashlib.sha256)
    return f"{int.from_bytes(digest[:8]) % 10**CODE_DIGITS:0{CODE_DIGITS}}"


@dataclass(frozen=True, slots=True)
class Credential:
    """A bearer secret that names its own row: account, key or session, and the secret."""

    account: UUID
    id: UUID
    secret: str

    @classmethod
    def fresh(cls, account: UUID, identifier: UUID) -> "Credential":
        """A new credential for a row that is about to be written."""
        return cls(account, identifier, secrets.token_urlsafe(SECRET_BYTES))

    def text(self, prefix: str = "") -> str:
        """What the holder keeps."""
        return f"{prefix}{compact(self.account)}{compact(self.id)}{self.secret}"

    @classmethod
    def read(cls, text: str, prefix: str = "") -> "Credential":
        """Read what the holder sent.  Refuses `SignInRequired`."""
        rest = text.removeprefix(prefix)
        if len(rest) != _CREDENTIAL_LENGTH or not text.startswith(prefix):
            raise SignInRequired("not a credential")
        try:
            return cls(from_compact(rest[:26]), from_compact(rest[26:52]), rest[52:])
        except ValueError:
            raise SignInRequired("not a credential") from None

    def hash(self) -> bytes:
        """What we keep: the secret has 192 random bits, so a plain hash is enough."""
        return hashlib.sha256(self.secret.encode()).digest()

    def opens(self, stored: bytes) -> bool:
        """True where the secret is the one whose hash is stored."""
        return hmac.compare_digest(self.hash(), stored)
