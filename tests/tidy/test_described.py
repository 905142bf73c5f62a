"""migrations/schema.toml describes the schema that the migrations make."""

from scripts.schema import COMMAND, FILE, document


def test_the_description_is_that_of_the_migrations(server: str, template: str) -> None:
    made = document(server.replace("/postgres?", f"/{template}?"))
    assert FILE.read_text() == made, f"the schema has changed: run `{COMMAND}`"
