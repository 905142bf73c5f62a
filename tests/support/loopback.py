"""Sockets of tests stay on this machine: a socket to another one is an error when it is opened.

The interpreter reports every socket (PEP 578), whichever library opens it. Sockets of C code (libpq, a browser)
are not reported; that code gets only addresses of this machine.
"""

import sys
from ipaddress import ip_address

_TELLING = frozenset({"socket.connect", "socket.bind", "socket.sendto"})
_NAMES = frozenset({"localhost", "testserver.local"})


class LeavesThisMachine(AssertionError):
    """A test opened a socket to another machine, or a socket that other machines can reach."""


def is_ours(address: object) -> bool:
    """Return True for a loopback address, and for an address of another kind, such as a socket file."""
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
    """Refuse other sockets from now on, until this process ends."""
    sys.addaudithook(_look)
