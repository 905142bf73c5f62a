"""What each command needs of the database's schema.

Only `migrate` and `up` bring a schema up to date: who runs another command means to look at an
installation, or to change one thing in it, and not to change the tables under what is running.
"""

from collections.abc import Mapping
from enum import StrEnum


class Schema(StrEnum):
    """What a command needs the schema to be."""

    BROUGHT = "brought"  # the command itself brings it up to date
    CURRENT = "current"  # exactly what this version was written for
    # In an incident: stop, revoke, look.  It touches few tables, and refuses where one is not there.
    ANY = "any"
    NONE = "none"  # it opens no database


# Every command there is; a test compares.
SCHEMA: Mapping[str, Schema] = {
    "up": Schema.BROUGHT,
    "migrate": Schema.BROUGHT,
    "web": Schema.CURRENT,
    "worker": Schema.CURRENT,
    "audit": Schema.CURRENT,
    "accounts create": Schema.CURRENT,
    "accounts keys": Schema.ANY,
    "accounts end-key": Schema.ANY,
    "suspense list": Schema.ANY,
    "suspense resolve": Schema.CURRENT,
    "issuing stop": Schema.ANY,
    "issuing open": Schema.CURRENT,
    "jobs list": Schema.ANY,
    "jobs retry": Schema.CURRENT,
    "objects adopt": Schema.CURRENT,
    "standins": Schema.NONE,
    "config": Schema.NONE,
    "check-config": Schema.NONE,
    "seal": Schema.NONE,
    "verify": Schema.NONE,
    "verify-claim": Schema.NONE,
    "issuer show": Schema.NONE,
    "issuer appoint": Schema.NONE,
}
