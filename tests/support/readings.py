"""Watchers with given measurements, signed and published in folders as real watchers do."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from meterai.kit.components import Component
from meterai.outages.rules import MINUTE, Signed
from meterai.plumbing.readings import Measured, Reading, Watcher, digest, signed_reading
from meterai.plumbing.signed import DocumentSigner

BEGIN = datetime(2024, 9, 3, 12, 0, tzinfo=UTC)
HERE = "https://meterai.example"
WORKS, FAILS = Measured(3), Measured(3, failures=2)
# Minutes since `BEGIN`, with the results of a watcher for the components that it tried.
Seen = Callable[[int], Mapping[Component, Measured] | None]


def at(minute: int) -> datetime:
    return BEGIN + minute * MINUTE


def all_work(**failing: Measured) -> dict[Component, Measured]:
    """Every component works, except for those that are named."""
    return {one: failing.get(one.value, WORKS) for one in Component}


def fails(*minutes: int, component: Component = Component.STAMPING) -> Seen:
    """The component fails in these minutes, and the others work."""
    return lambda minute: all_work(**({component.value: FAILS} if minute in minutes else {}))


@dataclass
class SigningWatcher:
    """One watcher with a key of its own and a chain of readings."""

    name: str
    installation: str = HERE
    documents: list[Signed] = field(default_factory=list)

    @property
    def signer(self) -> DocumentSigner:
        return DocumentSigner(self.name.encode().ljust(32, b"."))

    def known(self, url: str = "") -> Watcher:
        return Watcher(self.name, url, self.signer.public_key())

    def sign(self, minute: datetime, components: Mapping[Component, Measured]) -> None:
        """Sign the next reading."""
        last = self.documents[-1] if self.documents else None
        reading = Reading(
            self.name,
            self.installation,
            minute,
            last.reading.sequence + 1 if last else 0,
            digest(last.document) if last else "",
            components,
        )
        self.documents.append(Signed(signed_reading(reading, self.signer), reading))

    def measure(self, minutes: Iterable[int], seen: Seen) -> "SigningWatcher":
        """Sign a reading for each of these minutes, except for minutes without any measurement."""
        for minute in minutes:
            components = seen(minute)
            if components is not None:
                self.sign(at(minute), components)
        return self

    def publish(self, folder: Path) -> Watcher:
        """Write the static files, and return the watcher's entry in the file of watchers."""
        days: dict[str, list[str]] = {}
        for one in self.documents:
            days.setdefault(one.reading.minute.date().isoformat(), []).append(one.document)
        (folder / "readings").mkdir(parents=True, exist_ok=True)
        for day, lines in days.items():
            (folder / "readings" / f"{day}.jsonl").write_text("".join(f"{one}\n" for one in lines))
        (folder / "watcher.pem").write_bytes(self.signer.public_pem())
        return self.known(str(folder))


def three(minutes: int, *seen: Seen) -> list[SigningWatcher]:
    """Three watchers that each saw what is given for it; the last view serves for those without one."""
    names = ("jakarta", "surabaya", "makassar")
    return [
        SigningWatcher(name).measure(range(minutes), seen[min(number, len(seen) - 1)])
        for number, name in enumerate(names)
    ]


def readings(watchers: Sequence[SigningWatcher]) -> dict[str, Sequence[Signed]]:
    return {one.name: one.documents for one in watchers}


def file_of(watchers: Sequence[Watcher], signers: Sequence[SigningWatcher]) -> str:
    """The content of the file of watchers."""
    return "".join(
        f'[[watcher]]\nname = "{one.name}"\nurl = "{one.url}"\n'
        f'public_key = """\n{signer.signer.public_pem().decode()}"""\n'
        for one, signer in zip(watchers, signers, strict=True)
    )


def hours(count: float) -> timedelta:
    return timedelta(hours=count)
