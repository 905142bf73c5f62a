"""The proof of an answer: the same words as a signed document, and as a PDF that our engine sealed.

The signed one is a JSON Web Signature that libraries in every language check with the public key alone, offline; the
PDF is a statement without a stamp (docs/sealing.md), which `/check`, `meterai verify` and other programs check.
Both say what was answered, about what and when, and neither says that the answer is right for ever: facts go on.
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

ANSWERS = "answers to complaints"  # the key of what cases sign is derived for it
KIND = "meterai answer"  # of the signed document: no other document of an installation has it
LINES_MAX = 500  # of one answer: an order with twenty documents has some eighty
LINE_LENGTH_MAX = (
    1_000  # characters, so that a line fits on a page; what is beyond is cut, with an ellipsis
)
FILE_BYTES_MAX = 4 * 1024 * 1024  # of a signed answer that somebody wants checked


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to a person, in their language: a title, and lines with a label or without one.

    `order` is the id of the order that it is about, empty where it is about none.
    """

    title: str
    lines: Sequence[paper.PaperLine]
    case: str
    order: str
    at: datetime
    language: str

    @property
    def shown(self) -> "Answered":
        """The same, with nothing in its texts that is not seen, and none without bounds."""
        lines = [
            paper.PaperLine(_bounded(label), _bounded(value))
            for label, value in self.lines[:LINES_MAX]
        ]
        return Answered(_bounded(self.title), lines, self.case, self.order, self.at, self.language)


def _bounded(text: str) -> str:
    line = one_line(text[: LINE_LENGTH_MAX + 1])
    return line if len(text) <= LINE_LENGTH_MAX else line[: LINE_LENGTH_MAX - 1] + "…"


def signer_of(keyring: Keyring) -> DocumentSigner:
    """The signer of the answers of an installation; its public key is published beside them."""
    return DocumentSigner(keyring.derived(ANSWERS))


def signed(answer: Answered, signer: DocumentSigner, *, by: str, specimen: bool) -> str:
    """The answer as a signed document.  `by` is the address of the installation."""
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
    """The content of a signed answer.  Refuses `SignatureWrong`."""
    return read_signed(document, KIND, public_key)


def sealed(answer: Answered, issuer: sealing.Issuer, *, by: str, mark: str, at: datetime) -> bytes:
    """The answer as a tagged PDF, sealed at a moment as a statement without a stamp.

    `by` is the address where it is checked; `mark` lies across each page outside production.  Refuses with a
    `SealingUnavailable`.  Takes some milliseconds of a processor: never on an event loop.
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
