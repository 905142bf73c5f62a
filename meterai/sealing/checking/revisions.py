"""What follows a seal: is every later update explained by a signature that holds, or evidence?

A seal covers the file up to the end of its own update.  Later updates may only add what keeps a
signature alive or adds another one: further signatures, document time-stamps, certificates and
revocation data (DSS).  A filled form, another annotation, a new picture for a field, or bytes that
no cross-reference section accounts for make a changed document, even where viewers accept them.

The time this takes is in proportion to the bytes of the later updates, and to those of the sealed
file once: objects that no update wrote are not looked at.
"""

from dataclasses import dataclass

from meterai.sealing.checking.later_objects import LaterField
from meterai.sealing.checking.later_signatures import Signed, check_signature
from meterai.sealing.checking.later_state import State
from meterai.sealing.checking.permitted import Comparison
from meterai.sealing.checking.updates import Found, Update, strictly, updates_behind
from meterai.sealing.pdf.document import Document
from meterai.sealing.pdf.extents import Listing
from meterai.sealing.pdf.linearization import is_taken_for_linearized
from meterai.sealing.pdf.strict import StrictValue


@dataclass(frozen=True, slots=True)
class Later:
    """A field that was added or filled behind a seal, and its signature; `None` for one more widget of a
    field that has it."""

    field: LaterField
    signed: Signed | None

    @property
    def page(self) -> int:
        """The page on which it is seen; 0 for none."""
        return next((one.page for one in self.field.widgets if one.is_visible), 0)


def later_signatures(now: Document, sealed: Document) -> list[Later]:
    """The signatures that `now` has behind the end of `sealed`, oldest first, if nothing else is there.

    Raises `Found` for the first thing that no signature explains, `DocumentBroken` for what cannot be
    read.  A picture that a signature brings may hide what was there; that is asked in `looks`.
    """
    if is_taken_for_linearized(now.buffer):
        raise Found("bytes")
    newer = len(now.sections) - len(sealed.sections)
    if newer < 1 or now.sections[newer].start != sealed.sections[0].start:
        raise Found("bytes")
    listing = Listing(sealed)
    number = listing.first_open_end()
    if number is not None:
        raise Found("object_waited_for", number)
    if not listing.leads_plainly():
        raise Found("trailer")
    state, found = State(sealed), []
    trailer = _trailer(sealed)
    for update in updates_behind(now, len(sealed.buffer), newer):
        found += _of_update(now, state, trailer, update)
        state.follow(update)
        trailer = {**trailer, **update.trailer}
    return found


def _trailer(sealed: Document) -> dict[str, StrictValue]:
    entries = sealed.trailer
    value, _ = strictly(entries.buffer, entries.start - len(b"<<"), 0, before=True)
    if not isinstance(value, dict):
        raise Found("trailer")
    return value


def _of_update(
    document: Document, state: State, trailer: dict[str, StrictValue], update: Update
) -> list[Later]:
    return [
        Later(
            field,
            None
            if field.signature is None
            else check_signature(document.buffer, update, field.signature),
        )
        for field in Comparison(state, trailer, update).fields()
    ]
