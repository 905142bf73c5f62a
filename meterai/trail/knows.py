"""The audit trail in the staff console: timelines of an account or another subject, and search by request id."""

import re
from collections.abc import Sequence
from uuid import UUID

from meterai.kit.refusal import Sentence
from meterai.kit.subjects import Happening, Subject, SubjectKind, account_subject, kind_of_id
from meterai.plumbing.db.database import ReadTx
from meterai.plumbing.messages import catalogue
from meterai.room import Knows
from meterai.trail import store
from meterai.trail.model import TrailLine

LINES_TOLD_MAX = 200  # newest lines of an account, or about one subject
NOBODY = UUID(int=0)  # nil account, to which lines without an account belong
# A request id in the form that `plumbing/observe/exchange.py` accepts.
_REQUEST = re.compile(r"[A-Za-z0-9_-]{8,64}")
# Facts that are not shown among the others: digests mean nothing to a reader, and the request has a separate place.
_UNTOLD = frozenset({"digest", "request"})


async def find(tx: ReadTx, text: str, limit: int) -> Sequence[Subject]:
    """Return the subjects that a request acted on, if the text is the id of a request (`Request-Id`)."""
    if not _REQUEST.fullmatch(text):
        return ()
    acted = [_about(line) for line in await store.of_request(tx, text, limit)]
    return [one for one in acted if one is not None]


async def tell(tx: ReadTx, about: Subject) -> Sequence[Happening]:
    """Return the newest audit lines about a subject as timeline events; for an account, also the lines about everything that
    belongs to it.
    """
    if about.kind == SubjectKind.ACCOUNT and about.account is not None:
        lines = await store.of_account(tx, about.account, LINES_TOLD_MAX)
        lines += await store.of_subject(tx, [NOBODY], about.shown, LINES_TOLD_MAX)
        return [_told(line, about) for line in lines]
    return await trail_of(tx, about.shown, about)


async def trail_of(tx: ReadTx, subject: str, about: Subject | None = None) -> list[Happening]:
    """Return the newest audit lines about the object with the id `subject`, as timeline events.

    `about` is the object whose timeline is shown; an event that is about this object does not link to it.
    """
    of = about.account if about is not None else None
    accounts = [NOBODY] if of is None else [of, NOBODY]
    return [
        _told(line, about) for line in await store.of_subject(tx, accounts, subject, LINES_TOLD_MAX)
    ]


def _about(line: TrailLine) -> Subject | None:
    """Return the subject of an audit line if subjects of its kind have a timeline, as orders do.

    Otherwise, as for a session, return the account of the line, if it has one.
    """
    kind = kind_of_id(line.subject)
    account = None if line.account == NOBODY else line.account
    if kind is not None:
        return Subject(kind, line.subject, account)
    return None if account is None else account_subject(account)


def _told(line: TrailLine, about: Subject | None) -> Happening:
    key = f"trail.{line.action}"
    there = _about(line)
    link = None if about is not None and there == about else there
    # The subject of the page, and a subject that is linked, are not repeated as text.
    named = {one.shown for one in (about, link) if one is not None}
    more = [f"{name} {told}" for name, told in line.facts.items() if name not in _UNTOLD]
    facts = {
        "act": Sentence(key, {}) if key in catalogue() else line.action,
        "subject": "" if line.subject in named else line.subject,
        "more": ", ".join(more),
        "request": line.facts.get("request"),
    }
    return Happening(line.happened_at, "trail_line", facts, link, line.actor, for_staff=True)


KNOWS = Knows(find=find, tell=tell)
