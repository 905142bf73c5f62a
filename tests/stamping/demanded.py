"""Settings that meet the demands of production on stamping, and ways to break each demand."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from meterai.kit.clock import SystemClock
from meterai.sealing import development_issuers
from tests.support.demanding import Installation, Wrong, setting

ISSUER = "keys/issuer/development-1"


def issuer_of_development(one: Installation) -> None:
    one.given["issuer"] = str(one.folder / "made-for-development")
    development_issuers(Path(str(one.given["issuer"])), at=SystemClock().now())
    (Path(str(one.given["issuer"])) / "current").chmod(0o644)


WRONG: Mapping[str, Sequence[Wrong]] = {
    "check_address": setting("public_url", f"https://{'a' * 50}.contoh.id"),
    "issuer": [
        lambda one: (one.folder / ISSUER / "claim.key").unlink(),
        lambda one: (one.folder / ISSUER / "seal.key").unlink(),
        issuer_of_development,
        *setting("issuer", "/nowhere"),
    ],
}
