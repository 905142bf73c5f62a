"""Timed faults: parts of the run's own installation are killed, its stand-ins stalled, its disk filled.

Faults are made only in an installation that this run started: every fault needs its `OwnInstallation`.
"""

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from shutil import disk_usage
from typing import Any

import msgspec
import psutil

from meterai.kit.refusal import CommandRefusal
from meterai_rehearsal.clients.connection import Traffic, exchange, request
from meterai_rehearsal.clients.sites import site_of
from meterai_rehearsal.clients.wire import ConnectionLost
from meterai_rehearsal.rehearsal.installation import POSTGRES, OwnInstallation
from meterai_rehearsal.rehearsal.plan import CommandPlan, FaultKind, FaultPlan

LOOK_SECONDS = 0.1
HEAL_SECONDS_MAX = 60.0  # a part that does not return within this time is not healed
ANSWER_SECONDS_MAX = 10.0
STALLED_SECONDS = 60.0  # delay of each answer of a stalled bank: longer than anybody waits
SLOW_MAIL_SECONDS = 1.0  # a mail takes some 0.1 s
HEADROOM_BYTES = 16 * 1024  # left on a full disk: smaller than any document
BALLAST = "ballast"


class FaultImpossible(CommandRefusal):
    """A fault of the plan cannot be made here without harm to others."""

    code = "fault_impossible"
    status = 409

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = reason


def check(
    faults: tuple[FaultPlan, ...],
    own: OwnInstallation | None,
    commands: tuple[CommandPlan, ...] = (),
) -> None:
    """Check before the run that its faults and commands can be made. Refuses `FaultImpossible`."""
    named = [*(one.kind.value for one in faults), *(" ".join(one.words) for one in commands)]
    if named and own is None:
        raise FaultImpossible(
            named[0],
            "only an installation that the run started can be broken or commanded: use --up",
        )
    if own is not None and any(one.kind is FaultKind.FILL_DISK for one in faults):
        _check_disk(own.directory)


def _check_disk(directory: Path) -> None:
    # A shared file system would also be full for others.
    if not os.path.ismount(directory):
        raise FaultImpossible(
            FaultKind.FILL_DISK.value,
            f"{directory} is not a separate file system (mount one there)",
        )


class Faults:
    """Makes and heals the faults of one installation."""

    def __init__(self, own: OwnInstallation) -> None:
        self._own = own
        self._kill: dict[FaultKind, Callable[[], Awaitable[None]]] = {
            FaultKind.KILL_WEB: self._kill_web,
            FaultKind.KILL_WORKER: self._kill_worker,
            FaultKind.KILL_DATABASE_BACKEND: self._kill_backend,
            FaultKind.KILL_DATABASE: self._kill_database,
        }

    async def make(self, fault: FaultPlan, now: Callable[[], float]) -> tuple[float, float | None]:
        """Make a fault, and wait until its cause is gone. Return its begin and the time of healing.

        A killed part is healed when another process runs in its place; the time of healing is None if no such
        process appeared.
        """
        begun = now()
        if not fault.kind.lasts:
            try:
                async with asyncio.timeout(HEAL_SECONDS_MAX):
                    await self._kill[fault.kind]()
            except TimeoutError:
                return begun, None
            return begun, now()
        try:
            await self._switch(fault.kind, is_on=True)
            await asyncio.sleep(fault.seconds)
        finally:
            await self._switch(fault.kind, is_on=False)
        return begun, now()

    # -- killed ------------------------------------------------------------------------------

    async def _kill_web(self) -> None:
        before = self._own.web_workers()
        before[0].kill()
        await _until(lambda: _is_replaced(self._own.web_workers(), before, before[0]))
        await self._until_ready()

    async def _kill_worker(self) -> None:
        await self._kill_part("worker")

    async def _kill_part(self, name: str) -> None:
        killed = self._own.part(name)
        killed.kill()
        await _until(lambda: self._own.parts().get(name, killed).pid != killed.pid)

    async def _kill_backend(self) -> None:
        self._own.backends()[0].kill()
        await self._until_ready()

    async def _kill_database(self) -> None:
        await self._kill_part(POSTGRES)
        await self._until_ready()

    async def _until_ready(self) -> None:
        site = site_of(self._own.addresses.web)
        sent = request(site, "GET", "/readyz", {"Accept": "application/json"})
        while True:
            with suppress(ConnectionLost):
                if (await exchange(site, sent, Traffic(), ANSWER_SECONDS_MAX)).status == 200:
                    return
            await asyncio.sleep(LOOK_SECONDS)

    # -- switched ----------------------------------------------------------------------------

    async def _switch(self, kind: FaultKind, *, is_on: bool) -> None:
        addresses = self._own.addresses
        match kind:
            case FaultKind.STALL_BANK:
                seconds = STALLED_SECONDS if is_on else 0
                switches = {"response_delay_seconds": seconds, "token_delay_seconds": seconds}
                await _set_switches(addresses.bank, switches)
            case FaultKind.SLOW_MAIL:
                await _set_switches(
                    addresses.mail, {"delay_seconds": SLOW_MAIL_SECONDS if is_on else 0}
                )
            case FaultKind.LOSE_NOTIFICATIONS:
                await _set_switches(addresses.bank, {"drop_notifications": -1 if is_on else 0})
            case FaultKind.FILL_DISK:
                await asyncio.to_thread(fill if is_on else free, self._own.directory)
            case _:
                raise AssertionError(f"{kind} is no switch")


def _is_replaced(
    found: list[psutil.Process], before: list[psutil.Process], killed: psutil.Process
) -> bool:
    """True if there are as many processes as before, without the killed one."""
    return len(found) >= len(before) and killed.pid not in {one.pid for one in found}


async def _until(is_so: Callable[[], bool]) -> None:
    while not await asyncio.to_thread(is_so):  # noqa: ASYNC110 - processes tell nobody
        await asyncio.sleep(LOOK_SECONDS)


async def _set_switches(url: str, switches: dict[str, Any]) -> None:
    """Set fault switches of a stand-in."""
    site = site_of(url)
    body = msgspec.json.encode(switches)
    sent = request(site, "POST", "/standin/faults", {"Content-Type": "application/json"}, body)
    answer = await exchange(site, sent, Traffic(), ANSWER_SECONDS_MAX)
    assert answer.status == 200, answer.body


def fill(directory: Path) -> None:
    """Fill the file system of the directory, which must not be shared with other files, up to a small rest. Refuses
    `FaultImpossible`.
    """
    _check_disk(directory)
    size = max(disk_usage(directory).free - HEADROOM_BYTES, 0)
    with (directory / BALLAST).open("wb") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, max(size, 1))
        except OSError as error:
            if (
                error.errno != errno.ENOSPC
            ):  # other processes wrote meanwhile, so the disk is full as intended
                raise


def free(directory: Path) -> None:
    """Free the space again."""
    (directory / BALLAST).unlink(missing_ok=True)
