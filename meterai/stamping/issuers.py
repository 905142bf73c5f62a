"""Issuers, read from the directory that the settings name."""

from datetime import datetime, timedelta
from pathlib import Path

from meterai import sealing
from meterai.kit.clock import Clock
from meterai.plumbing.config import Settings
from meterai.sealing import Issuer, Issuers
from meterai.stamping.settings import StampingSettings

# An authority takes days to issue a certificate, a tender takes weeks.
WARNED_BEFORE = timedelta(days=30)


def issuers_directory(settings: Settings) -> Path:
    """Return the directory of the issuers: one subdirectory for each, or the files of the only one."""
    return (
        Path(settings.of(StampingSettings).issuer)
        if settings.of(StampingSettings).issuer
        else settings.process.directory / "keys" / "issuer"
    )


def issuers_of(settings: Settings, clock: Clock, *, may_make: bool = False) -> Issuers:
    """Return the configured issuers: the one that seals, and all whose seals can still be verified.

    Development may make a missing one; production never does. Refuses `IssuerUnusable`.
    """
    directory = issuers_directory(settings)
    is_configured = settings.process.is_production or settings.of(StampingSettings).issuer
    if is_configured or not may_make:
        return sealing.load_issuers(directory)
    return sealing.development_issuers(
        directory, algorithm=settings.of(StampingSettings).seal_algorithm, at=clock.now()
    )


def ends_soon(issuer: Issuer, at: datetime) -> datetime | None:
    """Return the end of the issuer's first certificate to end if that is near or past, else None."""
    end = min(certificate.not_valid_after_utc for certificate in issuer.chain)
    return end if end - at < WARNED_BEFORE else None
