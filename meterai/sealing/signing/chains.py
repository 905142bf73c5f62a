"""From a certificate to a root that somebody trusts, whatever the certificate is for."""

from collections.abc import Sequence
from functools import lru_cache

from cryptography import x509

from meterai.sealing.signing.issuer import may_sign_certificates

CHAIN_LENGTH_MAX = 6  # certificates, root included; time-stamp authorities have up to four


_ANSWERS_KEPT = 256  # the same few authorities are asked about at every check


@lru_cache(maxsize=_ANSWERS_KEPT)
def is_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """True if the authority is the certificate's issuer by name, and its key signed it."""
    try:
        certificate.verify_directly_issued_by(authority)
    # cryptography answers no with ValueError, TypeError or InvalidSignature, and may refuse a
    # hostile key with others.
    except Exception:
        return False
    return True


def chain_to(
    leaf: x509.Certificate, others: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]
) -> tuple[x509.Certificate, ...] | None:
    """The certificates from the leaf to one of the roots, each issued by the next; `None` if none.

    Everyone above the leaf must be allowed to sign certificates (RFC 5280, section 6.1.4).  Times
    are not looked at.
    """
    path = [leaf]
    while len(path) < CHAIN_LENGTH_MAX:
        root = next((root for root in roots if is_issued_by(path[-1], root)), None)
        if root is not None:
            path.append(root)
            return tuple(path) if all(map(may_sign_certificates, path[1:])) else None
        authority = next(
            (other for other in others if other not in path and is_issued_by(path[-1], other)), None
        )
        if authority is None:
            return None
        path.append(authority)
    return None
