"""Cached sums of stored bytes: in all drafts, in drafts without an account, and in drafts of each network.

Additions are checked against the limit of each sum.
"""

from dataclasses import dataclass, replace
from time import monotonic

from meterai.drafts import store
from meterai.drafts.model import Draft, DraftsFull, NetworkFull, StrangersFull
from meterai.drafts.settings import DraftSettings
from meterai.plumbing.db.database import Database

# Reading a sum reads the row of every file in its drafts, so a process reads each sum at most this often.  In
# between it counts only the bytes that it added: with those of other processes a limit may be exceeded.
READ_SECONDS = 5.0
# Names of the two sums that belong to no network.
_ALL = ""
_STRANGERS = "strangers"
# Share of the bytes of all drafts that drafts without an account may use, from all networks together.  The rest is
# for accounts.
STRANGERS_SHARE = 0.75


@dataclass(slots=True)
class _Sum:
    bytes: int
    drafts: int  # number of drafts without an account; counted only for a network
    read_at: float


class Holdings:
    """Sums of the bytes in drafts, at most `READ_SECONDS` old."""

    def __init__(self, database: Database, limits: DraftSettings) -> None:
        self._database = database
        self._limits = limits
        self._sums: dict[str, _Sum] = {}

    async def check(self, draft: Draft, held: int, size: int, *, begins: bool) -> None:
        """Check that `size` bytes may be added to a draft that has `held` bytes; `begins` is True for a new draft.

        Each account has a guaranteed number of bytes, to which the limit of its network does not apply.  Refuses `NetworkFull`,
        `StrangersFull`, `DraftsFull`.
        """
        if draft.owner is None or held + size > self._limits.account_bytes_min:
            await self._check_networks(draft, size, begins=begins and draft.owner is None)
        if draft.owner is None:
            of_strangers = await self._held(_STRANGERS)
            if of_strangers + size > self._limits.drafts_bytes_max * STRANGERS_SHARE:
                raise StrangersFull(f"{of_strangers} bytes of strangers' drafts")
        of_all = await self._held(_ALL)
        if of_all + size > self._limits.drafts_bytes_max:
            raise DraftsFull(f"{of_all} bytes of all drafts")

    async def _check_networks(self, draft: Draft, size: int, *, begins: bool) -> None:
        bounds = dict(store.bounded_networks(draft.network))
        if old := self._begin_to_read(*bounds):
            for one in await self._database.once(store.networks, old):
                self._sums[one.name].bytes, self._sums[one.name].drafts = one.bytes, one.drafts
        for network, times in bounds.items():
            held = self._sums[network]
            if held.bytes + size > times * self._limits.draft_bytes_per_network_max:
                raise NetworkFull(f"{held.bytes} bytes of {network}")
            # The statement that adds the draft counts again; this check avoids work that would be refused.
            if begins and held.drafts >= times * self._limits.drafts_per_network_max:
                raise NetworkFull(f"{held.drafts} drafts of {network}")

    def add(self, draft: Draft, size: int) -> None:
        """Add `size` bytes of a draft to the cached sums."""
        networks = {name for name, _ in store.bounded_networks(draft.network)}
        for of in (*networks, _ALL) if draft.owner else (*networks, _STRANGERS, _ALL):
            if of in self._sums:
                self._sums[of].bytes += size

    async def _held(self, of: str) -> int:
        if self._begin_to_read(of):
            query = store.all_bytes if of == _ALL else store.strangers_bytes
            self._sums[of].bytes = await self._database.once(query)
        return self._sums[of].bytes

    def _begin_to_read(self, *names: str) -> list[str]:
        """Return those of the named sums that are too old; the caller must read them now.

        Their time of reading is already set to the present, so that no other caller reads them at the same time.
        """
        now = monotonic()
        young = {name: one for name, one in self._sums.items() if now - one.read_at < READ_SECONDS}
        old = [name for name in names if name not in young]
        if old:
            begun = {name: self._sums.get(name, _Sum(0, 0, now)) for name in old}
            self._sums = young | {name: replace(one, read_at=now) for name, one in begun.items()}
        return old
