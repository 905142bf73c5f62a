"""Portal: browser pages that show several rooms on one screen.

Promises this room keeps
  * A form that is sent twice, or a page that is loaded again, carries out its command only once.
  * Nobody sees what belongs to another account.

The promises of every page are in the package `pages`.  Calls every room that people use.  Called by `apps`.
"""

from meterai.portal import reference
from meterai.portal.pages import PAGES

__all__ = ["PAGES", "reference"]
