"""migrations/schema.toml describes the schema that the migrations make."""

from scripts.schema import COMMAND, FILE, document


def test_description_equals_the_migrated_schema(server: str, template: str) -> None:
    made = document(server.replace("/postgres?", f"/{template}?"))
    assert FILE.read_text() == made, f"the schema has changed: run `{COMMAND}`"
