"""The audit of the platform's rooms, run inside a test. Its result is not recorded."""

from collections.abc import Sequence

from meterai.apps.rooms import registered_of
from meterai.audit.auditor import Audit, invariants_of
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.invariants import Everything, Invariant, check_quickly

REGISTERED = registered_of()
POSTINGS = REGISTERED.postings
AUDITED = REGISTERED.audited
EVERYTHING = Everything(AUDITED.subjects)
INVARIANTS = invariants_of(REGISTERED)


async def audit(database: Database, invariants: Sequence[Invariant] = INVARIANTS) -> Audit:
    """Check every invariant over all rows of a small installation."""
    return Audit(tuple(await check_quickly(database, invariants, EVERYTHING)))
