"""Drafts: find the one of a visitor, look at its files, place their stamps, take files out.

A draft is found by the token that a browser's cookie has, or by the account; once it is an account's
nobody finds it by the token alone.  A browser may have its token of somebody else, who used it before or set
its cookie: so each page that uploads has the draft found by another from then on, and by that one no more.
It becomes an account's by an act of whoever holds both: signing in
from a page of it, or a button that says so.  To be signed in is none: on a phone that several use, or
behind the sign-in link of somebody else's mail, it is the account of another.
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
    hash_of,
    is_sign_in_mark,
    next_token,
    sign_in_mark,
    token_tag,
    twins,
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
RENEWED_EVERY = timedelta(minutes=10)  # what is looked at often is written seldom


def _check_version(file: DraftFile, seen: int) -> None:
    if file.version != seen:
        raise PlacedElsewhere(f"version {seen} was looked at, it is {file.version}")


def known_content(file: DraftFile) -> KnownContent:
    """The stored document of a file, for an order without its bytes.  Refuses `FileNotReady`."""
    if not file.is_usable or file.sha256 is None or file.pages is None:
        raise FileNotReady(f"the file is {file.state}")
    return KnownContent(file.sha256, file.size, file.pages, file.rules, file.old_name)


class DraftService:
    """Drafts and their files, but for how bytes come in (`Uploads`)."""

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
        # Of one order.  The drafts of two devices may have more together, which nobody is to lose.
        self.files_max = settings.of(StampingSettings).stampings_per_order_max
        self.cookie_seconds = self._settings.draft_lives_seconds_max
        self.process = settings.process  # by which the cookie is called
        self._clock = clock

    # -- whose ---------------------------------------------------------------------------------

    async def current(self, token: str, account: UUID | None) -> Draft | None:
        """The draft of a visitor, or None.  Whoever asks uses it: it is kept for longer.

        It is that of the account, of whose drafts one is made, else that of nobody in this browser.
        """
        found = await self._found(token, account)
        own = [one for one in found if one.owner is not None]
        if len(own) > 1:
            return await self._made_one(own, account)
        return await self._renewed((own or found)[0]) if found else None

    async def current_files(
        self, token: str, account: UUID | None
    ) -> tuple[Draft | None, list[DraftFile]]:
        """The draft of a visitor, as `current` finds it, and its files: nearly always one statement."""
        if not token and account is None:
            return None, []
        hashed, now = hash_of(token), self._clock.now()
        opened = await self._database.once(store.open_with_files, hashed, account, now)
        found = [one for one in opened if one[0].owner in (None, account)]
        own = [one for one in found if one[0].owner is not None]
        if len(own) > 1:
            made = await self._made_one([draft for draft, _ in own], account)
            return made, await self.files(made) if made else []
        if not found:
            return None, []
        draft, files = (own or found)[0]
        return await self._renewed(draft), files

    async def seen_from(
        self, token: str, page_key: str, account: UUID | None
    ) -> tuple[Draft | None, str]:
        """The draft of a visitor, and the token that finds it: another than this one where a page with this
        key has uploaded to it, and the answer that set the cookie was lost."""
        ours = next_token(token, page_key) if page_key else token
        for one in dict.fromkeys((ours, token)):
            found = await self.current(one, account)
            if found is not None:
                return found, token if found.owner else one
        return None, token

    async def uploaded_to(
        self, token: str, page_key: str, account: UUID | None
    ) -> tuple[Draft | None, str]:
        """The draft that a page with this key uploads to, and the token that finds it from now on.

        A page that says no key gets another token with each upload, and none by a lost answer.
        """
        page_key = page_key or secrets.token_urlsafe(TOKEN_BYTES)
        found, shown = await self.seen_from(token, page_key, account)
        ours = next_token(token, page_key)
        if found is None or found.owner is not None or shown == ours:
            return found, shown
        await self._database.once(store.renew_token, hash_of(token), hash_of(ours))
        # Another page may have been first; then this one finds nothing by the token that it showed.
        return await self.current(ours, account), ours

    async def _found(self, token: str, account: UUID | None) -> list[Draft]:
        """The open drafts of an account, and that of nobody that a token finds."""
        if not token and account is None:
            return []
        hashed, now = hash_of(token), self._clock.now()
        found = await self._database.once(store.open_for, hashed, account, now)
        return [one for one in found if one.owner in (None, account)]

    async def files_apart(self, token: str, account: UUID) -> list[DraftFile]:
        """Files that this browser chose, and that are not in the account which is signed in."""
        found = await self._found(token, account)
        apart = next((one for one in found if one.owner is None), None)
        return await self.files(apart) if apart is not None else []

    def mark(self, token: str) -> str:
        """What signing in leads back with that begins at a page of this draft."""
        return sign_in_mark(token, self._clock.now())

    async def adopt_by_mark(self, token: str, account: UUID, mark: str) -> None:
        """Somebody signed in from a page of this browser's draft: it becomes the account's.

        Nothing happens where the sign-in began elsewhere, or too long ago.
        """
        if is_sign_in_mark(mark, token, self._clock.now()):
            await self.adopt(token, account)

    async def adopt(self, token: str, account: UUID) -> Draft | None:
        """The draft of this browser becomes the account's; with one it had it is made one, and
        nothing is lost.  Says what it is then, where there was one of nobody."""
        if not token:
            return None
        hashed, now = hash_of(token), self._clock.now()
        alone = await self._database.once(store.adopt_alone, hashed, account, now)
        if alone is not None:
            return alone
        found = await self._found(token, account)
        is_apart = any(one.owner is None for one in found)
        return await self._made_one(found, account) if is_apart else None

    async def _renewed(self, draft: Draft) -> Draft:
        until = self._settings.until(draft.created_at, self._clock.now())
        if until - draft.expires_at < RENEWED_EVERY:
            return draft
        return await self._database.once(store.renew, draft.id, until) or draft

    async def is_kept_for_its_owner(self, token: str) -> bool:
        """Whether this browser began a draft that opens only once its owner signs in."""
        if not token:
            return False
        now = self._clock.now()
        return await self._database.once(store.is_kept_for_an_owner, hash_of(token), now)

    async def done_here(self, token: str, account: UUID | None) -> Draft | None:
        """The draft of this account that this browser began last, where it was ordered, or stamped from
        the balance: the answer that said so may have been lost."""
        if not token or account is None:
            return None
        return await self._database.once(store.done_for, hash_of(token), account, self._clock.now())

    async def _made_one(self, drafts: Sequence[Draft], account: UUID | None) -> Draft | None:
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
        """A draft that begins with its first file (`Uploads.create`) from a page with this key, and the token
        that finds it."""
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
        """The files of a draft, in the order they were chosen."""
        return await self._database.once(store.files, draft.id)

    async def file(self, draft: Draft, file: UUID) -> DraftFile:
        """One file of this draft.  Refuses `NotFound`."""
        found = await self._database.once(store.file, draft.id, file)
        if found is None:
            raise NotFound("no such file of this draft")
        return found

    async def content(self, file: DraftFile) -> bytes:
        """The bytes of a document that can be stamped.

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
        """Say where the stamps of a file go, as it was found a moment ago; no placement takes them off again.

        `version` is that of the file which somebody looked at.  A form that is sent twice finds its own
        placements.  Refuses `NotFound`, `FileNotReady`, `PlacedElsewhere` where the file has another version
        by now, and what `sealing` refuses of placements.
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
        """Forget a file and its bytes; one that is not there is out already."""

        async def act(tx: Tx) -> None:
            gone = await store.take_out(tx, draft.id, file)
            if gone is not None:
                await self._objects.let_go(tx, [gone])

        await self._database.run(act)

    # -- ordered -------------------------------------------------------------------------------

    async def finish(self, draft: Draft, order: UUID | None, ordered: Sequence[DraftFile]) -> None:
        """These files of the draft were ordered, or stamped from the balance (no order).

        What came meanwhile, and is not known by now to be of no use, goes on in a draft of its own.  The
        documents of an order want the bytes of the others, and wanted them before this.
        """
        ids = [one.id for one in ordered]
        is_ours = await self._database.once(store.finish_whole, draft.id, order, ids)
        if is_ours is None:
            await self._finish_in_part(draft, order, ids)
        for one in ordered if is_ours else ():
            if one.old_content:  # which no document wants: its bytes were stored anew
                await self._objects.remove(one.id, one.old_content)

    async def _finish_in_part(
        self, draft: Draft, order: UUID | None, ordered: Sequence[UUID]
    ) -> None:
        """The same for a draft that has other files too."""

        async def act(tx: Tx) -> None:
            locked = await store.lock(tx, [draft.id])
            if not locked or locked[0].is_done:
                return
            files = await store.files(tx, draft.id)
            again = twins(files)
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
        """A draft of this account that is done, where it is still kept: that which has its files now."""
        found = await self._database.once(store.draft, draft)
        if found is not None and found.merged_into is not None:
            found = await self._database.once(store.draft, found.merged_into)
        return found if found and found.owner == account and found.is_done else None

    async def renew_key(self, draft: Draft) -> None:
        """Give a draft another key: what was ordered under its own was something else."""
        await self._database.once(store.renew_key, draft.id, draft.order_key, fresh_key())
