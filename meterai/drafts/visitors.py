"""Draft of a request: by the cookie of the browser, and by the signed-in account."""

from typing import Any
from uuid import UUID

from litestar import Response
from litestar.datastructures import Cookie

from meterai.drafts.model import PAGE_KEY_LENGTH_MAX, PAGE_KEY_LENGTH_MIN, Draft, DraftFile
from meterai.drafts.service import DraftService
from meterai.kit.refusal import NotFound, SignInRequired
from meterai.pages import PageRequest, known_caller, known_visitor
from meterai.plumbing.http.requests import cookie_name

COOKIE = "draft"
PAGE_KEY = "page-key"  # the header with which a script names its page
KEPT = "draft-kept"  # the token of an earlier draft, which opens after a sign-in of its owner
# Query of the page of files after a sign-in by the link of a mail in a browser without files.
ELSEWHERE = "files=elsewhere"
# Query of the same page for a browser without the cookie that finds its files.
NO_COOKIE = "files=no-cookie"


async def account_asking(request: PageRequest) -> UUID | None:
    """Return the account on a public page, or None without a sign-in."""
    caller = known_caller(request) or await known_visitor(request)
    return caller.account if caller else None


def _token(request: PageRequest, drafts: DraftService, cookie: str = COOKIE) -> str:
    return request.cookies.get(cookie_name(cookie, drafts.process), "")


def _page_key(text: str) -> str:
    """Return an unguessable key, or none."""
    is_long = PAGE_KEY_LENGTH_MIN <= len(text) <= PAGE_KEY_LENGTH_MAX
    return text if is_long and text.isascii() else ""


async def open_draft(request: PageRequest, drafts: DraftService) -> Draft | None:
    """Return the visitor's draft, or None."""
    return (await seen_draft(request, drafts))[0]


async def seen_draft(request: PageRequest, drafts: DraftService) -> tuple[Draft | None, str]:
    """Return the visitor's draft, or None; and the token that the answer sets in the cookie, empty if none."""
    token, page_key = _token(request, drafts), _page_key(request.headers.get(PAGE_KEY, ""))
    found, kept = await drafts.shown_draft(token, page_key, await account_asking(request))
    return found, kept if kept != token else ""


async def draft_of_part(request: PageRequest, drafts: DraftService) -> tuple[Draft, str]:
    """Return the draft of the next part of a file, and the token that the answer sets in the
    cookie, empty if none.  Refuses like `draft_of`.
    """
    page_key, token = _page_key(request.headers.get(PAGE_KEY, "")), _token(request, drafts)
    if page_key and token:
        account = await account_asking(request)
        found, kept = await drafts.upload_draft(token, page_key, account)
        if found is not None:
            return found, kept if kept != token else ""
    return await draft_of(request, drafts), ""


async def uploaded_draft(
    request: PageRequest, drafts: DraftService, network: str, page_key: str
) -> tuple[Draft, str, bool]:
    """Return the draft that a page with this key uploads to; the token that the answer sets in the cookie,
    empty if none; and whether the draft begins with its first file, under that token.
    """
    account, page_key = await account_asking(request), _page_key(page_key)
    token = _token(request, drafts)
    found, kept = await drafts.upload_draft(token, page_key, account)
    if found is None:
        return *drafts.fresh(account, network, page_key), True
    return found, kept if kept != token else "", False


async def files_apart(request: PageRequest, drafts: DraftService) -> list[DraftFile]:
    """Return the files of this browser that are not in the signed-in account."""
    account = await account_asking(request)
    token = _token(request, drafts)
    return await drafts.files_apart(token, account) if account is not None and token else []


def sign_in_mark(request: PageRequest, drafts: DraftService) -> str:
    """Return the mark of a sign-in that begins at a page of this browser's draft."""
    return drafts.mark(_token(request, drafts))


async def adopt_draft(request: PageRequest, drafts: DraftService, account: UUID) -> Draft | None:
    """Make the draft of this browser the account's, by a button or a sign-in of its owner on a
    page of it.  Returns the result, or None if the browser had no draft without an account.
    """
    return await drafts.adopt(_token(request, drafts), account)


async def adopt_by_mark(
    request: PageRequest, drafts: DraftService, account: UUID, mark: str
) -> None:
    """Make the draft of this browser the account's, if the sign-in began at its page."""
    await drafts.adopt_by_mark(_token(request, drafts), account, mark)


async def is_kept(request: PageRequest, drafts: DraftService) -> bool:
    """True if files of this browser wait for a sign-in of their owner, whose session has ended; also if
    others were chosen here since.
    """
    if await account_asking(request) is not None:
        return False
    tokens = _token(request, drafts), _token(request, drafts, KEPT)
    return any([await drafts.waits_for_owner(one) for one in tokens])


async def done_here(request: PageRequest, drafts: DraftService) -> Draft | None:
    """Return the draft that this browser chose last, if the signed-in account has ordered it."""
    return await drafts.done_here(_token(request, drafts), await account_asking(request))


async def own_draft(request: PageRequest, drafts: DraftService) -> Draft | None:
    """Return the visitor's draft, or None.

    Refuses `SignInRequired` if files of this browser wait for a sign-in, which leads back to them.
    """
    found = await open_draft(request, drafts)
    if found is None and await is_kept(request, drafts):
        raise SignInRequired("the files are kept for their owner")
    return found


async def own_files(
    request: PageRequest, drafts: DraftService
) -> tuple[Draft | None, list[DraftFile]]:
    """Return the draft of one of our pages, or None, and its files.  Refuses like `own_draft`."""
    found, files = await drafts.current_files(
        _token(request, drafts), await account_asking(request)
    )
    if found is None and await is_kept(request, drafts):
        raise SignInRequired("the files are kept for their owner")
    return found, files


async def draft_of(request: PageRequest, drafts: DraftService) -> Draft:
    """Return the visitor's draft.  Refuses `NotFound`, and like `own_draft`."""
    found = await own_draft(request, drafts)
    if found is None:
        raise NotFound("no draft of this visitor")
    return found


async def set_token(
    request: PageRequest, answer: Response[Any], drafts: DraftService, token: str
) -> None:
    """Set the token in the cookie for as long as its draft may live, and keep the old token if its files
    wait for their owner; an empty token changes nothing.
    """
    if not token:
        return
    before = _token(request, drafts)
    if await account_asking(request) is None and await drafts.waits_for_owner(before):
        _set(answer, drafts, KEPT, before)
    _set(answer, drafts, COOKIE, token)


def _set(answer: Response[Any], drafts: DraftService, cookie: str, token: str) -> None:
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
