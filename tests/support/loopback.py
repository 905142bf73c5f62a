"""No test speaks to the outside: a socket that leaves this machine is an error where it is opened.

The interpreter tells of every socket (PEP 578), whichever library opens it.  What C code opens by
itself (libpq, a browser) it does not tell of; those are only given addresses of ours.
"""

import sys
from ipaddress import ip_address

_TELLING = frozenset({"socket.connect", "socket.bind", "socket.sendto"})
_NAMES = frozenset({"localhost", "testserver.local"})


class LeavesThisMachine(AssertionError):
    """A test opened a socket to, or for, another machine."""


def is_ours(address: object) -> bool:
    """True for a socket file, a loopback address, and what is no address of the Internet."""
    if not isinstance(address, tuple):
        return True
    host = address[0]
    if host in _NAMES:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _look(event: str, arguments: tuple[object, ...]) -> None:
    if event in _TELLING and not is_ours(arguments[1]):
        raise LeavesThisMachine(f"{event} {arguments[1]}")


def watch() -> None:
    """Refuse such sockets from now on, until this process ends."""
    sys.addaudithook(_look)
