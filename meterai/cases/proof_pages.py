"""Downloads of the proof of an answer: signed document, sealed PDF, and the public key."""

import asyncio
from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts import Permission
from meterai.cases.model import CASE_KIND
from meterai.cases.proof import Answered, sealed, signed
from meterai.cases.service import CaseService, CaseTold
from meterai.cases.words import answer_text, timeline_lines
from meterai.kit.clock import Clock
from meterai.kit.ids import read, show
from meterai.kit.priority import Priority
from meterai.kit.refusal import NotFound
from meterai.operator import SPECIMEN
from meterai.pages import PageRequest, paper
from meterai.plumbing.config import Settings
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import saved_as
from meterai.plumbing.messages import translate
from meterai.plumbing.signed import DocumentSigner
from meterai.sealing import Issuers

_READING = {"permission": Permission.CASE_READ, "priority": Priority.PAID}
PEM = "application/x-pem-file"


class Proofs:
    """Makes the proofs of answers of one installation: signed documents and sealed PDFs."""

    def __init__(
        self, signer: DocumentSigner, issuers: Issuers, settings: Settings, clock: Clock
    ) -> None:
        self.signer = signer
        self._issuers = issuers
        self._process = settings.process
        self._clock = clock

    def signed(self, answer: Answered) -> bytes:
        """Return the answer as a signed document."""
        process = self._process
        specimen = not process.is_production
        return signed(answer, self.signer, by=process.url, specimen=specimen).encode()

    async def sealed(self, answer: Answered) -> bytes:
        """Return the answer as a sealed PDF.  Refuses with a `SealingUnavailable`."""
        process, now = self._process, self._clock.now()
        mark = "" if process.is_production else SPECIMEN
        issuer = self._issuers.current
        return await asyncio.to_thread(sealed, answer, issuer, by=process.url, mark=mark, at=now)


def answered(found: CaseTold, language: str) -> Answered:
    """Return the answer to a case and its current timeline, in the form that is signed and sealed.

    Refuses `NotFound` if the case was not answered automatically from our records.
    """
    case = found.case
    answer = answer_text(case, language)
    if answer is None or case.answered_at is None:
        raise NotFound("the case was not answered from facts")
    lines = [
        paper.PaperLine(
            translate("proof.matter", language), translate(f"matter.{case.matter}", language)
        ),
        paper.PaperLine("", answer.sentence),
        paper.PaperLine("", answer.next),
        *(
            paper.PaperLine(one.at, one.sentence)
            for one in timeline_lines(found.happenings, language)
        ),
    ]
    title = translate("proof.title", language)
    return Answered(title, lines, show(CASE_KIND, case.id), case.about, case.answered_at, language)


async def _answered(
    request: PageRequest, cases: CaseService, account: UUID, case_id: str
) -> Answered:
    case = await cases.mine(account, read(CASE_KIND, case_id))
    return answered(await cases.told(case), language_of(request))


@get("/complaints/{case_id:str}/answer.pdf", opt=_READING, include_in_schema=False)
async def download_sealed(
    request: PageRequest,
    cases: NamedDependency[CaseService],
    proofs: NamedDependency[Proofs],
    account: NamedDependency[UUID],
    case_id: FromPath[str],
) -> Response[Any]:
    """Return the automatic answer to a case as a PDF, sealed without a stamp."""
    answer = await _answered(request, cases, account, case_id)
    name = f"jawaban-{answer.case}.pdf"
    return saved_as(name, await proofs.sealed(answer), "application/pdf")


@get("/complaints/{case_id:str}/answer.json", opt=_READING, include_in_schema=False)
async def download_signed(
    request: PageRequest,
    cases: NamedDependency[CaseService],
    proofs: NamedDependency[Proofs],
    account: NamedDependency[UUID],
    case_id: FromPath[str],
) -> Response[Any]:
    """Return the automatic answer to a case as a signed document."""
    answer = await _answered(request, cases, account, case_id)
    return saved_as(f"jawaban-{answer.case}.json", proofs.signed(answer), "application/json")


@get(
    "/complaints/key.pem",
    opt={"permission": Permission.PUBLIC, "priority": Priority.NEW},
    include_in_schema=False,
    media_type=PEM,
)
async def show_key(proofs: NamedDependency[Proofs]) -> Response[bytes]:
    """Return the public key that verifies signed answers."""
    return Response(proofs.signer.public_pem(), media_type=PEM)


routes = [download_sealed, download_signed, show_key]
