"""Commands that run an installation on one machine, back it up, and restore it."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from meterai.audit import audit
from meterai.commands import (
    NO_OPTIONS,
    UNFINISHED,
    AfterRestore,
    Exit,
    OptionalText,
    Options,
    complain,
    database_of,
    is_embedded,
    line,
    our_database,
    with_database,
)
from meterai.installation.backups import (
    DUMP,
    KEYS,
    BackupManifest,
    BackupRecovery,
    BackupUnusable,
    back_up,
    check_empty,
    fill,
    lay_out,
    read_backup,
    restored_server,
)
from meterai.kit.clock import SystemClock
from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.migrations import migrate
from meterai.plumbing.keyring import INSTANCE_KEY
from meterai.plumbing.parent import die_with_parent

Flag = Annotated[bool, Parameter(negative="")]


class KeysNotInBackup(CommandRefusal):
    """A restore needs the keys, but they are not in the backup and the command did not get a folder of keys."""

    code = "keys_not_in_backup"
    status = 500


def up(options: Options = NO_OPTIONS) -> None:
    """Run all processes on this machine: database, web, worker, stand-ins for bank and mail."""
    from meterai.installation.up import up as run_everything  # noqa: PLC0415 - only this needs them all
    from meterai.plumbing.observe import logs  # noqa: PLC0415

    settings = options.settings("up")
    logs.configure(
        level=settings.process.log_level,
        as_json=False,
        who="up",
        with_values=settings.process.log_values,
    )
    run_everything(settings, line)


def standins(options: Options = NO_OPTIONS) -> None:
    """Run only the stand-ins for bank and mail."""
    from meterai.installation.standing_in import run  # noqa: PLC0415 - not there in production

    die_with_parent()
    asyncio.run(run(options.settings("standins")))


def backup(
    out: Path,
    options: Options = NO_OPTIONS,
    *,
    with_keys: Flag = False,
    without_objects: Flag = False,
) -> None:
    """Back up database and objects into a folder that is empty or does not exist.

    Keys are left out unless `--with-keys` is given: back them up elsewhere, because without them no original can be
    decrypted. Use `--without-objects` if the object store is backed up separately.
    """

    async def act(_: Database, settings: Settings) -> BackupManifest:
        url, directory = settings.process.database_url, settings.process.directory
        chosen = {"with_objects": not without_objects, "with_keys": with_keys}
        return await asyncio.to_thread(back_up, url, directory, out, SystemClock().now(), **chosen)

    made = with_database("backup", options, act)
    line(f"database {'base backup' if made.is_base else 'dump: the server permits no base backup'}")
    line(f"PostgreSQL {made.postgres}, WAL {made.wal_from} to {made.wal_to}")
    line(f"objects {'included' if made.has_objects else 'apart'}")
    line(
        f"keys {'INCLUDED: everybody with access to this folder can read everything' if with_keys else 'apart'}"
    )


def _time(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        found = None
    if text and (found is None or found.tzinfo is None):
        complain(f"{text}: a time with its zone is expected, such as 2026-12-01T09:30:00+07:00")
        raise SystemExit(Exit.USAGE)
    return found


def restore(
    source: Path,
    options: Options = NO_OPTIONS,
    *,
    keys: Path | None = None,
    objects: Path | None = None,
    wal: Path | None = None,
    to_time: OptionalText = None,
) -> None:
    """Make an installation from a backup, in a data directory (--data) that is empty or does not exist.

    `--objects` names a shared object store, used instead of the objects in the backup. `--wal` names a folder of
    archived WAL, which is replayed up to `--to-time`. Until `meterai objects confirm`, the new installation deletes no
    object and its workers do not start. The command ends with an audit and has its exit status.
    """
    directory, until = options.directory, _time(to_time)
    if until and not wal:
        complain("--to-time needs --wal: a backup alone has only one moment")
        raise SystemExit(Exit.USAGE)
    settings = options.settings("restore")
    check_empty(directory)
    for folder in (wal, objects):
        if folder is not None and not folder.is_dir():
            complain(f"{folder} is not a folder")
            raise SystemExit(Exit.USAGE)
    manifest = read_backup(source)
    if not ((keys or source / KEYS) / INSTANCE_KEY).is_file():
        raise KeysNotInBackup("give --keys")
    lay_out(source, manifest, directory, keys=keys or source / KEYS, objects=objects)
    recovery = BackupRecovery(wal, until) if wal else None
    with _server(settings, source, manifest, recovery) as url:
        if not manifest.is_base:
            fill(url, source / DUMP)
        migrate(url, options.program.homes)
        with_database("restore", options, partial(_after_restore, options.program.after_restore))
        (directory / UNFINISHED).unlink()
        line(f"restored into {directory}; archiving of WAL is off")
        line("no worker begins and no object is deleted before: meterai objects confirm")
        audit(options)


@contextmanager
def _server(
    settings: Settings, source: Path, manifest: BackupManifest, recovery: BackupRecovery | None
) -> Iterator[str]:
    """Yield the URL of the database to restore into. The embedded server is first restored from the base backup, if the backup
    has one. Without an embedded server this is the configured database, into which only a dump can be restored.
    """
    if is_embedded(settings):
        directory = settings.process.directory
        with restored_server(source, manifest, directory, recovery) as url:
            yield our_database(url, may_make=not manifest.is_base)
    elif manifest.is_base:
        raise BackupUnusable("a base backup becomes a server of its own: --database must be absent")
    else:
        with database_of(settings, may_make=True) as found:
            yield found.process.database_url


async def _after_restore(
    acts: Sequence[AfterRestore], database: Database, settings: Settings
) -> None:
    for act in acts:
        await act(database, settings)
