"""Finds the draft of a request, by the cookie of the browser and by the signed-in account."""

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
PAGE_KEY = "page-key"  # the header in which a script sends the key of its page
KEPT = "draft-kept"  # cookie with the token of an earlier draft, which opens after a sign-in of its owner
# Query of the page for choosing files, after a sign-in by the link of a mail in a browser that has no files.
ELSEWHERE = "files=elsewhere"
# Query of the same page, for a browser that sent files but keeps no cookies.
NO_COOKIE = "files=no-cookie"


async def account_asking(request: PageRequest) -> UUID | None:
    """Return the signed-in account of a request to a public page, or None without a sign-in."""
    caller = known_caller(request) or await known_visitor(request)
    return caller.account if caller else None


def _token(request: PageRequest, drafts: DraftService, cookie: str = COOKIE) -> str:
    return request.cookies.get(cookie_name(cookie, drafts.process), "")


def _page_key(text: str) -> str:
    """Return the page key in `text` if it is too long to be guessed, else an empty text."""
    is_long = PAGE_KEY_LENGTH_MIN <= len(text) <= PAGE_KEY_LENGTH_MAX
    return text if is_long and text.isascii() else ""


async def open_draft(request: PageRequest, drafts: DraftService) -> Draft | None:
    """Return the visitor's draft, or None."""
    return (await seen_draft(request, drafts))[0]


async def seen_draft(request: PageRequest, drafts: DraftService) -> tuple[Draft | None, str]:
    """Return the visitor's draft, or None; and the new token for the cookie.

    The token is empty if the cookie stays as it is.
    """
    token, page_key = _token(request, drafts), _page_key(request.headers.get(PAGE_KEY, ""))
    found, kept = await drafts.shown_draft(token, page_key, await account_asking(request))
    return found, kept if kept != token else ""


async def draft_of_part(request: PageRequest, drafts: DraftService) -> tuple[Draft, str]:
    """Return the draft to which a part of a file is uploaded, and the new token for the cookie.

    The token is empty if the cookie stays as it is.  Refuses like `draft_of`.
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
    """Return the draft that a page with this key uploads to, the new token for the cookie, and True for a new draft.

    The token is empty if the cookie stays as it is.  A new draft is stored under the token with its first file.
    """
    account, page_key = await account_asking(request), _page_key(page_key)
    token = _token(request, drafts)
    found, kept = await drafts.upload_draft(token, page_key, account)
    if found is None:
        return *drafts.fresh(account, network, page_key), True
    return found, kept if kept != token else "", False


async def files_apart(request: PageRequest, drafts: DraftService) -> list[DraftFile]:
    """Return the files of this browser's draft if somebody is signed in and the draft has no account yet; else no files."""
    account = await account_asking(request)
    token = _token(request, drafts)
    return await drafts.files_apart(token, account) if account is not None and token else []


def sign_in_mark(request: PageRequest, drafts: DraftService) -> str:
    """Return the mark for a sign-in that begins now at a page of this browser's draft."""
    return drafts.mark(_token(request, drafts))


async def adopt_draft(request: PageRequest, drafts: DraftService, account: UUID) -> Draft | None:
    """Assign the draft of this browser to the account, after the visitor pressed a button or signed in on a page of the draft.

    Returns the resulting draft, or None if the browser had no draft without an account.
    """
    return await drafts.adopt(_token(request, drafts), account)


async def adopt_by_mark(
    request: PageRequest, drafts: DraftService, account: UUID, mark: str
) -> None:
    """Assign the draft of this browser to the account, if the mark proves that the sign-in began at a page of the draft."""
    await drafts.adopt_by_mark(_token(request, drafts), account, mark)


async def is_kept(request: PageRequest, drafts: DraftService) -> bool:
    """True if nobody is signed in, but an earlier draft of this browser belongs to an account, so that its owner must sign in.

    Files that were chosen in this browser since then do not change the answer.
    """
    if await account_asking(request) is not None:
        return False
    tokens = _token(request, drafts), _token(request, drafts, KEPT)
    return any([await drafts.waits_for_owner(one) for one in tokens])


async def done_here(request: PageRequest, drafts: DraftService) -> Draft | None:
    """Return the draft that began with this browser's token, if the signed-in account has ordered it; else None."""
    return await drafts.done_here(_token(request, drafts), await account_asking(request))


async def own_draft(request: PageRequest, drafts: DraftService) -> Draft | None:
    """Return the visitor's draft, or None.

    If the visitor has none, but files of this browser belong to an account, the owner has to sign in: refuses `SignInRequired`,
    and after the sign-in the browser returns to the requested page.
    """
    found = await open_draft(request, drafts)
    if found is None and await is_kept(request, drafts):
        raise SignInRequired("an owner with an account has the files")
    return found


async def own_files(
    request: PageRequest, drafts: DraftService
) -> tuple[Draft | None, list[DraftFile]]:
    """Return the visitor's draft, or None, and its files.  Refuses like `own_draft`."""
    found, files = await drafts.current_files(
        _token(request, drafts), await account_asking(request)
    )
    if found is None and await is_kept(request, drafts):
        raise SignInRequired("an owner with an account has the files")
    return found, files


async def draft_of(request: PageRequest, drafts: DraftService) -> Draft:
    """Return the visitor's draft.  Refuses like `own_draft`, and `NotFound` if the visitor has none."""
    found = await own_draft(request, drafts)
    if found is None:
        raise NotFound("this visitor has no such draft")
    return found


async def set_token(
    request: PageRequest, answer: Response[Any], drafts: DraftService, token: str
) -> None:
    """Set the token in the cookie, for the longest time that a draft is kept; an empty token changes nothing.

    If the draft of the old token belongs to an account, and its owner has to sign in, the old token moves to a second cookie.
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
