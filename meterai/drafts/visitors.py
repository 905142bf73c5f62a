"""Which draft a request is about: by the cookie of the browser, by who is signed in."""

from uuid import UUID

from litestar.datastructures import Cookie

from meterai.drafts.model import Draft, DraftFile
from meterai.drafts.service import DraftService
from meterai.kit.refusal import NotFound, SignInRequired
from meterai.pages import Page, PageRequest, known_caller, known_visitor
from meterai.plumbing.http import cookie_name

COOKIE = "draft"
# Of the page of files, for who signed in by the link of a mail in a browser that has none.
ELSEWHERE = "files=elsewhere"


async def account_asking(request: PageRequest) -> UUID | None:
    """The account of a public page, or None where nobody is signed in."""
    caller = known_caller(request) or await known_visitor(request)
    return caller.account if caller else None


def _token(request: PageRequest, drafts: DraftService) -> str:
    return request.cookies.get(cookie_name(COOKIE, drafts.process), "")


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
    """Whether files of this browser wait for their owner, whose session has ended, to sign in."""
    if await account_asking(request) is not None:
        return False
    return await drafts.is_kept_for_its_owner(_token(request, drafts))


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


def set_token(answer: Page, drafts: DraftService, token: str) -> None:
    """Have the browser keep a token for as long as its draft may live."""
    answer.set_cookie(
        Cookie(
            cookie_name(COOKIE, drafts.process),
            path="/",
            value=token,
            max_age=int(drafts.cookie_seconds),
            secure=drafts.process.is_secure,
            httponly=True,
            samesite="lax",
        )
    )
