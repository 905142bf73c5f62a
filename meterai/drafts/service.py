"""Drafts: find the visitor's draft, read its files, place their stamps, take files out.

A draft is found by the token in a browser's cookie, or by the account; a draft of an account
is not found by the token alone.  The token of a browser may come from an earlier user of it, or from an attacker who
set the cookie: so each page that uploads replaces the token of the draft, and the old token finds nothing.
A draft becomes an account's by an act of a visitor who has both: a sign-in
from a page of the draft, or a button.  Being signed in is not enough: on a shared phone, or
behind the sign-in link of another person's mail, the account is another person's.
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
RENEWED_EVERY = timedelta(minutes=10)  # a draft that is read often is renewed seldom


def _check_version(file: DraftFile, seen: int) -> None:
    if file.version != seen:
        raise PlacedElsewhere(f"version {seen} was looked at, it is {file.version}")


def known_content(file: DraftFile) -> KnownContent:
    """Return the stored document of a file, for an order without its bytes.  Refuses `FileNotReady`."""
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
        # Limit of one order.  The drafts of two devices may together have more files, and none may be lost.
        self.files_max = settings.of(StampingSettings).stampings_per_order_max
        self.cookie_seconds = self._settings.draft_lives_seconds_max
        self.process = settings.process  # names the cookie
        self._clock = clock

    # -- owner of a draft -----------------------------------------------------------------------

    async def current(self, token: str, account: UUID | None) -> Draft | None:
        """Return the draft of a visitor, or None, and renew it.

        It is the account's, whose drafts are merged into one, else the one without an account in this browser.
        """
        found = await self._found(token, account)
        own = [one for one in found if one.owner is not None]
        if len(own) > 1:
            return await self._merged(own, account)
        return await self._renewed((own or found)[0]) if found else None

    async def current_files(
        self, token: str, account: UUID | None
    ) -> tuple[Draft | None, list[DraftFile]]:
        """Return the draft of a visitor, as `current` finds it, and its files: nearly always one statement."""
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
        """Return the draft of a visitor, and the token that finds it: another one if a page with this
        key has uploaded to the draft, and the answer that set the cookie was lost.
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
        """Return the draft that a page with this key uploads to, and the token that finds it from now on.

        A page without a key gets another token with each upload, and loses the draft with a lost answer.
        """
        page_key = page_key or secrets.token_urlsafe(TOKEN_BYTES)
        found, shown = await self.shown_draft(token, page_key, account)
        ours = next_token(token, page_key)
        if found is None or found.owner is not None or shown == ours:
            return found, shown
        await self._database.once(store.renew_token, hash_of(token), hash_of(ours))
        # Another page may have been first; then this one finds nothing by the token that it showed.
        return await self.current(ours, account), ours

    async def _found(self, token: str, account: UUID | None) -> list[Draft]:
        """Return the open drafts of an account, and the one without an account that a token finds."""
        if not token and account is None:
            return []
        hashed, now = hash_of(token), self._clock.now()
        found = await self._database.once(store.open_for, hashed, account, now)
        return [one for one in found if one.owner in (None, account)]

    async def files_apart(self, token: str, account: UUID) -> list[DraftFile]:
        """Return the files that this browser chose and that are not in the signed-in account."""
        found = await self._found(token, account)
        apart = next((one for one in found if one.owner is None), None)
        return await self.files(apart) if apart is not None else []

    def mark(self, token: str) -> str:
        """Return the mark of a sign-in that begins at a page of this draft."""
        return sign_in_mark(token, self._clock.now())

    async def adopt_by_mark(self, token: str, account: UUID, mark: str) -> None:
        """Make this browser's draft the account's, after a sign-in from a page of the draft.

        Nothing happens if the sign-in began elsewhere, or too long ago.
        """
        if is_sign_in_mark(mark, token, self._clock.now()):
            await self.adopt(token, account)

    async def adopt(self, token: str, account: UUID) -> Draft | None:
        """Make the draft of this browser the account's, and merge it with the account's own draft; no file is
        lost.  Returns the result, or None if the browser had no draft without an account.
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
        """True if this browser began a draft that opens only after a sign-in of its owner."""
        if not token:
            return False
        now = self._clock.now()
        return await self._database.once(store.is_kept_for_an_owner, hash_of(token), now)

    async def done_here(self, token: str, account: UUID | None) -> Draft | None:
        """Return the draft of this account that this browser began last, if it was ordered or stamped from
        the balance: the answer may have been lost.
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
        """Return a draft that begins with its first file (`Uploads.create`) from a page with this key, and the token
        that finds it.
        """
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
        """Return the files of a draft, in the order of choice."""
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
        """Set the placements of a file that was just read; none removes its stamps.

        `version` is that of the file which the visitor saw.  A form that is sent twice finds its own
        placements.  Refuses `NotFound`, `FileNotReady`, `PlacedElsewhere` if the file has another version
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
        """Forget a file and its bytes; a missing one is ignored."""

        async def act(tx: Tx) -> None:
            gone = await store.take_out(tx, draft.id, file)
            if gone is not None:
                await self._objects.let_go(tx, [gone])

        await self._database.run(act)

    # -- orders --------------------------------------------------------------------------------

    async def finish(self, draft: Draft, order: UUID | None, ordered: Sequence[DraftFile]) -> None:
        """Record that these files of the draft were ordered, or stamped from the balance (no order).

        Files that were added meanwhile, and are not known to be useless, move into a draft of their own.  The
        documents of an order want the bytes of the others, and wanted them before this.
        """
        ids = [one.id for one in ordered]
        is_ours = await self._database.once(store.finish_whole, draft.id, order, ids)
        if is_ours is None:
            await self._finish_in_part(draft, order, ids)
        for one in ordered if is_ours else ():
            if one.old_content:  # no document wants it: its bytes were stored again
                await self._objects.remove(one.id, one.old_content)

    async def _finish_in_part(
        self, draft: Draft, order: UUID | None, ordered: Sequence[UUID]
    ) -> None:
        """Do the same for a draft that has other files too."""

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
        """Return a done draft of this account if it is still kept, or the draft that has its files now."""
        found = await self._database.once(store.draft, draft)
        if found is not None and found.merged_into is not None:
            found = await self._database.once(store.draft, found.merged_into)
        return found if found and found.owner == account and found.is_done else None

    async def renew_key(self, draft: Draft) -> None:
        """Give a draft another idempotency key: the order under its own key was for something else."""
        await self._database.once(store.renew_key, draft.id, draft.order_key, fresh_key())
