"""Placing stamps on a page: the view of a file, and the acts of the page's buttons.

A file has the stamps that were placed last; a file without any is shown with a stamp at
a free place, which is stored when the visitor uses a button.
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

    `selected` counts the stamps from 0; `tap` is the tapped point of the page, as shares of it from the
    top left; `do` is the button, `seen` the stamps that the page showed.
    """

    stamps: Sequence[TypedStamp]
    selected: int
    version: int
    seen: str
    do: str
    tap: tuple[float, float] | None = None


class Unseen(StrEnum):
    """Reason why a page has no picture while stamps are placed on it."""

    BUSY = "busy"  # the limit of waiting pictures is reached; the browser asks again
    TOO_SLOW = "too_slow"  # no task drew it within its limits; tried again after a while
    UNDRAWABLE = "undrawable"  # no renderer draws it


@dataclass(frozen=True, slots=True)
class PlacingView:
    """View of one file.

    `page` is the shown page, that of the stamp `selected` (from 0); `sizes` are of the page of
    each stamp.  `unseen` is the reason for a missing picture, None if there is one; a page that was
    too busy to draw may get its picture later.
    """

    file: DraftFile
    stamps: Sequence[Placement]
    sizes: Sequence[PageSize]
    selected: int
    unseen: Unseen | None
    is_suggested: bool
    paper: int  # its level of grey, 0 to 255
    covering: Sequence[int]  # stamps on the shown page, from 1, that cover ink

    @property
    def size(self) -> PageSize:
        return self.sizes[self.selected]


@dataclass(frozen=True, slots=True)
class PlacingOutcome:
    """Result of a button: the stamp to show next, whether to go on, and the placements of all files.

    `elsewhere` are files on which the same place could not be kept, `left` those on which no stamp fits.
    """

    selected: int
    goes_on: bool = False
    alike: int = 0
    elsewhere: Sequence[UUID] = ()
    left: Sequence[UUID] = ()


class Placing:
    """Stamps on the pages of a draft."""

    def __init__(self, drafts: DraftService, pictures: PagePictures) -> None:
        self._drafts = drafts
        self._pictures = pictures

    async def view(self, draft: Draft, file: DraftFile, selected: int = 0) -> PlacingView:
        """Return the view of a file.  Refuses `FileNotReady`, `DocumentUnavailable`."""
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
        """Do the act of a button, and store the stamps of the file.

        Refuses `FieldWrong`, `PageHasNoRoom`, `PlacedElsewhere` if another tab stored others since,
        and the refusals of `DraftService.place`; nothing is stored then.
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
            del stamps[number - 1 : number]  # none where there are fewer
            selected = 0
        await self._drafts.place(draft, file, stamps, wanted.version)
        if verb == "all":
            return await self._all_alike(draft, file, stamps, selected)
        # Without scripts a typed number has not been shown on the page yet.
        is_seen = positions.key_of(wanted.stamps) == wanted.seen
        return PlacingOutcome(selected, goes_on=verb == "use" and is_seen)

    async def _typed(
        self, draft: Draft, file: DraftFile, wanted: PlacingForm
    ) -> tuple[list[Placement], list[PageSize]]:
        if not wanted.stamps:
            raise PlacementMalformed("a form without stamps")
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
        """Return the selected stamp at a free place of another page.  Refuses `FieldWrong`."""
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
        """Put the same places on every other file that can be stamped."""
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
        """Return a stamp at a free place of the page, or near the usual one; on no other stamp.

        Refuses `PageHasNoRoom`.
        """
        size = await self._size(draft, file, page)
        # A page smaller than a stamp of the usual width gets a smaller one.
        width = min(width, size.width, size.height / Placement(1, 0, 0, 1).height)
        survey, _ = await self._survey(draft, file, page)
        if survey is None:
            survey = InkSurvey(size.width, size.height, 1, 1, b"\0")
        taken = [one for one in others if one.page == page]
        found = survey.free_place(page, width, taken)
        # Two stamps that do not fit side by side may do so if the second is a little smaller.
        usual = (survey.usual_place(page, one) for one in (width, min(width, WIDTH_MIN)))
        apart = (positions.apart(one, size, taken) for one in usual)
        place = found or next((one for one in apart if one is not None), None)
        if place is None:
            raise PageHasNoRoom(page=page)
        # Rounded as shown: to a tenth of a millimetre.
        typed = positions.shown(place, size, "en")
        return positions.placement_of(typed, 1, size)

    async def _survey(
        self, draft: Draft, file: DraftFile, page: int
    ) -> tuple[InkSurvey | None, Unseen | None]:
        """Return the ink of a page, or the reason for its missing picture."""
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
