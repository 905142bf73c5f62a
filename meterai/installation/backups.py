"""Backup of an installation on one machine, and its restore.

The database is saved as a base backup if the server permits it (`pg_basebackup`), else as a dump. Objects are copied
after the database. Since an object is written before the row that names it, and deleted a grace period after this row,
every row in the backup has its object in the backup. Keys are left out unless requested; without the keys no original
can be decrypted.

    manifest.json   versions, WAL positions, object store, content; written last, so that a partial backup has none
    sums.txt        SHA-256 of every other file except those of the base backup, for `sha256sum -c`
    postgres/       the base backup, with its own manifest; or  database.dump
    objects/  keys/
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psycopg

from meterai import __version__
from meterai.commands import UNFINISHED
from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.db.connections import conninfo
from meterai.plumbing.db.embedded import EmbeddedPostgres, programs

FORMAT = 1
MANIFEST, SUMS = "manifest.json", "sums.txt"
BASE, DUMP, OBJECTS, KEYS = "postgres", "database.dump", "objects", "keys"
READ_BYTES = 1024 * 1024
SETTINGS_FILE = "meterai.toml"  # backed up with the keys, since it may contain secrets
# Name of the settings file after a restore, which is not used: it names the database and the bank of
# the original installation.
SETTINGS_ASIDE = "meterai.toml.of-backup"
_LINEAGE = """
SELECT current_setting('server_version') AS postgres, pg_current_wal_lsn()::text AS wal,
    (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier,
    left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline
"""


class TargetNotEmpty(CommandRefusal):
    """The folder that a backup writes to, or the folder or database that a restore fills, is not empty."""

    code = "target_not_empty"
    status = 500

    def __init__(self, place: str) -> None:
        super().__init__(f"{place} is not empty")
        self.place = place


class BackupUnusable(CommandRefusal):
    """The backup is incomplete, was changed, or cannot be restored by the installed version of PostgreSQL."""

    code = "backup_unusable"
    status = 500

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BackupFailed(CommandRefusal):
    """PostgreSQL provided neither a base backup nor a dump."""

    code = "backup_failed"
    status = 500

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BackupManifest(msgspec.Struct, frozen=True):
    """Content of the file `manifest.json` of a backup."""

    format: int
    meterai: str
    made_at: datetime
    postgres: str
    system_identifier: str
    timeline: str
    wal_from: str  # positions in the write-ahead log before (from) and after (to) the backup
    wal_to: str
    is_base: bool
    has_objects: bool
    has_keys: bool
    sums: str  # SHA-256 of the file `sums.txt`


class BackupRecovery(NamedTuple):
    """How a base backup is recovered: the WAL in the folder `archive` is replayed up to the time `until`; all of it if `until`
    is None.
    """

    archive: Path
    until: datetime | None


def check_empty(place: Path) -> None:
    """Check that a folder is empty or missing. Refuses `TargetNotEmpty`."""
    with suppress(FileNotFoundError):
        if next(place.iterdir(), None) is not None:
            raise TargetNotEmpty(str(place))


def _run(program: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(programs() / program), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _lineage(url: str) -> dict[str, str]:
    with psycopg.connect(conninfo(url), row_factory=psycopg.rows.dict_row) as connection:
        found = connection.execute(_LINEAGE).fetchone()
    assert found is not None
    return found


# -- to back up ------------------------------------------------------------------------------------


def back_up(
    url: str, directory: Path, out: Path, now: datetime, *, with_objects: bool, with_keys: bool
) -> BackupManifest:
    """Back up the database, and optionally objects and keys, into the folder `out`; return the manifest. Refuses
    `TargetNotEmpty`, `BackupFailed`.
    """
    check_empty(out)
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = _lineage(url)
    is_base = _database(url, out)
    after = _lineage(url)
    if with_objects:
        _copy_objects(directory / OBJECTS, out / OBJECTS)
    if with_keys:
        shutil.copytree(directory / KEYS, out / KEYS)
        with suppress(FileNotFoundError):
            shutil.copy2(directory / SETTINGS_FILE, out / SETTINGS_FILE)
    listed = "".join(f"{_sum(out / name)}  {name}\n" for name in _summed(out))
    (out / SUMS).write_text(listed)
    manifest = BackupManifest(
        format=FORMAT,
        meterai=__version__,
        made_at=now,
        postgres=before["postgres"],
        system_identifier=before["system_identifier"],
        timeline=before["timeline"],
        wal_from=before["wal"],
        wal_to=after["wal"],
        is_base=is_base,
        has_objects=with_objects,
        has_keys=with_keys,
        sums=_sum(out / SUMS),
    )
    draft = out / f".{MANIFEST}"
    draft.write_text(json.dumps(msgspec.to_builtins(manifest), indent=2) + "\n")
    os.sync()  # all files must be on the disk before the manifest
    draft.rename(out / MANIFEST)
    return manifest


def _database(url: str, out: Path) -> bool:
    """Write a base backup, or a dump if that fails; return true for a base backup."""
    base = ("-D", out / BASE, "--checkpoint=fast", "--wal-method=stream", "--no-password")
    done = _run("pg_basebackup", *base, "--manifest-checksums=SHA256", "-d", url)
    if not done.returncode:
        return True
    shutil.rmtree(out / BASE, ignore_errors=True)
    dumped = _run("pg_dump", "--format=custom", "--no-password", "-f", out / DUMP, "-d", url)
    if dumped.returncode:
        raise BackupFailed(f"{done.stderr.strip()}; {dumped.stderr.strip()}")
    return False


def _copy_objects(source: Path, target: Path) -> None:
    target.mkdir(mode=0o700)
    for folder in sorted(one for one in source.iterdir() if one.is_dir()):
        (target / folder.name).mkdir(mode=0o700)
        for one in folder.iterdir():
            # Temporary files of writers, and folders inside, are skipped.
            if one.is_file() and not one.name.startswith("."):
                with suppress(FileNotFoundError):  # the object was deleted meanwhile
                    shutil.copy2(one, target / folder.name / one.name)


def _summed(out: Path) -> Iterator[str]:
    """Yield the name of every file whose SHA-256 belongs in sums.txt.  Of the files of a base backup this is only the backup's
    manifest, which has the sums of the others.
    """
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out)
        is_of_base = name.parts[0] == BASE and name.name != "backup_manifest"
        if path.is_file() and not is_of_base and str(name) not in (SUMS, MANIFEST):
            yield str(name)


def _sum(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while read := file.read(READ_BYTES):
            found.update(read)
    return found.hexdigest()


# -- to restore ------------------------------------------------------------------------------------


def read_backup(backup: Path) -> BackupManifest:
    """Verify every file of a backup, and return its manifest.  Refuses `BackupUnusable`."""
    try:
        manifest = msgspec.json.decode((backup / MANIFEST).read_bytes(), type=BackupManifest)
    except (OSError, msgspec.DecodeError) as fault:
        raise BackupUnusable(f"{MANIFEST}: {fault}") from None
    if manifest.format != FORMAT:
        raise BackupUnusable(f"format {manifest.format}")
    if _sum(backup / SUMS) != manifest.sums:
        raise BackupUnusable(f"{SUMS} was changed")
    said = [line.split("  ", 1) for line in (backup / SUMS).read_text().splitlines()]
    there = set(_summed(backup))
    for digest, name in said:
        if name not in there or _sum(backup / name) != digest:
            raise BackupUnusable(f"{name} is missing or was changed")
    if more := there - {name for _, name in said}:
        raise BackupUnusable(f"{min(more)} is not in the list of the backup")
    if manifest.is_base:
        _check_base(backup / BASE, manifest)
    return manifest


def _check_base(base: Path, manifest: BackupManifest) -> None:
    ours = _run("postgres", "--version").stdout.split()[-1]
    if ours.split(".")[0] != manifest.postgres.split(".")[0]:
        raise BackupUnusable(
            f"the backup was made by PostgreSQL {manifest.postgres}, but the programs here "
            f"are of {ours}"
        )
    checked = _run("pg_verifybackup", base)
    if checked.returncode:
        raise BackupUnusable(checked.stderr.strip())


def lay_out(
    backup: Path, manifest: BackupManifest, directory: Path, *, keys: Path, objects: Path | None
) -> None:
    """Put keys, settings and objects into the data directory. If `objects` is given, this shared folder is linked
    instead of copying the objects of the backup.
    """
    directory.mkdir(parents=True, exist_ok=True)
    (directory / UNFINISHED).touch()
    shutil.copytree(keys, directory / KEYS)
    if (backup / SETTINGS_FILE).exists():
        shutil.copy2(backup / SETTINGS_FILE, directory / SETTINGS_ASIDE)
    if objects is not None:
        (directory / OBJECTS).symlink_to(objects.resolve())
    elif manifest.has_objects:
        shutil.copytree(backup / OBJECTS, directory / OBJECTS)


@contextmanager
def restored_server(
    backup: Path, manifest: BackupManifest, directory: Path, recovery: BackupRecovery | None
) -> Iterator[str]:
    """Run the embedded server of the data directory, restored from the base backup if the backup has one; yield its
    URL.
    """
    server = EmbeddedPostgres(directory)
    if manifest.is_base:
        server.take(backup / BASE, _settings(directory, recovery))
        if recovery:
            server.take_archive(recovery.archive)
    url = server.start()
    try:
        _wait_for_the_end_of_recovery(url)
        yield url
    finally:
        server.stop()


def _settings(directory: Path, recovery: BackupRecovery | None) -> dict[str, str]:
    # Archiving is off: the restored server would write into the WAL archive of the original.
    settings = {"archive_mode": "off", "primary_conninfo": ""}
    if recovery:
        archive = EmbeddedPostgres.archive_of(directory)
        settings["restore_command"] = f'cp "{archive}/%f" "%p"'
        settings["recovery_target_action"] = "promote"
        if recovery.until:
            settings["recovery_target_time"] = recovery.until.isoformat()
    return settings


def _wait_for_the_end_of_recovery(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        while True:
            found: Any = connection.execute(
                "SELECT pg_is_in_recovery(), pg_sleep(CASE WHEN pg_is_in_recovery() THEN 0.1 ELSE 0 END)"
            ).fetchone()
            if not found[0]:
                return


def fill(url: str, dump: Path) -> None:
    """Fill an empty database from a dump.  Refuses `TargetNotEmpty`, `BackupUnusable`."""
    with psycopg.connect(conninfo(url)) as connection:
        if connection.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public'").fetchone():
            raise TargetNotEmpty(connection.info.dbname)
    ways = ("--no-owner", "--no-privileges", "--exit-on-error", "--no-password")
    done = _run("pg_restore", *ways, "-d", url, dump)
    if done.returncode:
        raise BackupUnusable(done.stderr.strip()[:500])
