"""Certificate chains to a trusted root, independent of the purpose of a certificate.

The search starts at the roots, so that signatures are verified only with keys that are certified below a root.  Any other key
is chosen by the author of the file, and with some kinds of key a verification takes a thousand times as long.
"""

from collections.abc import Sequence
from functools import lru_cache

from cryptography import x509

from meterai.sealing.signing.issuer import may_sign_certificates

CHAIN_LENGTH_MAX = 6  # certificates, root included; time-stamp authorities have up to four


_ANSWERS_KEPT = 256  # cached; checks need the same few authorities


@lru_cache(maxsize=_ANSWERS_KEPT)
def is_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """True if the certificate names the authority as its issuer, and the authority's key signed the certificate."""
    try:
        certificate.verify_directly_issued_by(authority)
    # cryptography raises ValueError, TypeError or InvalidSignature if the check fails, and may raise other exceptions for
    # a hostile key.
    except Exception:
        return False
    return True


def chain_to(
    leaf: x509.Certificate, others: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]
) -> tuple[x509.Certificate, ...] | None:
    """Return a chain of certificates from the leaf to one of the roots, each issued by the next; `None` if none exists.

    All certificates above the leaf must be allowed to sign certificates (RFC 5280, section 6.1.4).  Times
    are not checked.
    """
    chain = shortest_way(leaf, others, roots, CHAIN_LENGTH_MAX)
    return chain if chain is not None and all(map(may_sign_certificates, chain[1:])) else None


def shortest_way(
    leaf: x509.Certificate,
    others: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    length_max: int,
) -> tuple[x509.Certificate, ...] | None:
    """Return the shortest chain from the leaf to one of the roots, each certificate issued by the next.

    The chain has at most `length_max` certificates; `None` if none exists.  Only names and signatures are checked.
    """
    ways: list[tuple[x509.Certificate, ...]] = [(root,) for root in roots]
    left = [other for other in dict.fromkeys(others) if other not in roots and other != leaf]
    for _ in range(length_max - 1):
        for way in ways:
            if is_issued_by(leaf, way[0]):
                return (leaf, *way)
        found: dict[x509.Certificate, tuple[x509.Certificate, ...]] = {
            other: (other, *way)
            for way in reversed(ways)
            for other in left
            if is_issued_by(other, way[0])
        }
        left = [other for other in left if other not in found]
        ways = list(found.values())
    return None
