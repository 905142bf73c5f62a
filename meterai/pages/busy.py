"""Prepared pages for requests that are refused before the application."""

from itertools import product

from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.pages.rendering import Site
from meterai.plumbing.config import Settings
from meterai.plumbing.http.problems import problem
from meterai.plumbing.messages import LANGUAGES, translate

TEMPLATE = "busy.html"


def too_long_pages(site: Site, settings: Settings, refusal: type[Refusal]) -> dict[str, str]:
    """Return, by language, the page for a request whose address or headers are too long."""
    return {
        language: site.render(
            "refused.html",
            language,
            settings,
            links=site.links_for_all,
            choose_language=None,
            path="",
            problem=problem(refusal.code, refusal.status, language, {}),
            text=translate("page.refused.too_long", language),
            again=None,
            seconds=None,
        )
        for language in LANGUAGES
    }


def busy_pages(site: Site, settings: Settings) -> dict[tuple[str, Priority, bool], str]:
    """Return the pages for overload; the key is language, priority, and True for a request that only reads."""
    return {
        (language, priority, is_looking): site.render(
            TEMPLATE,
            language,
            settings,
            links=site.links_for_all,
            choose_language=None,
            path="",
            is_looking=is_looking,
            is_paid=priority <= Priority.PAID,
        )
        for language, priority, is_looking in product(LANGUAGES, Priority, (True, False))
    }
