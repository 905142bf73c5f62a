"""Loading of the issuers from the directory in the settings."""

from datetime import datetime, timedelta
from pathlib import Path

from meterai import sealing
from meterai.kit.clock import Clock
from meterai.plumbing.config import Settings
from meterai.sealing import Issuer, Issuers
from meterai.stamping.settings import StampingSettings

# Time before the end of a certificate at which to warn. An authority takes days to issue one, and a tender weeks.
WARNED_BEFORE = timedelta(days=30)


def issuers_directory(settings: Settings) -> Path:
    """Return the directory of the issuers; it has a subdirectory for each, or the files of the only issuer."""
    return (
        Path(settings.of(StampingSettings).issuer)
        if settings.of(StampingSettings).issuer
        else settings.process.directory / "keys" / "issuer"
    )


def issuers_of(settings: Settings, clock: Clock, *, may_make: bool = False) -> Issuers:
    """Load the configured issuers: the current one, which seals, and earlier ones, whose seals can be verified.

    With `may_make` a missing issuer is created in development, never in production. Refuses `IssuerUnusable`.
    """
    directory = issuers_directory(settings)
    is_configured = settings.process.is_production or settings.of(StampingSettings).issuer
    if is_configured or not may_make:
        return sealing.load_issuers(directory)
    return sealing.development_issuers(
        directory, algorithm=settings.of(StampingSettings).seal_algorithm, at=clock.now()
    )


def ends_soon(issuer: Issuer, at: datetime) -> datetime | None:
    """Return the earliest end of the issuer's certificates if it is past or nearer than `WARNED_BEFORE`, else None."""
    end = min(certificate.not_valid_after_utc for certificate in issuer.chain)
    return end if end - at < WARNED_BEFORE else None
