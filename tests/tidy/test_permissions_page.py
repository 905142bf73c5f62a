"""docs/permissions.md equals the declarations of the routes."""

from scripts.permissions import COMMAND, FILE, document


def test_permissions_page_equals_the_routes() -> None:
    assert FILE.is_file(), f"write it with {COMMAND}"
    assert FILE.read_text() == document(), f"write it again with {COMMAND}"
