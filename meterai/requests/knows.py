"""Request log in the console: search for accounts by Request-Id, and refused requests on an account's timeline."""

import re
from collections.abc import Sequence

from meterai.kit.subjects import Happening, Subject, SubjectKind, account_subject
from meterai.plumbing.db.database import ReadTx
from meterai.requests import store
from meterai.room import Knows

REFUSED_TOLD_MAX = 20  # newest refusals on the timeline of an account
_REQUEST = re.compile(r"[A-Za-z0-9_-]{8,64}")  # as accepted by `plumbing/observe/exchange.py`


async def find(tx: ReadTx, text: str, limit: int) -> Sequence[Subject]:
    """Find the accounts whose API key made the request with this Request-Id."""
    if not _REQUEST.fullmatch(text):
        return ()
    return [account_subject(one) for one in await store.accounts_of_request(tx, text, limit)]


async def tell(tx: ReadTx, about: Subject) -> Sequence[Happening]:
    """Return happenings for the newest refused requests of an account; none for a subject of another kind."""
    if about.kind != SubjectKind.ACCOUNT or about.account is None:
        return ()
    return [
        Happening(
            one.at,
            "request_refused",
            {
                "method": one.method,
                "path": one.path,
                "status": one.status,
                "refusal": one.code or "",
                "request": one.request,
            },
            for_staff=True,
        )
        for one in await store.refused(tx, about.account, REFUSED_TOLD_MAX)
    ]


KNOWS = Knows(find=find, tell=tell)
