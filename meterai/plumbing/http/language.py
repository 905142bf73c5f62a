"""The language in which a request is answered."""

from typing import Any

from litestar.connection import ASGIConnection

from meterai.plumbing.http.callers import Caller
from meterai.plumbing.http.head import Head, head_of
from meterai.plumbing.http.requests import HOST_PREFIX

_COOKIE, _ACCEPTED = b"cookie", b"accept-language"
_NAME = b"language"
_HOST_NAME = HOST_PREFIX.encode() + _NAME


def language_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Return the language of an answer to this connection; see `language_for`."""
    return language_for(connection.scope)


def language_for(scope: Any) -> str:
    """Return the language of the answer: `id` or `en`.

    Our cookie determines it, else the caller's account, else Accept-Language. For an API key Accept-Language goes before the
    account.
    """
    head = head_of(scope)
    if (chosen := _chosen(head)) is not None:
        return chosen
    caller = scope.get("caller")
    if isinstance(caller, Caller) and not (caller.by == "api_key" and head.text(_ACCEPTED).strip()):
        return caller.language
    return _accepted(head)


def language_of_stranger(scope: Any) -> str | None:
    """Return the language of the request if our language cookie and Accept-Language alone determine it, so that an answer
    cached for this language fits.

    None if other facts of the reader matter (a key, another cookie), or if the headers are ambiguous: a client must not
    be able to influence the cached answer that others get.
    """
    head = head_of(scope)
    if b"authorization" in head.values or _COOKIE in head.doubled or _ACCEPTED in head.doubled:
        return None
    cookie = head.values.get(_COOKIE, _NAME)
    if b";" in cookie or cookie.partition(b"=")[0].strip() not in (_NAME, _HOST_NAME):
        return None
    return _chosen(head) or _accepted(head)


def _chosen(head: Head) -> str | None:
    """Return the language in our cookie, None if it has none."""
    cookie = head.values.get(_COOKIE, b"")
    if _NAME not in cookie:
        return None
    named = {}
    for one in cookie.split(b";"):
        name, _, value = one.partition(b"=")
        named[name.strip()] = value.strip()
    chosen = named.get(_HOST_NAME, named.get(_NAME, b""))
    return chosen.decode() if chosen in (b"id", b"en") else None


def _accepted(head: Head) -> str:
    return "en" if head.text(_ACCEPTED).strip().lower().startswith("en") else "id"
