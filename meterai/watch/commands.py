"""`meterai watch`: run a watcher, show its key, add a note of staff, run all probes once."""

import asyncio
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from meterai.commands import NO_OPTIONS, Exit, Options, Text, line
from meterai.kit.clock import SystemClock
from meterai.kit.components import Component, ComponentState
from meterai.kit.text import one_line
from meterai.plumbing.files import read_settings_file
from meterai.plumbing.keyring import new_secret, write_once
from meterai.plumbing.readings import Watcher, WatchersWrong, read_watchers
from meterai.plumbing.signed import DocumentSigner
from meterai.watch import settings
from meterai.watch.client import Stranger
from meterai.watch.probes import ProbeEnded, ProbeResult, Probes
from meterai.watch.rule import LIMITS, ProbeOutcome
from meterai.watch.service import WatcherService
from meterai.watch.settings import ConfigurationOfWatchWrong, LocatedConfiguration
from meterai.watch.store import Store

NOTE_LENGTH_MAX = 2_000
KEY, STATE = "watcher.key", "watch.sqlite"
State = Literal[
    "operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage"
]


def _opened(
    config: Path, options: Options, command: str
) -> tuple[LocatedConfiguration, Store, DocumentSigner]:
    options.configuration(command)  # settings that cannot be read are refused, as by every command
    watched = settings.read(config)
    folder = watched.folder
    folder.mkdir(parents=True, exist_ok=True)
    signer = DocumentSigner(write_once(folder / KEY, new_secret()))
    return watched, Store(folder / STATE), signer


def _peers(
    path: Path | None, watched: LocatedConfiguration, signer: DocumentSigner
) -> list[Watcher]:
    """Read the file of watchers: every watcher of the installation, including this one.  Without a file the list is empty.

    Refuses `WatchersWrong`.
    """
    if path is None:
        return []
    try:
        found = read_watchers(read_settings_file(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationOfWatchWrong(path, str(error)) from None
    ours = [one for one in found if one.name == watched.of.name]
    if not ours or ours[0].public_key != signer.public_key():
        raise WatchersWrong(f"the file of watchers does not have {watched.of.name} with its key")
    return list(found)


Peers = Annotated[Path | None, Parameter(help="File of all watchers of the installation (TOML).")]


def run(file: Path, /, options: Options = NO_OPTIONS, *, peers: Peers = None) -> None:
    """Watch an installation and publish its status, until it is stopped.

    FILE is the configuration of the watcher, which docs/status.md describes.
    """
    watched, store, signer = _opened(file, options, "watch run")
    watch = WatcherService(watched, store, signer, SystemClock(), _peers(peers, watched, signer))
    line(f"watching {watched.installation} into {watched.folder / 'public'}")
    asyncio.run(watch.run())


def key(file: Path, /, options: Options = NO_OPTIONS) -> None:
    """Show the entry that describes this watcher in the file of watchers; creates the watcher's key if it has none."""
    watched, store, signer = _opened(file, options, "watch key")
    store.close()
    pem = signer.public_pem().decode().strip()
    line(f'[[watcher]]\nname = "{watched.of.name}"\nurl = "{watched.of.public_url}"')
    line(f'public_key = """\n{pem}\n"""')


def note(
    file: Path,
    component: Component,
    state: State,
    /,
    options: Options = NO_OPTIONS,
    *,
    text_id: Annotated[Text, Parameter(name="--id", help="The text in Indonesian.")],
    text_en: Annotated[Text, Parameter(name="--en", help="The same text in English.")],
) -> None:
    """Publish a note of staff about a component, also while the platform is down.

    The shown state is the worse of the note's state and the measured state, so no note makes it better than the measured one.
    A later note with `operational` withdraws the note.
    """
    _, store, _ = _opened(file, options, "watch note")
    texts = {"id": one_line(text_id)[:NOTE_LENGTH_MAX], "en": one_line(text_en)[:NOTE_LENGTH_MAX]}
    number = store.add_note(SystemClock().now(), component, ComponentState.of(state), texts)
    store.close()
    line(f"note {number}")


def once(file: Path, /, options: Options = NO_OPTIONS) -> None:
    """Run all probes once and print their results; nothing is published.

    The exit status is 0 if every try was good, else 1.
    """
    watched, store, _ = _opened(file, options, "watch once")
    found: list[ProbeResult] = []
    asyncio.run(_tried(watched, store, found))
    store.close()
    for one in found:
        fault = f" {one.fault}" if one.fault else ""
        line(f"{one.component:10} {one.outcome.name.lower():7} {one.seconds:6.2f} s{fault}")
    for component in LIMITS.keys() - {one.component for one in found}:
        line(f"{component:10} not measured")
    raise SystemExit(
        Exit.DONE if all(one.outcome is ProbeOutcome.GOOD for one in found) else Exit.NO
    )


async def _tried(watched: LocatedConfiguration, store: Store, found: list[ProbeResult]) -> None:
    of, clock = watched.of, SystemClock()
    authorities = str(watched.path(of.authorities)) if of.authorities else ""
    key = watched.secret(of.api_key_file)
    async with Stranger(watched.installation, clock, key=key, authorities=authorities) as stranger:
        probes = Probes(watched, stranger, store, clock, found.append, lambda _: None)
        for probe in sorted(probes.schedules(), key=lambda one: one == probes.checking):
            try:
                await probe()
            except ProbeEnded:
                continue
