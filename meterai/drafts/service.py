"""Drafts: find the visitor's draft, read its files, place their stamps, take files out.

A draft without an account is found by the token in the browser's cookie, and a draft of an account only by the account.  The
token of a browser may come from an earlier user of the browser, or from an attacker who set the cookie.  So each page that
uploads replaces the token of the draft, and the old token finds nothing.

A draft is assigned to an account only if the visitor, who has both the token and the account, signs in from a page of the draft
or presses a button.  Being signed in is not enough: on a shared phone, or after a sign-in link from another person's mail, the
account is another person's.
"""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from meterai.documents import DocumentContents
from meterai.drafts import store
from meterai.drafts.examination import DraftExamination
from meterai.drafts.model import (
    EMPTY_LIVES,
    Draft,
    DraftFile,
    FileNotReady,
    FileState,
    PlacedElsewhere,
    duplicates,
    hash_of,
    is_sign_in_mark,
    next_token,
    sign_in_mark,
    token_tag,
)
from meterai.drafts.objects import FileObjects
from meterai.drafts.settings import DraftSettings
from meterai.drafts.shared_loads import SharedLoads
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id
from meterai.kit.refusal import NotFound
from meterai.pages import fresh_key
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, Tx
from meterai.sealing import Placement
from meterai.stamping import KnownContent, StampingSettings, placements_json

TOKEN_BYTES = 32
RENEWED_EVERY = timedelta(minutes=10)  # least time between two renewals of a draft's end


def _check_version(file: DraftFile, seen: int) -> None:
    if file.version != seen:
        raise PlacedElsewhere(f"version {seen} was shown, but the current one is {file.version}")


def known_content(file: DraftFile) -> KnownContent:
    """Return the description of a file's stored document, for an order that does not send the bytes again.

    Refuses `FileNotReady`.
    """
    if not file.is_usable or file.sha256 is None or file.pages is None:
        raise FileNotReady(f"the file is {file.state}")
    return KnownContent(file.sha256, file.size, file.pages, file.rules, file.old_name)


class DraftService:
    """Drafts and their files, except for the upload of bytes (`Uploads`)."""

    def __init__(
        self,
        database: Database,
        objects: FileObjects,
        contents: DocumentContents,
        examination: DraftExamination,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._objects = objects
        self._contents = contents
        self._examination = examination
        self.loads = SharedLoads(self.content)
        self._settings = settings.of(DraftSettings)
        # Limit of one order.  A merged draft of two devices may have more files: no file may be lost in a merge.
        self.files_max = settings.of(StampingSettings).stampings_per_order_max
        self.cookie_seconds = self._settings.draft_lives_seconds_max
        self.process = settings.process  # determines the name of the cookie
        self._clock = clock

    # -- owner of a draft -----------------------------------------------------------------------

    async def current(self, token: str, account: UUID | None) -> Draft | None:
        """Return the open draft of a visitor, or None, and extend the time for which the draft is kept.

        If the account has drafts, they are merged into one, which is returned.  Otherwise the draft without an account that the
        token finds is returned.
        """
        found = await self._found(token, account)
        own = [one for one in found if one.owner is not None]
        if len(own) > 1:
            return await self._merged(own, account)
        return await self._renewed((own or found)[0]) if found else None

    async def current_files(
        self, token: str, account: UUID | None
    ) -> tuple[Draft | None, list[DraftFile]]:
        """Return the draft of a visitor, as `current` finds it, and its files, nearly always in one statement."""
        if not token and account is None:
            return None, []
        hashed, now = hash_of(token), self._clock.now()
        opened = await self._database.once(store.open_with_files, hashed, account, now)
        found = [one for one in opened if one[0].owner in (None, account)]
        own = [one for one in found if one[0].owner is not None]
        if len(own) > 1:
            made = await self._merged([draft for draft, _ in own], account)
            return made, await self.files(made) if made else []
        if not found:
            return None, []
        draft, files = (own or found)[0]
        return await self._renewed(draft), files

    async def shown_draft(
        self, token: str, page_key: str, account: UUID | None
    ) -> tuple[Draft | None, str]:
        """Return the draft of a visitor, or None, and the token that finds it.

        The returned token differs from `token` if the page with this key has uploaded to the draft, and the answer with the new
        cookie was lost.
        """
        ours = next_token(token, page_key) if page_key else token
        for one in dict.fromkeys((ours, token)):
            found = await self.current(one, account)
            if found is not None:
                return found, token if found.owner else one
        return None, token

    async def upload_draft(
        self, token: str, page_key: str, account: UUID | None
    ) -> tuple[Draft | None, str]:
        """Return the draft that a page with this key uploads to, or None, and the token that finds it from now on.

        Without a page key the token changes with each upload; if the answer with the new token is lost, the browser no longer
        finds its draft.
        """
        page_key = page_key or secrets.token_urlsafe(TOKEN_BYTES)
        found, shown = await self.shown_draft(token, page_key, account)
        ours = next_token(token, page_key)
        if found is None or found.owner is not None or shown == ours:
            return found, shown
        await self._database.once(store.renew_token, hash_of(token), hash_of(ours))
        # If another page replaced the token first, this page finds no draft by its old token.
        return await self.current(ours, account), ours

    async def _found(self, token: str, account: UUID | None) -> list[Draft]:
        """Return the open drafts of an account, and the draft without an account that the token finds."""
        if not token and account is None:
            return []
        hashed, now = hash_of(token), self._clock.now()
        found = await self._database.once(store.open_for, hashed, account, now)
        return [one for one in found if one.owner in (None, account)]

    async def files_apart(self, token: str, account: UUID) -> list[DraftFile]:
        """Return the files of the draft without an account that the token finds; empty if there is no such draft."""
        found = await self._found(token, account)
        apart = next((one for one in found if one.owner is None), None)
        return await self.files(apart) if apart is not None else []

    def mark(self, token: str) -> str:
        """Return the mark for a sign-in that begins now at a page of the draft with this token."""
        return sign_in_mark(token, self._clock.now())

    async def adopt_by_mark(self, token: str, account: UUID, mark: str) -> None:
        """Assign this browser's draft to the account, after a sign-in from a page of the draft.

        It has no effect if the mark does not prove a recent sign-in from a page of this draft.
        """
        if is_sign_in_mark(mark, token, self._clock.now()):
            await self.adopt(token, account)

    async def adopt(self, token: str, account: UUID) -> Draft | None:
        """Assign the draft of this browser to the account; a draft that the account already has is merged with it.

        No file is lost.  Returns the resulting draft, or None if the browser had no draft without an account.
        """
        if not token:
            return None
        hashed, now = hash_of(token), self._clock.now()
        alone = await self._database.once(store.adopt_alone, hashed, account, now)
        if alone is not None:
            return alone
        found = await self._found(token, account)
        is_apart = any(one.owner is None for one in found)
        return await self._merged(found, account) if is_apart else None

    async def _renewed(self, draft: Draft) -> Draft:
        until = self._settings.until(draft.created_at, self._clock.now())
        if until - draft.expires_at < RENEWED_EVERY:
            return draft
        return await self._database.once(store.renew, draft.id, until) or draft

    async def waits_for_owner(self, token: str) -> bool:
        """True if a draft that began with this token is open and belongs to an account now: only its owner can open it."""
        if not token:
            return False
        now = self._clock.now()
        return await self._database.once(store.is_kept_for_an_owner, hash_of(token), now)

    async def done_here(self, token: str, account: UUID | None) -> Draft | None:
        """Return the draft that began with this token, if the account has ordered it or stamped it from the balance.

        The answer to the order may have been lost; a page then leads the visitor to the result.
        """
        if not token or account is None:
            return None
        return await self._database.once(store.done_for, hash_of(token), account, self._clock.now())

    async def _merged(self, drafts: Sequence[Draft], account: UUID | None) -> Draft | None:
        async def act(tx: Tx) -> Draft | None:
            locked = await store.lock(tx, [one.id for one in drafts])
            theirs = [one for one in locked if one.owner in (None, account) and not one.is_done]
            if not theirs:
                return None
            kept, *others = theirs
            await store.adopt(tx, kept.id, account, max(one.expires_at for one in theirs))
            if others:
                until = self._clock.now() + timedelta(seconds=self.cookie_seconds)
                ids = [one.id for one in others]
                await store.merge(tx, kept.id, ids, account=account, until=until)
            (made,) = await store.lock(tx, [kept.id])
            return made

        return await self._database.run(act)

    def fresh(self, account: UUID | None, network: str, page_key: str = "") -> tuple[Draft, str]:
        """Return a new draft and its token.  The draft is stored together with its first file (`Uploads.create`)."""
        now = self._clock.now()
        until = now + EMPTY_LIVES
        draft = Draft(
            id=new_id(),
            owner=account,
            network=network,
            order_key=fresh_key(),
            order=None,
            is_done=False,
            merged_into=None,
            created_at=now,
            expires_at=until,
        )
        tag = token_tag(page_key) if page_key else ""
        return draft, tag + secrets.token_urlsafe(TOKEN_BYTES)

    # -- its files -----------------------------------------------------------------------------

    async def files(self, draft: Draft) -> list[DraftFile]:
        """Return the files of a draft, in the order in which they were chosen."""
        return await self._database.once(store.files, draft.id)

    async def file(self, draft: Draft, file: UUID) -> DraftFile:
        """Return one file of this draft.  Refuses `NotFound`."""
        found = await self._database.once(store.file, draft.id, file)
        if found is None:
            raise NotFound("no such file of this draft")
        return found

    async def content(self, file: DraftFile) -> bytes:
        """Return the bytes of a document that can be stamped.

        Refuses `FileNotReady`, `DocumentUnavailable`.
        """
        known = known_content(file)
        return await self._contents.get(known.sha256, known.old_name)

    async def place(
        self,
        draft: Draft,
        file: DraftFile,
        placements: Sequence[Placement],
        version: int | None = None,
    ) -> DraftFile:
        """Set the placements of a file; empty placements remove its stamps.

        `version` is the version of the file that the visitor saw, by default that of `file`.  A form that is sent
        twice is accepted.  Refuses `NotFound`, `FileNotReady`, `PlacedElsewhere` if the file has another version
        by now, and the refusals of `sealing` for placements.
        """
        seen = file.version if version is None else version
        if file.version != seen and file.placements == tuple(placements):
            return file
        _check_version(file, seen)
        if placements:
            with self.loads.shared(file) as load:
                await self._examination.check(draft.network, load, placements)
        placed = await self._database.once(
            store.place, draft.id, file.id, placements_json(placements), seen
        )
        if placed is None:
            now = await self.file(draft, file.id)
            if now.placements == tuple(placements):
                return now
            _check_version(now, seen)
            raise FileNotReady(f"the file is {file.state}")
        return placed

    async def take_out(self, draft: Draft, file: UUID) -> None:
        """Delete a file and its bytes; a missing file is ignored."""

        async def act(tx: Tx) -> None:
            gone = await store.take_out(tx, draft.id, file)
            if gone is not None:
                await self._objects.let_go(tx, [gone])

        await self._database.run(act)

    # -- orders --------------------------------------------------------------------------------

    async def finish(self, draft: Draft, order: UUID | None, ordered: Sequence[DraftFile]) -> None:
        """Record that these files of the draft were ordered, or stamped from the balance (`order` is then None).

        Files that were added meanwhile move into a new draft, unless they are refused or duplicates.  The bytes of the
        ordered files are kept, since the documents of the order already refer to them.
        """
        ids = [one.id for one in ordered]
        is_ours = await self._database.once(store.finish_whole, draft.id, order, ids)
        if is_ours is None:
            await self._finish_in_part(draft, order, ids)
        for one in ordered if is_ours else ():
            if one.old_content:  # no document refers to this object: its bytes were stored again
                await self._objects.remove(one.id, one.old_content)

    async def _finish_in_part(
        self, draft: Draft, order: UUID | None, ordered: Sequence[UUID]
    ) -> None:
        """Do the work of `finish` for a draft that also has files which were not ordered."""

        async def act(tx: Tx) -> None:
            locked = await store.lock(tx, [draft.id])
            if not locked or locked[0].is_done:
                return
            files = await store.files(tx, draft.id)
            again = duplicates(files)
            left = [
                one.id
                for one in files
                if one.id not in ordered and one.id not in again and one.state != FileState.REFUSED
            ]
            if left:
                other = replace(locked[0], id=new_id(), order_key=fresh_key())
                await store.add_draft(tx, other, hash_of(secrets.token_urlsafe(TOKEN_BYTES)))
                await store.move(tx, other.id, left)
            await store.finish(tx, draft.id, order, ordered)
            await self._objects.let_go(tx, [one for one in files if one.id not in left])

        await self._database.run(act)

    async def ordered(self, account: UUID, draft: UUID) -> Draft | None:
        """Return a done draft of this account, or the done draft into which it was merged; None if no such draft is kept."""
        found = await self._database.once(store.draft, draft)
        if found is not None and found.merged_into is not None:
            found = await self._database.once(store.draft, found.merged_into)
        return found if found and found.owner == account and found.is_done else None

    async def renew_key(self, draft: Draft) -> None:
        """Give a draft a new idempotency key, since its current key was used for an order of other files."""
        await self._database.once(store.renew_key, draft.id, draft.order_key, fresh_key())
