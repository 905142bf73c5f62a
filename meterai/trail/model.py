"""Lines of the audit trail; pure."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID


class TrailLine(NamedTuple):
    """A line of the audit trail."""

    account: UUID
    actor: str
    action: str
    subject: str
    facts: dict[str, Any]
    happened_at: datetime
