"""What the room `portal` registers with the applications."""

from meterai.portal.pages import PAGES
from meterai.portal.routes import routes
from meterai.room import Room

ROOM = Room(name="portal", routes=routes, pages=PAGES)
