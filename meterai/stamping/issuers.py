"""The issuers, read from the directory that the settings name."""

from datetime import datetime, timedelta
from pathlib import Path

from meterai import sealing
from meterai.kit.clock import Clock
from meterai.plumbing.config import Settings
from meterai.sealing import Issuer, Issuers
from meterai.stamping.settings import StampingSettings

# An authority takes days to issue a certificate, a tender weeks.
WARNED_BEFORE = timedelta(days=30)


def issuers_directory(settings: Settings) -> Path:
    """Where the issuers are: one directory for each issuer, or the files of the only one."""
    return (
        Path(settings.of(StampingSettings).issuer)
        if settings.of(StampingSettings).issuer
        else settings.process.directory / "keys" / "issuer"
    )


def issuers_of(settings: Settings, clock: Clock, *, may_make: bool = False) -> Issuers:
    """The configured issuers: who seals, and everybody whose seals can still be checked.

    In development one is made for whoever seals, and only there.  Refuses with `IssuerUnusable`.
    """
    directory = issuers_directory(settings)
    is_configured = settings.process.is_production or settings.of(StampingSettings).issuer
    if is_configured or not may_make:
        return sealing.load_issuers(directory)
    return sealing.development_issuers(
        directory, algorithm=settings.of(StampingSettings).seal_algorithm, at=clock.now()
    )


def ends_soon(issuer: Issuer, at: datetime) -> datetime | None:
    """When the first of the issuer's certificates ends, where that is near or past."""
    end = min(certificate.not_valid_after_utc for certificate in issuer.chain)
    return end if end - at < WARNED_BEFORE else None
