"""Route that sets the language of pages and mails."""

from litestar import post
from litestar.di import NamedDependency

from meterai.accounts.model import Permission
from meterai.accounts.pages.cookies import KEPT_SECONDS, LANGUAGE, set_cookie
from meterai.accounts.service import AccountService
from meterai.kit.priority import Priority
from meterai.pages import (
    Page,
    PageRequest,
    local_path,
    read_form,
    see_other,
    visitor,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.messages import LANGUAGES


@post(
    "/language",
    opt={"permission": Permission.PUBLIC, "priority": Priority.NEW},
    include_in_schema=False,
)
async def choose_language(
    request: PageRequest,
    accounts: NamedDependency[AccountService],
    settings: NamedDependency[Settings],
) -> Page:
    """Set the language of pages and mails."""
    form = await read_form(request)
    there = see_other(local_path(form.text("next")))
    language = form.text("language")
    if language not in LANGUAGES:
        return there
    caller = await visitor(request)
    if caller is not None:
        await accounts.set_language(caller.person or caller.account, language)
    set_cookie(settings.process, there, LANGUAGE, language, KEPT_SECONDS)
    return there


routes = [choose_language]
