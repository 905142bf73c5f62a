"""Registration of the room verification."""

from meterai.commands import Command, DemandScope, Directory
from meterai.plumbing.http.described import FieldDescription
from meterai.room import Container, Room
from meterai.sealing import Issuers
from meterai.stamps import StampState
from meterai.verification import pages
from meterai.verification.model import ClaimVerdict, FinalVerdict
from meterai.verification.routes import routes
from meterai.verification.service import VerificationService
from meterai.verification.service.batch import RowKind
from meterai.verification.service.rows import NOT_CHECKED


async def _build(container: Container) -> None:
    issuers = container.of(Issuers)
    container.add(
        VerificationService(
            container.database, issuers, container.clock, container.settings.process
        )
    )


COMMANDS = (
    Command(
        "verify",
        "meterai.verification.commands:verify",
        Directory.NEEDED,
        DemandScope.NOTHING,
        elsewhere="issuer",
    ),
    Command(
        "verify-claim",
        "meterai.verification.commands:verify_claim",
        Directory.NEEDED,
        DemandScope.NOTHING,
        elsewhere="issuer",
    ),
)

FIELDS = {
    ("CheckRowView", "kind"): FieldDescription(list(RowKind)),
    ("CheckRowView", "verdict"): FieldDescription(
        list(dict.fromkeys([*FinalVerdict, *StampState, *ClaimVerdict, NOT_CHECKED]))
    ),
    ("CheckRowView", "row"): FieldDescription(least=1),
    ("StampView", "state"): FieldDescription(list(StampState)),
    ("VerificationView", "size_bytes"): FieldDescription(least=0),
    ("VerificationView", "verdict"): FieldDescription(list(FinalVerdict)),
    ("ClaimView", "verdict"): FieldDescription(list(ClaimVerdict)),
    ("ClaimKeyView", "algorithm"): FieldDescription(["Ed25519"]),
    ("VerificationView", "later_bytes"): FieldDescription(least=0),
    ("SealedView", "bytes"): FieldDescription(least=1),
    ("EarlierView", "bytes"): FieldDescription(least=1),
}
ROOM = Room(
    name="verification",
    build=_build,
    services={"verification": VerificationService},
    routes=(*routes, *pages.routes),
    fields=FIELDS,
    examples={
        "serial": "03TG7W4J2N0A5D8K1R9YQB",
        "claim": "1A7K9...",
    },
    pages=pages.PAGES,
    commands=COMMANDS,
)
