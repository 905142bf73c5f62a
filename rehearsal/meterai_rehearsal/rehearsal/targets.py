"""Permitted targets of a rehearsal: this machine, and other machines only if they are in a written list.

A load against a foreign machine is an attack. So another machine needs both a list, which says who allowed it and
until when, and a flag that confirms it.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.files import read_settings_file
from meterai.plumbing.toml import read_toml
from meterai_rehearsal.clients.sites import AddressWrong, Site, site_of


class TargetForbidden(CommandRefusal):
    """A server is on another machine, and a load on it is not allowed."""

    code = "target_forbidden"
    status = 403

    def __init__(self, target: str, reason: str) -> None:
        super().__init__(f"{target}: {reason}")
        self.target = target
        self.reason = reason


class TargetsUnreadable(CommandRefusal):
    """The written list of targets cannot be read."""

    code = "targets_unreadable"
    status = 422

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class Allowed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One permitted server: who allowed it, and until when (with a time zone)."""

    url: str
    allowed_by: str
    until: datetime


class _Targets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The list: `[[targets]]`, one for each server."""

    targets: tuple[Allowed, ...]


def read(path: Path) -> tuple[Allowed, ...]:
    """Read the written list. Refuses `TargetsUnreadable`."""
    try:
        given = read_toml(read_settings_file(path))
        found = msgspec.convert(given, _Targets).targets
        for one in found:
            site_of(one.url)
            if not one.allowed_by.strip() or one.until.tzinfo is None:
                raise ValueError(
                    f"{one.url}: the entry must say who allowed it, and until when with a time zone"
                )
    except (OSError, ValueError, msgspec.ValidationError, AddressWrong) as error:
        raise TargetsUnreadable(str(path), str(error)) from None
    return found


def check(
    sites: Iterable[Site], allowed: Iterable[Allowed], now: datetime, *, not_loopback: bool
) -> Allowed | None:
    """Check every server of a run. Return the permission of the first one on another machine, if any.

    Refuses `TargetForbidden`.
    """
    known = {site_of(one.url).url: one for one in allowed}
    first = None
    for site in sites:
        if site.is_loopback:
            continue
        if not not_loopback:
            raise TargetForbidden(
                site.url, "the target is not this machine; allow it with --not-loopback"
            )
        found = known.get(site.url)
        if found is None:
            raise TargetForbidden(site.url, "the target is not in the list of --targets")
        if found.until <= now:
            raise TargetForbidden(
                site.url, f"the target was allowed until {found.until.isoformat()}"
            )
        first = first or found
    return first
