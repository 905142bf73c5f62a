"""Asking an authority for a time-stamp (RFC 3161) over the signature value, when sealing.

Apart from `timestamps`: whoever checks a seal loads nothing that connects to other machines.
"""

import hashlib
import secrets
from collections.abc import Sequence

from asn1crypto import tsp
from cryptography import x509

from meterai.sealing.model import TimeStampUnavailable
from meterai.sealing.signing import der
from meterai.sealing.signing.cms import TIME_STAMP_BYTES_MAX
from meterai.sealing.signing.network import Authorities, Unreached, exchange
from meterai.sealing.signing.timestamps import TokenRefused, check, root_digests, taken_in

NONCE_BITS = 64  # RFC 3161, section 2.4.1: "a large random number with a high probability"
ANSWER_BYTES_MAX = TIME_STAMP_BYTES_MAX + 1024  # a token, and the status before it

_GRANTED = ("granted", "granted_with_mods")


class TimeStampAuthority:
    """One authority, asked over HTTP.  Blocks: to be called in a thread.  Safe to share.

    `roots` are the only ones its certificates may lead to, at most `ROOTS_MAX`; `policy` is an object
    identifier, or `None` to take the authority's own.
    """

    def __init__(
        self,
        url: str,
        roots: Sequence[x509.Certificate],
        timeout_seconds: float,
        policy: str | None = None,
    ) -> None:
        self._url = url
        self._roots = tuple(roots)
        self._timeout_seconds = timeout_seconds
        self._policy = policy
        self._outgoing = Authorities("time_stamps").of(url)

    def token(self, signature_value: bytes) -> bytes:
        """A token over the signature, laid out anew; refuses with `TimeStampUnavailable`.

        Everything a verifier would ask is asked here too (RFC 3161, section 2.2), because a seal
        with a bad token cannot be taken back.
        """
        nonce = secrets.randbits(NONCE_BITS) | 1 << NONCE_BITS - 1
        request = {
            "version": "v1",
            "message_imprint": {
                "hash_algorithm": {"algorithm": "sha256"},
                "hashed_message": hashlib.sha256(signature_value).digest(),
            },
            "nonce": nonce,
            "cert_req": True,
        }
        if self._policy is not None:
            request["req_policy"] = self._policy
        try:
            answer = exchange(
                self._url,
                self._outgoing,
                timeout_seconds=self._timeout_seconds,
                bytes_max=ANSWER_BYTES_MAX,
                body=tsp.TimeStampReq(request).dump(),
                headers={"Content-Type": "application/timestamp-query"},
            )
            token = taken_in(_granted(answer), self._roots)
            checked = check(token, signature_value, root_digests(self._roots))
        except (Unreached, TokenRefused) as cause:
            raise TimeStampUnavailable(str(cause)) from cause
        if checked.nonce != nonce:
            raise TimeStampUnavailable("the token answers another request")
        if self._policy not in (None, checked.policy):
            raise TimeStampUnavailable(f"the token was made under the policy {checked.policy}")
        return token


def _granted(answer: bytes) -> bytes:
    """The token in an answer (RFC 3161, section 2.4.2); refuses with `TokenRefused`."""
    try:
        parts = der.members(answer, der.only(answer, der.SEQUENCE, 0, len(answer)))
        status = tsp.PKIStatusInfo.load(answer[parts[0].at : parts[0].stop], strict=True)
        word = status["status"].native
    # asn1crypto parses lazily and raises many kinds of exception.
    except Exception as cause:
        raise TokenRefused("the answer cannot be read") from cause
    if word not in _GRANTED or len(parts) != 2:
        raise TokenRefused(f"the authority says {word}")
    return answer[parts[1].at : parts[1].stop]
