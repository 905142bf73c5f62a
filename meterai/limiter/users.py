"""The user to whom the use of a request is counted, found without the database.

A cookie or a key proves nothing by itself: a client that sends a new one with each request would be a new user each
time. So a credential stands for its account only after the application has accepted it; until then the address of the
client is the user.
"""

from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b

from litestar.types import HTTPScope

from meterai.plumbing.http.callers import Caller
from meterai.plumbing.http.head import head_of
from meterai.plumbing.networks import nested

KNOWN_MAX = 20_000  # credentials; some megabytes; the one unseen for longest is dropped first
_CREDENTIALS = (b"authorization", b"cookie")


class Users:
    """Names the user of a request by its credential or its address."""

    def __init__(self, address_of: Callable[[HTTPScope], str]) -> None:
        self._address_of = address_of
        self._known: OrderedDict[bytes, bytes] = OrderedDict()

    def of(self, scope: HTTPScope) -> bytes:
        """Return the user of a request: the account of its credential if the application accepted this credential before, else
        its address.
        """
        return self._account_of(scope) or self._address_of(scope).encode()

    def apart(self, scope: HTTPScope) -> bytes:
        """Return a name under which all requests of one person count as one user: the account if known, else the widest
        network around the address.
        """
        return self._account_of(scope) or nested(self._address_of(scope))[-1].encode()

    def _account_of(self, scope: HTTPScope) -> bytes | None:
        credential = _credential(scope)
        account = self._known.get(credential) if credential else None
        if account is not None:
            self._known.move_to_end(credential)
        return account

    def learn(self, scope: HTTPScope, user: bytes) -> None:
        """Remember the account of a credential that the application accepted. `user` is the current user of the request."""
        caller = scope.get("caller")
        if not isinstance(caller, Caller) or caller.account.bytes == user:
            return
        if credential := _credential(scope):
            self._known[credential] = caller.account.bytes
            self._known.move_to_end(credential)
            if len(self._known) > KNOWN_MAX:
                self._known.popitem(last=False)


def _credential(scope: HTTPScope) -> bytes:
    given = head_of(scope).values
    shown = [given[name] for name in _CREDENTIALS if name in given]
    return blake2b(b"\0".join(shown), digest_size=16).digest() if shown else b""
