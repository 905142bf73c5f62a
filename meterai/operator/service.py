"""The operator's texts: read once when a process begins, so that no lost disk is felt."""

from pathlib import Path

from meterai.operator.model import Paper, PaperMissing, TextBlock, blocks, is_web_address
from meterai.operator.settings import OperatorSettings
from meterai.plumbing.files import read_file

PAPER_BYTES_MAX = 256 * 1024  # some hundred pages


def text_of(setting: str, path: str) -> str:
    """The text of a file.  Refuses `PaperMissing`."""
    try:
        return read_file(Path(path), PAPER_BYTES_MAX).decode()
    except (OSError, UnicodeDecodeError):
        raise PaperMissing(setting, path) from None


class OperatorTexts:
    """The operator's papers: each has an address elsewhere, a text, or nothing."""

    def __init__(self, settings: OperatorSettings) -> None:
        said = {Paper.TERMS: settings.operator_terms, Paper.PRIVACY: settings.operator_privacy}
        self._links = {paper: where for paper, where in said.items() if is_web_address(where)}
        self._texts = {
            paper: tuple(blocks(text_of(f"operator_{paper}", where)))
            for paper, where in said.items()
            if where and not is_web_address(where)
        }

    def link(self, paper: Paper) -> str | None:
        """Its address on a site of the operator's own."""
        return self._links.get(paper)

    def text(self, paper: Paper) -> tuple[TextBlock, ...]:
        """The blocks of its file; none where there is no file."""
        return self._texts.get(paper, ())
