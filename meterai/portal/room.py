"""The portal, as the applications see the room."""

from meterai.portal.pages import PAGES
from meterai.portal.routes import routes
from meterai.room import Room

ROOM = Room(name="portal", routes=routes, pages=PAGES)
