"""The application with a room of sample data, and staff signed in to its console."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from httpx import Response

from meterai.apps.rooms import ROOMS
from tests.console.desk_room import ROOM
from tests.support.desk import Desk, staff_session
from tests.support.walk_in import WalkIn, fields
from tests.support.within import browsed, settings_of


@dataclass
class Floor:
    """The console, used by one member of staff at a time."""

    walk_in: WalkIn
    url: str

    def seat(self, *roles: str) -> Desk:
        """Sign in a new member of staff with these roles."""
        return self.turn_to(staff_session(self.walk_in, *roles))

    def turn_to(self, desk: Desk) -> Desk:
        """Switch the browser to this person."""
        self.walk_in.client.cookies.clear()
        name, _, value = desk.cookie.partition("=")
        self.walk_in.client.cookies.set(name, value)
        return desk

    def get(self, path: str, **query: str) -> Response:
        found: Response = self.walk_in.client.get(path, params=query)
        return found

    def form(self, path: str, named: str = "", there: str = "") -> dict[str, str]:
        """Return the fields of a form on a page."""
        return fields(self.walk_in.get(there or path), path, named)

    def post(self, path: str, form: dict[str, str]) -> Response:
        return self.walk_in.sends(path, form)

    def sends_file(self, desk: Desk, content: bytes, name: str = "surat.pdf") -> Response:
        found: Response = self.walk_in.client.post(
            "/console",
            data={"form_token": desk.form_token},
            files={"file": (name, content, "application/octet-stream")},
        )
        return found

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode(), parameters or None).fetchall()

    def trail(self, action: str) -> list[tuple[Any, ...]]:
        """Return subject, actor and facts of these lines of the audit trail."""
        return self.rows(
            "SELECT subject, actor, facts FROM audit_events WHERE action = %s ORDER BY event_id",
            action,
        )


@pytest.fixture
def floor(database_url: str, tmp_path: Path) -> Iterator[Floor]:
    with browsed(settings_of(database_url, tmp_path), (*ROOMS, ROOM)) as client:
        yield Floor(WalkIn(client), database_url)
