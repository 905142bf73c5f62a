"""Pages of accounts: sign-in and sign-out, passkeys, API keys, organizations, language."""

from meterai.accounts.model import Permission
from meterai.accounts.pages import (
    acting,
    again,
    keys,
    language,
    link,
    members,
    passkeys,
    sessions,
    sign_in,
)
from meterai.accounts.pages.cookies import Begun
from meterai.accounts.pages.part import SigningIn
from meterai.pages import LinkPlace, PageLink, RoomPages, ShownTo

__all__ = ["PAGES", "Begun", "SigningIn", "routes"]

routes = [
    *language.routes,
    *sign_in.routes,
    *link.routes,
    *again.routes,
    *passkeys.routes,
    *keys.routes,
    *sessions.routes,
    *acting.routes,
    *members.routes,
]
PAGES = RoomPages(
    "accounts",
    "meterai.accounts",
    links=(
        PageLink(LinkPlace.NAVIGATION, 50, "/sign-in", "page.nav.sign_in", ShownTo.STRANGERS),
        PageLink(
            LinkPlace.SECTION,
            10,
            keys.KEYS,
            "page.account.keys",
            ShownTo.SIGNED_IN,
            Permission.KEYS_READ,
        ),
    ),
    sign_in="/sign-in",
    prove=again.PROVE,
    language="/language",
    acting=acting.ACTING,
    unlisted={"/sign-in(/code|/link)?": "of one person who signs in"},
)
