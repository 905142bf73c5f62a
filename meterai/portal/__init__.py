"""The portal: every page a browser sees.

Promises this room keeps
  * Every page works without JavaScript, on a small screen and with a keyboard, in Indonesian and
    English, and fetches nothing from other hosts.
  * A form that is sent twice, or a page that is loaded again, is one command.
  * A stranger's page sends none of our forms, and nobody sees what belongs to another account.
  * A refusal or a fault is a calm page that says what is safe.

Calls every room that people deal with.  Is called by apps.
"""

from meterai.portal.assets import static_files
from meterai.portal.errors import page_or_problem

__all__ = ["page_or_problem", "static_files"]
