"""Placing stamps on the pages of a file: the data of the page, and the actions of its buttons.

A file without stamps is shown with a suggested stamp at a free place.  The suggestion is stored when the visitor
presses a button.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from meterai.drafts import positions
from meterai.drafts.model import Draft, DraftFile, PageHasNoRoom
from meterai.drafts.pictures import PagePictures
from meterai.drafts.positions import TypedStamp
from meterai.drafts.service import DraftService
from meterai.kit.numbers import counted
from meterai.kit.refusal import NotFound, Refusal
from meterai.pages import FieldWrong, whole_number
from meterai.sealing import (
    INK_SHARE_MAX,
    STAMPS_MAX,
    WIDTH_DEFAULT,
    WIDTH_MIN,
    ExaminationBusy,
    InkSurvey,
    PageNotDrawn,
    PageSize,
    PageTooSlow,
    Placement,
    PlacementMalformed,
)


@dataclass(frozen=True, slots=True)
class PlacingForm:
    """Values of a sent form.

    `selected` is the index of the selected stamp, from 0.  `version` is the version of the file when the page was shown.
    `seen` are the stamps that the page showed, as `positions.key_of` writes them.  `do` names the pressed button.  `tap` is
    the tapped point of the page, as shares of its width and height from the top left.
    """

    stamps: Sequence[TypedStamp]
    selected: int
    version: int
    seen: str
    do: str
    tap: tuple[float, float] | None = None


class Unseen(StrEnum):
    """Reason why the page of a document is shown without a picture."""

    BUSY = "busy"  # the limit of waiting pictures is reached; the browser asks again
    TOO_SLOW = "too_slow"  # drawing it exceeded its limits; it is tried again after a while
    UNDRAWABLE = "undrawable"  # no renderer draws it


@dataclass(frozen=True, slots=True)
class PlacingView:
    """Data of the page that shows a file with its stamps.

    `selected` is the index of the selected stamp, from 0; the page of the document on which it is placed is shown.  `sizes` has
    for each stamp the size of its page.  `unseen` is the reason why the page is shown without a picture, or None if there is a
    picture.  If `is_suggested` is true, no stamps are stored yet, and `stamps` is a suggestion.
    """

    file: DraftFile
    stamps: Sequence[Placement]
    sizes: Sequence[PageSize]
    selected: int
    unseen: Unseen | None
    is_suggested: bool
    paper: int  # grey level of the page's background, 0 to 255
    covering: Sequence[int]  # stamps on the shown page, from 1, that cover ink

    @property
    def size(self) -> PageSize:
        return self.sizes[self.selected]


@dataclass(frozen=True, slots=True)
class PlacingOutcome:
    """Result of a pressed button.

    `selected` is the index of the stamp to show next; `goes_on` says that the visitor goes to the next file or step.  The other
    fields are set by the button that puts the same stamps on all files of the draft: `alike` is the number of files that have
    these stamps now, `elsewhere` are the files on which a stamp had to be put at another place, and `left` are the files on
    which the stamps do not fit.
    """

    selected: int
    goes_on: bool = False
    alike: int = 0
    elsewhere: Sequence[UUID] = ()
    left: Sequence[UUID] = ()


class Placing:
    """Places stamps on the files of a draft."""

    def __init__(self, drafts: DraftService, pictures: PagePictures) -> None:
        self._drafts = drafts
        self._pictures = pictures

    async def view(self, draft: Draft, file: DraftFile, selected: int = 0) -> PlacingView:
        """Return the data of a file's page, with the stamp of index `selected` selected.

        Refuses `FileNotReady`, `DocumentUnavailable`.
        """
        stamps = list(file.placements)
        is_suggested = not stamps
        if is_suggested:
            # The last page, unless it is smaller than a stamp.
            page = file.sizes[-1].page if file.sizes else file.pages or 1
            stamps = [await self._suggestion(draft, file, page, [])]
        selected = min(max(selected, 0), len(stamps) - 1)
        sizes = [await self._size(draft, file, one.page) for one in stamps]
        survey, unseen = await self._survey(draft, file, sizes[selected].page)
        covering = [
            number
            for number, one in enumerate(stamps, start=1)
            if survey is not None
            and one.page == sizes[selected].page
            and survey.ink_under(one) > INK_SHARE_MAX
        ]
        return PlacingView(
            file=file,
            stamps=stamps,
            sizes=sizes,
            selected=selected,
            unseen=unseen,
            is_suggested=is_suggested,
            paper=survey.paper if survey is not None else 255,
            covering=covering,
        )

    async def carry_out(self, draft: Draft, file: DraftFile, wanted: PlacingForm) -> PlacingOutcome:
        """Carry out the pressed button, and store the stamps of the file.

        Refuses `FieldWrong`, `PageHasNoRoom`, `PlacedElsewhere` if another tab stored stamps since the page was shown,
        and the refusals of `DraftService.place`.  After a refusal nothing is stored.
        """
        stamps, sizes = await self._typed(draft, file, wanted)
        selected = min(max(wanted.selected, 0), len(stamps) - 1)
        verb, _, of = wanted.do.partition(":")
        if wanted.tap is not None:
            stamps[selected] = positions.tapped(stamps[selected], sizes[selected], *wanted.tap)
        elif verb == "page":
            stamps[selected] = await self._on_page(draft, file, stamps, selected, of)
        elif verb == "add" and len(stamps) < STAMPS_MAX:
            page = stamps[selected].page
            stamps.append(await self._suggestion(draft, file, page, stamps))
            selected = len(stamps) - 1
        elif verb == "remove" and len(stamps) > 1 and (number := counted(of)):
            del stamps[number - 1 : number]  # no effect if there is no stamp of that number
            selected = 0
        await self._drafts.place(draft, file, stamps, wanted.version)
        if verb == "all":
            return await self._all_alike(draft, file, stamps, selected)
        # Without scripts the page has not shown the place of typed numbers yet: it is shown before the visitor goes on.
        is_seen = positions.key_of(wanted.stamps) == wanted.seen
        return PlacingOutcome(selected, goes_on=verb == "use" and is_seen)

    async def _typed(
        self, draft: Draft, file: DraftFile, wanted: PlacingForm
    ) -> tuple[list[Placement], list[PageSize]]:
        if not wanted.stamps:
            raise PlacementMalformed("the form contains no stamps")
        stamps, sizes = [], []
        for number, typed in enumerate(wanted.stamps, start=1):
            page = positions.page_of(typed, number, file.pages or 1)
            size = await self._size(draft, file, page)
            stamps.append(positions.placement_of(typed, number, size))
            sizes.append(size)
        return stamps, sizes

    async def _on_page(
        self, draft: Draft, file: DraftFile, stamps: Sequence[Placement], selected: int, typed: str
    ) -> Placement:
        """Return the selected stamp, moved to a free place of the page with the number `typed`.

        Refuses `FieldWrong`, `PageHasNoRoom`.
        """
        page = whole_number(typed, "to_page")
        if page > (file.pages or 1):
            raise FieldWrong("to_page")
        others = [one for number, one in enumerate(stamps) if number != selected]
        width = stamps[selected].width
        if page == stamps[selected].page:
            return stamps[selected]
        return await self._suggestion(draft, file, page, others, width)

    async def _all_alike(
        self, draft: Draft, file: DraftFile, stamps: Sequence[Placement], selected: int
    ) -> PlacingOutcome:
        """Put the stamps of `file` at the same places of every other file of the draft that can be stamped."""
        elsewhere, left, alike = [], [], 1
        for other in await self._drafts.files(draft):
            if other.id == file.id or not other.is_usable:
                continue
            try:
                is_kept = await self._alike(draft, file, stamps, other)
            except (FieldWrong, NotFound):
                raise
            except Refusal:
                left.append(other.id)
                continue
            alike += 1
            if not is_kept:
                elsewhere.append(other.id)
        return PlacingOutcome(selected, alike=alike, elsewhere=elsewhere, left=left)

    async def _alike(
        self, draft: Draft, file: DraftFile, stamps: Sequence[Placement], other: DraftFile
    ) -> bool:
        moved: list[Placement] = []
        are_kept = True
        for one in stamps:
            size = await self._size(draft, file, one.page)
            page = positions.page_alike(one.page, file, other)
            there = await self._size(draft, other, page)
            placed, is_kept = positions.alike(one, size, there)
            moved.append(placed)
            are_kept = are_kept and is_kept
        await self._drafts.place(draft, other, moved, other.version)
        return are_kept

    async def _suggestion(
        self,
        draft: Draft,
        file: DraftFile,
        page: int,
        others: Sequence[Placement],
        width: float = WIDTH_DEFAULT,
    ) -> Placement:
        """Return a suggested stamp at a place of the page without content.

        If there is no such place, the stamp covers content near the usual place.  It never overlaps the stamps `others`; if
        that is impossible, refuses `PageHasNoRoom`.  `width` is in points.
        """
        size = await self._size(draft, file, page)
        # A page smaller than a stamp of the usual width gets a smaller one.
        width = min(width, size.width, size.height / Placement(1, 0, 0, 1).height)
        survey, _ = await self._survey(draft, file, page)
        if survey is None:
            survey = InkSurvey(size.width, size.height, 1, 1, b"\0")
        taken = [one for one in others if one.page == page]
        found = survey.free_place(page, width, taken)
        # A stamp that does not fit beside the others may fit with the least width.
        usual = (survey.usual_place(page, one) for one in (width, min(width, WIDTH_MIN)))
        apart = (positions.apart(one, size, taken) for one in usual)
        place = found or next((one for one in apart if one is not None), None)
        if place is None:
            raise PageHasNoRoom(page=page)
        # Rounded to a tenth of a millimetre, as the page shows it.
        typed = positions.shown(place, size, "en")
        return positions.placement_of(typed, 1, size)

    async def _survey(
        self, draft: Draft, file: DraftFile, page: int
    ) -> tuple[InkSurvey | None, Unseen | None]:
        """Return the survey of a page's ink, or the reason why the page has no picture."""
        try:
            picture = await self._pictures.picture(draft.network, file, page)
        except PageTooSlow:
            return None, Unseen.TOO_SLOW
        except PageNotDrawn:
            return None, Unseen.UNDRAWABLE
        except ExaminationBusy:
            return None, Unseen.BUSY
        return picture.survey, None

    async def _size(self, draft: Draft, file: DraftFile, page: int) -> PageSize:
        return await self._pictures.size(draft.network, file, page)
