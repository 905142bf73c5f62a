"""Documents whose pages are not what a reader shows when it opens them: a stamp would not be seen."""

import re

from meterai.sealing.model import DocumentBroken, DynamicForm, LeavesWhenOpened, Portfolio
from meterai.sealing.pdf.document import Document
from meterai.sealing.pdf.forms import form_of
from meterai.sealing.pdf.syntax import Dictionary, Value

ACTIONS_MAX = 100  # that follow one another; real ones are one or two
_LEAVING = {"/GoToR", "/GoToE", "/Launch", "/URI", "/SubmitForm", "/ImportData"}
_HEAD_BYTES = 1024  # in which a linearized file says that it is one
_LINEARIZED = re.compile(rb"/Linearized\b[^>]*?/L\s+(\d{1,12})|/L\s+(\d{1,12})[^>]*?/Linearized\b")


def refuse_other_views(document: Document, first_page: Dictionary) -> None:
    """Refuse with `DynamicForm`, `Portfolio` or `LeavesWhenOpened`; with `DocumentBroken` a file that says
    it is linearized and longer than it is: readers would begin elsewhere once it is so long."""
    form = form_of(document)
    if form is not None and form.get(b"/XFA") is not None:
        raise DynamicForm("a form that is built when it is opened")
    root = document.root
    if document.dictionary(root.get(b"/Collection")) is not None:
        raise Portfolio("a portfolio")
    _refuse_leaving(document, root.get(b"/OpenAction"))
    of_page = document.dictionary(first_page.get(b"/AA"))
    if of_page is not None:
        _refuse_leaving(document, of_page.get(b"/O"))
    linearized = _LINEARIZED.search(document.buffer, 0, _HEAD_BYTES)
    if linearized is not None and int(linearized[1] or linearized[2]) > len(document.buffer):
        raise DocumentBroken("linearized, and cut off")


def _refuse_leaving(document: Document, action: Value) -> None:
    waiting, looked = [action], 0
    while waiting:
        looked += 1
        if looked > ACTIONS_MAX:
            raise DocumentBroken("too many actions")
        entries = document.dictionary(waiting.pop())
        if entries is None:
            continue  # a destination in the document
        kind = document.entry(entries, b"/S")
        if kind in _LEAVING:
            raise LeavesWhenOpened(f"{kind} when it is opened")
        waiting += _following(document, entries)


def _following(document: Document, entries: Dictionary) -> list[Value]:
    found = document.entry(entries, b"/Next")
    return list(found) if isinstance(found, list) else [found]
