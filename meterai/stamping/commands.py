"""Commands about who seals."""

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from meterai import sealing
from meterai.apps.exits import Exit
from meterai.apps.options import NO_OPTIONS, Options, Text, complain, line
from meterai.kit.clock import SystemClock
from meterai.kit.refusal import Refusal
from meterai.sealing import Issuer, KnownIssuer
from meterai.stamping import issuers_directory, issuers_of


def show(options: Options = NO_OPTIONS) -> None:
    """Show every issuer: id, name, kind of key, when its certificate ends, id of its claim key.

    Exit status 1 where the current one cannot seal now.
    """
    clock = SystemClock()
    issuers = issuers_of(options.settings("issuer show"), clock)
    for name, one in issuers.by_id.items():
        is_current = one is issuers.current
        line(f"{name}{' (current)' if is_current else ''}")
        line(f"  name       {one.name}")
        line(f"  key        {_kind(one)}")
        line(f"  valid      until {one.chain[0].not_valid_after_utc.isoformat()}")
        line(f"  claim key  {_claim_key_id(one) or 'none'}")
    raise SystemExit(Exit.DONE if _can_seal(issuers.current, clock.now()) else Exit.NO)


def appoint(name: Text, options: Options = NO_OPTIONS) -> None:
    """Let the issuer with this id seal, from the next start of web and worker on."""
    try:
        sealing.appoint(issuers_directory(options.settings("issuer appoint")), name)
    except sealing.IssuerUnusable as refusal:
        complain(f"{name} cannot seal: {refusal}")
        raise SystemExit(Exit.NO) from None
    line(f"{name} seals from the next start of web and worker on")


def _kind(issuer: Issuer | KnownIssuer) -> str:
    match issuer.chain[0].public_key():
        case rsa.RSAPublicKey() as key:
            return f"RSA, {key.key_size} bits"
        case ec.EllipticCurvePublicKey() as key:
            return key.curve.name
        case key:
            return type(key).__name__


def _claim_key_id(issuer: Issuer | KnownIssuer) -> str | None:
    if isinstance(issuer, Issuer):
        return issuer.claim_key.id if issuer.claim_key else None
    return sealing.claim.key_id(issuer.claim_public) if issuer.claim_public else None


def _can_seal(issuer: Issuer, at: datetime) -> bool:
    try:
        issuer.check_usable(at)
    except Refusal as refusal:
        line(f"the current one cannot seal now: {refusal}")
        return False
    return True
