"""Portal: browser pages that show several rooms on one screen.

Promises this room keeps
  * A form that is sent twice, or a page that is loaded again, is one command.
  * Nobody sees what belongs to another account.

The promises of every page are in `pages`.  Calls every room that people use.  Is called by apps.
"""

from meterai.portal import reference
from meterai.portal.pages import PAGES

__all__ = ["PAGES", "reference"]
