"""Write docs/retention.md from the rules of the rooms: `.venv/bin/python -m scripts.retention`."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from meterai.apps.rooms import offers_of
from meterai.plumbing.work.retention import Leaves, Stays

RULES = [rule for rule in offers_of().retention if isinstance(rule, Leaves)]
KEPT = [rule for rule in offers_of().retention if isinstance(rule, Stays)]
FILE = Path(__file__).parents[1] / "docs" / "retention.md"
COMMAND = ".venv/bin/python -m scripts.retention"
HEAD = f"""# Retention

How long what is in each table is kept, and why. Periodic tasks of the worker see to it, some hundred rows at a
time. The bytes of originals are let go after `document_kept_seconds`, and are gone `document_grace_seconds` later: a day, and
longer only while deletion is held (see [operations](operations.md#objects-dirobjects)).

This file is written by `{COMMAND}` from the `retention` of each room;
tests compare it with those rules, and the rules with the schema.
"""


def _time(after: timedelta) -> str:
    return f"{after.days} days"


def _describe(rule: Leaves) -> str:
    which = "" if rule.only == "true" else f" where `{rule.only}`"
    if rule.blanks:
        return f"{', '.join(f'`{column}`' for column in rule.blanks)} blanked{which}"
    return f"row deleted{which}"


def lines() -> Iterator[str]:
    """Yield the lines of the file."""
    yield HEAD
    yield "## What leaves\n"
    yield "| table | what | how long after | why |"
    yield "|---|---|---|---|"
    for rule in sorted(RULES, key=lambda rule: rule.table):
        after = f"{_time(rule.after)} after `{rule.since}`"
        yield f"| `{rule.table}` | {_describe(rule)} | {after} | {rule.why} |"
    yield "\n## What stays\n"
    yield "| table | why |"
    yield "|---|---|"
    for one in sorted(KEPT, key=lambda one: one.table):
        yield f"| `{one.table}` | {one.why} |"


def document() -> str:
    """Return the whole file."""
    return "\n".join(lines()) + "\n"


if __name__ == "__main__":
    FILE.write_text(document())
