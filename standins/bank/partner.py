"""The merchant of a bank: its credentials and its endpoints."""

from dataclasses import dataclass, field

from standins.bank.signing import PublicKey


@dataclass(frozen=True, slots=True)
class MerchantEndpoints:
    """URLs of the merchant's endpoints; empty if it has no such endpoint."""

    notify: str
    token: str = ""
    inquiry: str = ""
    payment: str = ""


@dataclass(frozen=True, slots=True)
class Partner:
    """The merchant; the bank shares the secret with it, and has only its public key."""

    client_id: str
    client_secret: str = field(repr=False)
    key: PublicKey
    endpoints: MerchantEndpoints
