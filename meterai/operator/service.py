"""Published texts of the operator, read when a process starts, so that a later fault of the disk has no effect on them."""

from pathlib import Path

from meterai.operator.model import Paper, PaperMissing, TextBlock, blocks, is_web_address
from meterai.operator.settings import OperatorSettings
from meterai.plumbing.files import read_file

PAPER_BYTES_MAX = 256 * 1024  # largest file of a text: some hundred pages


def text_of(setting: str, path: str) -> str:
    """Return the text of the file that a setting names. Refuses `PaperMissing`."""
    try:
        return read_file(Path(path), PAPER_BYTES_MAX).decode()
    except (OSError, UnicodeDecodeError):
        raise PaperMissing(setting, path) from None


class OperatorTexts:
    """Published texts of the operator: each is a link to another site, the content of a file, or missing."""

    def __init__(self, settings: OperatorSettings) -> None:
        said = {Paper.TERMS: settings.operator_terms, Paper.PRIVACY: settings.operator_privacy}
        self._links = {paper: where for paper, where in said.items() if is_web_address(where)}
        self._texts = {
            paper: tuple(blocks(text_of(f"operator_{paper}", where)))
            for paper, where in said.items()
            if where and not is_web_address(where)
        }

    def link(self, paper: Paper) -> str | None:
        """Return the URL of a text on a site of the operator; None if the text is no link."""
        return self._links.get(paper)

    def text(self, paper: Paper) -> tuple[TextBlock, ...]:
        """Return the blocks of a text from its file; empty if it has no file."""
        return self._texts.get(paper, ())
