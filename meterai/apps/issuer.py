"""Who seals, from the settings."""

from pathlib import Path

from meterai import sealing
from meterai.kit.clock import Clock
from meterai.plumbing.config import Settings
from meterai.sealing import Issuer


def issuer_of(settings: Settings, clock: Clock) -> Issuer:
    """The configured issuer; in development one is made on the first start."""
    directory = Path(settings.issuer) if settings.issuer else settings.directory / "keys" / "issuer"
    if settings.environment == "production" or settings.issuer:
        return sealing.load_issuer(directory)
    return sealing.development_issuer(directory, algorithm=settings.seal_algorithm, at=clock.now())
