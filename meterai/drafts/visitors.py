"""Which draft a request is about: by the cookie of the browser, by who is signed in."""

from uuid import UUID

from litestar.datastructures import Cookie

from meterai.drafts.model import Draft, DraftFile
from meterai.drafts.service import DraftService
from meterai.kit.refusal import NotFound, SignInRequired
from meterai.pages import Page, PageRequest, known_caller, known_visitor
from meterai.plumbing.http import cookie_name

COOKIE = "draft"
KEPT = "draft-kept"  # the token of one before it, which opens once its owner signs in
# Of the page of files, for who signed in by the link of a mail in a browser that has none.
ELSEWHERE = "files=elsewhere"
# Of the same page, where a browser has come without the cookie that its files are found by.
NO_COOKIE = "files=no-cookie"


async def account_asking(request: PageRequest) -> UUID | None:
    """The account of a public page, or None where nobody is signed in."""
    caller = known_caller(request) or await known_visitor(request)
    return caller.account if caller else None


def _token(request: PageRequest, drafts: DraftService, cookie: str = COOKIE) -> str:
    return request.cookies.get(cookie_name(cookie, drafts.process), "")


async def open_draft(request: PageRequest, drafts: DraftService) -> Draft | None:
    """The draft of whoever asks, or None."""
    return await drafts.current(_token(request, drafts), await account_asking(request))


async def files_apart(request: PageRequest, drafts: DraftService) -> list[DraftFile]:
    """Files of this browser that are not in the account of whoever is signed in here."""
    account = await account_asking(request)
    token = _token(request, drafts)
    return await drafts.files_apart(token, account) if account is not None and token else []


def sign_in_mark(request: PageRequest, drafts: DraftService) -> str:
    """What signing in leads back with that begins at a page of this browser's draft."""
    return drafts.mark(_token(request, drafts))


async def adopt_draft(request: PageRequest, drafts: DraftService, account: UUID) -> None:
    """Put the draft of this browser into an account: a button said so, or its owner signed in on a
    page of it."""
    await drafts.adopt(_token(request, drafts), account)


async def adopt_by_mark(
    request: PageRequest, drafts: DraftService, account: UUID, mark: str
) -> None:
    """Put the draft of this browser into an account, if the sign-in that leads here began at its page."""
    await drafts.adopt_by_mark(_token(request, drafts), account, mark)


async def is_kept(request: PageRequest, drafts: DraftService) -> bool:
    """Whether files of this browser wait for their owner, whose session has ended, to sign in; also where
    others were chosen here since.
    """
    if await account_asking(request) is not None:
        return False
    tokens = _token(request, drafts), _token(request, drafts, KEPT)
    return any([await drafts.is_kept_for_its_owner(one) for one in tokens])


async def done_here(request: PageRequest, drafts: DraftService) -> Draft | None:
    """What this browser chose last, where the account that is signed in has ordered it."""
    return await drafts.done_here(_token(request, drafts), await account_asking(request))


async def own_draft(request: PageRequest, drafts: DraftService) -> Draft | None:
    """The draft of whoever asks, or None.

    Refuses `SignInRequired` where files of this browser wait for that: signing in leads back to them.
    """
    found = await open_draft(request, drafts)
    if found is None and await is_kept(request, drafts):
        raise SignInRequired("the files are kept for their owner")
    return found


async def draft_of(request: PageRequest, drafts: DraftService) -> Draft:
    """The draft of whoever asks.  Refuses `NotFound`, and what `own_draft` does."""
    found = await own_draft(request, drafts)
    if found is None:
        raise NotFound("no draft of this visitor")
    return found


async def set_token(request: PageRequest, answer: Page, drafts: DraftService, token: str) -> None:
    """Have the browser keep a token for as long as its draft may live, and the one it had, if files of that
    wait for their owner."""
    before = _token(request, drafts)
    if await account_asking(request) is None and await drafts.is_kept_for_its_owner(before):
        _set(answer, drafts, KEPT, before)
    _set(answer, drafts, COOKIE, token)


def _set(answer: Page, drafts: DraftService, cookie: str, token: str) -> None:
    answer.set_cookie(
        Cookie(
            cookie_name(cookie, drafts.process),
            path="/",
            value=token,
            max_age=int(drafts.cookie_seconds),
            secure=drafts.process.is_secure,
            httponly=True,
            samesite="lax",
        )
    )
