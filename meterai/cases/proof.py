"""Proof of an answer: a signed document and a sealed PDF with the same words.

The signed document is a JSON Web Signature, which common libraries verify offline with the public key.  The PDF is
a statement without a stamp (docs/sealing.md), verified by `/check`, `meterai verify` and other programs.  Both
state what was answered, about what, and when; the facts may change afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from meterai import sealing
from meterai.kit.text import one_line
from meterai.pages import paper
from meterai.plumbing.keyring import Keyring
from meterai.plumbing.messages import format_datetime, translate
from meterai.plumbing.signed import DocumentSigner, read_signed

ANSWERS = "answers to complaints"  # purpose of the derived signing key
KIND = "meterai answer"  # kind of the signed document, unique in an installation
LINES_MAX = 500  # lines of an answer; an order with twenty documents has about eighty
LINE_LENGTH_MAX = (
    1_000  # characters, so that a line fits on a page; a longer one is cut, with an ellipsis
)
FILE_BYTES_MAX = 4 * 1024 * 1024  # size of a signed answer to verify


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer in the person's language: a title, and lines with or without a label.

    `order` is the id of the order or stamping that the answer concerns; empty if the case has none.
    """

    title: str
    lines: Sequence[paper.PaperLine]
    case: str
    order: str
    at: datetime
    language: str

    @property
    def shown(self) -> "Answered":
        """The same answer, with texts cut to the maximum length and without invisible characters."""
        lines = [
            paper.PaperLine(_bounded(label), _bounded(value))
            for label, value in self.lines[:LINES_MAX]
        ]
        return Answered(_bounded(self.title), lines, self.case, self.order, self.at, self.language)


def _bounded(text: str) -> str:
    line = one_line(text[: LINE_LENGTH_MAX + 1])
    return line if len(text) <= LINE_LENGTH_MAX else line[: LINE_LENGTH_MAX - 1] + "…"


def signer_of(keyring: Keyring) -> DocumentSigner:
    """Return the signer of an installation's answers; its public key is published."""
    return DocumentSigner(keyring.derived(ANSWERS))


def signed(answer: Answered, signer: DocumentSigner, *, by: str, specimen: bool) -> str:
    """Return the answer as a signed document; `by` is the URL of the installation, `specimen` is False in production."""
    shown = answer.shown
    return signer.sign(
        KIND,
        {
            "by": by,
            "case": shown.case,
            "order": shown.order,
            "at": shown.at.isoformat(),
            "language": shown.language,
            "title": shown.title,
            "lines": [[label, value] for label, value in shown.lines],
            "specimen": specimen,
        },
    )


def read_answer(document: str | bytes, public_key: bytes) -> dict[str, object]:
    """Verify a signed answer and return its content.  Refuses `SignatureWrong`."""
    return read_signed(document, KIND, public_key)


def sealed(answer: Answered, issuer: sealing.Issuer, *, by: str, mark: str, at: datetime) -> bytes:
    """Return the answer as a tagged PDF, sealed as a statement without a stamp.

    `by` is the URL at which the PDF is verified; `mark` is printed across each page outside production.  Takes some
    milliseconds of processor time, so it must not run on an event loop.  Refuses with a `SealingUnavailable`.
    """
    shown, language = answer.shown, answer.language
    head = [_line("case", shown.case, language)]
    head += [_line("order", shown.order, language)] if shown.order else []
    head += [_line("at", format_datetime(shown.at, language), language)]
    texts = [text for line in (paper.PaperLine(shown.title, ""), *shown.lines) for text in line]
    notes = [] if all(map(paper.can_write, texts)) else ["unwritten"]
    foot = [
        paper.PaperLine("", translate(f"proof.{one}", language, by=by)) for one in (*notes, "check")
    ]
    lines = [*head, *shown.lines, *foot]
    content = paper.written(paper.Receipt(shown.title, language, lines, mark))
    return content + sealing.seal_statement(content, issuer, at=at).data


def _line(name: str, value: str, language: str) -> paper.PaperLine:
    return paper.PaperLine(translate(f"proof.{name}", language), value)
