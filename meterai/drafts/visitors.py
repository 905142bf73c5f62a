"""Which draft a request is about: by the cookie of the browser, by who is signed in."""

from uuid import UUID

from litestar.datastructures import Cookie

from meterai.drafts.model import Draft
from meterai.drafts.service import DraftService
from meterai.kit.refusal import NotFound
from meterai.pages import Page, PageRequest, visitor
from meterai.plumbing.http import cookie_name

COOKIE = "draft"


async def account_asking(request: PageRequest) -> UUID | None:
    """The account of a public page, or None where nobody is signed in."""
    caller = await visitor(request)
    return caller.account if caller else None


async def draft_of(request: PageRequest, drafts: DraftService) -> Draft:
    """The draft of whoever asks.  Refuses `NotFound`."""
    found = await open_draft(request, drafts)
    if found is None:
        raise NotFound("no draft of this visitor")
    return found


async def open_draft(request: PageRequest, drafts: DraftService) -> Draft | None:
    """The draft of whoever asks, or None."""
    token = request.cookies.get(cookie_name(COOKIE, drafts.process), "")
    return await drafts.current(token, await account_asking(request))


def set_token(answer: Page, drafts: DraftService, token: str) -> None:
    """Have the browser keep a token for as long as its draft lives."""
    answer.set_cookie(
        Cookie(
            cookie_name(COOKIE, drafts.process),
            path="/",
            value=token,
            max_age=int(drafts.lives_seconds),
            secure=drafts.process.is_secure,
            httponly=True,
            samesite="lax",
        )
    )
