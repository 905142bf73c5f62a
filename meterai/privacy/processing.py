"""Register of processing (UU PDP 31), derived from the registrations of the rooms, so that it matches what they do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from meterai.plumbing.db.personal import KeepReason, Personal, PersonalTable
from meterai.plumbing.messages import translate
from meterai.plumbing.work.retention import Leaves, Rule


@dataclass(frozen=True, slots=True)
class Category:
    """Personal data of one table: description, columns, and a sentence for each retention rule."""

    name: str
    what: str
    columns: str
    kept: Sequence[str]


@dataclass(frozen=True, slots=True)
class ProcessingPurpose:
    """Processing of personal data by one room: purpose, legal basis, recipients, and categories of data."""

    room: str
    purpose: str
    basis: str
    recipients: Sequence[str]
    categories: Sequence[Category]


class Processing:
    """Renders the register of processing in Indonesian or English."""

    def __init__(self, rooms: Mapping[str, Personal], rules: Sequence[Rule]) -> None:
        self._rooms = {name: one for name, one in rooms.items() if one.tables}
        self._rules = rules

    def purposes(self, language: str) -> list[ProcessingPurpose]:
        """Return the processing of personal data by every room that stores such data."""
        return [
            ProcessingPurpose(
                name,
                translate(f"purpose.{name}", language),
                translate(f"basis.{room.basis}", language),
                [translate(f"recipient.{one}", language) for one in room.recipients],
                [self._category(one, language) for one in room.tables],
            )
            for name, room in self._rooms.items()
        ]

    def _category(self, held: PersonalTable, language: str) -> Category:
        leaves = [
            rule for rule in self._rules if isinstance(rule, Leaves) and rule.table == held.table
        ]
        kept = [
            translate(
                "processing.blanked" if rule.blanks else "processing.deleted",
                language,
                days=rule.after.days,
                columns=", ".join(rule.blanks),
            )
            for rule in leaves
        ]
        is_deleted = any(not rule.blanks for rule in leaves)
        if not is_deleted:
            kept.append(translate(f"kept.{held.kept or KeepReason.BRIEFLY}", language))
        what = translate(f"personal.{held.table}", language)
        return Category(held.table, what, held.columns, kept)
