"""Registration of the room `regulator`: everything that it offers to the applications, as a `Room`."""

from collections.abc import Sequence

from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.plumbing.db.checks import Check
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.regulator import pages
from meterai.regulator.audited import AUDITED
from meterai.regulator.evidence_service import EvidenceService
from meterai.regulator.invariants import INVARIANTS, compare_with_books, verify_manifests
from meterai.regulator.knows import WORK, stopped
from meterai.regulator.levers import LEVERS
from meterai.regulator.model import STATEMENT_SUBJECT
from meterai.regulator.retention import RETENTION
from meterai.regulator.service import MAKING, StatementService
from meterai.room import Container, Room
from meterai.room.timelines import timeline
from meterai.sealing import Issuers

MAKING_LOOK_SECONDS = 20.0  # seconds between two checks whether a day is over


async def _build(container: Container) -> None:
    held, offers = container, container.offers
    statements = StatementService(held.database, held.keyring, held.settings, held.clock)
    held.add(statements)
    held.add(
        EvidenceService(
            held.database,
            lambda tx, about: timeline(tx, offers, about),
            statements.signer,
            held.of(Issuers),
            held.settings.process,
            held.clock,
        )
    )


async def _extracts_stopped(container: Container) -> str | None:
    key = container.of(StatementService).signer.public_key()
    async with container.database.reading() as tx:
        found = await stopped(tx, key)
    return found and f"{found.day} {'is not signed by us' if found.is_unsigned else 'is missing'}"


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    return [
        PeriodicTask(
            MAKING,
            container.of(StatementService).make_due,
            MAKING_LOOK_SECONDS,
            without_rows=(
                "one day after the other, each signed over the day before; a lock lets "
                "only one worker make it"
            ),
        )
    ]


def _command(name: str, function: str, needs: Directory) -> Command:
    there = f"meterai.regulator.commands:{function}"
    return Command(name, there, needs, DemandScope.DATABASE, Schema.CURRENT)


def _offline(name: str, function: str) -> Command:
    there = f"meterai.regulator.commands:{function}"
    return Command(name, there, Directory.SETTINGS, DemandScope.NOTHING, Schema.NONE)


CHECKS: tuple[Check, ...] = (verify_manifests, compare_with_books)
ROOM = Room(
    name="regulator",
    subjects=[STATEMENT_SUBJECT],
    global_tables={
        "extracts": "the extract of a day of the whole installation",
        "extract_parts": "the extract of a day of the whole installation",
        "extract_sums": "the extract of a day of the whole installation",
        "statements": "a month of the whole installation",
        "statement_sums": "a month of the whole installation",
    },
    build=_build,
    warns={"extracts_stopped": _extracts_stopped},
    services={"statements": StatementService, "evidence": EvidenceService},
    routes=pages.routes,
    pages=pages.PAGES,
    tasks=_tasks,
    levers=LEVERS,
    work=WORK,
    commands=(
        _command("statements close", "close", Directory.DATABASE),
        _command("regulator extract", "write_extract", Directory.NEEDED),
        _offline("regulator check", "check"),
        _command("evidence make", "make_evidence", Directory.NEEDED),
        _offline("evidence verify", "verify_evidence"),
    ),
    command_groups={
        "statements": "Statements of duty.",
        "regulator": "Extracts for the regulator.",
        "evidence": "Evidence of a serial.",
    },
    invariants=INVARIANTS,
    checks=CHECKS,
    audited=AUDITED,
    retention=RETENTION,
)
