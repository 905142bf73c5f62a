"""The page for a moment in which there is no room: made once, so that it costs nothing to show."""

from itertools import product

from meterai.kit.priority import Priority
from meterai.pages.rendering import Site
from meterai.plumbing.config import Settings
from meterai.plumbing.messages import LANGUAGES

TEMPLATE = "busy.html"


def busy_pages(site: Site, settings: Settings) -> dict[tuple[str, Priority, bool], str]:
    """By language, priority of the request, and whether it only looked."""
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
