"""Bytes that all drafts hold, those of strangers, of one network and of the widest around it, and their limits."""

from dataclasses import dataclass
from time import monotonic

from meterai.drafts import store
from meterai.drafts.model import Draft, DraftsFull, NetworkFull, StrangersFull
from meterai.drafts.settings import DraftSettings
from meterai.plumbing.database import Database

# A sum reads every file of the drafts it is of, so a process reads it as seldom as this.  Meanwhile it
# counts what it lets in itself; what others do may pass a limit by as much.
READ_SECONDS = 5.0
# No network is called so.
_ALL = ""
_STRANGERS = "strangers"
# The share of all drafts' room for those of nobody's account: whoever fills it, by however many networks, leaves
# the rest to who signs in.
STRANGERS_SHARE = 0.75


@dataclass(slots=True)
class _Sum:
    bytes: int
    read_at: float


class Holdings:
    """What is held, as of a moment ago."""

    def __init__(self, database: Database, limits: DraftSettings) -> None:
        self._database = database
        self._limits = limits
        self._sums: dict[str, _Sum] = {}

    async def check(self, draft: Draft, held: int, size: int) -> None:
        """Whether so many bytes more may come to a draft that holds `held`.

        What every account may have takes none of its network's room.  Refuses `NetworkFull`,
        `StrangersFull`, `DraftsFull`.
        """
        if draft.owner is None or held + size > self._limits.account_bytes_min:
            for network, times in store.bounded_networks(draft.network):
                of_network = await self._held(network)
                if of_network + size > times * self._limits.draft_bytes_per_network_max:
                    raise NetworkFull(f"{of_network} bytes of {network}")
        if draft.owner is None:
            of_strangers = await self._held(_STRANGERS)
            if of_strangers + size > self._limits.drafts_bytes_max * STRANGERS_SHARE:
                raise StrangersFull(f"{of_strangers} bytes of strangers' drafts")
        of_all = await self._held(_ALL)
        if of_all + size > self._limits.drafts_bytes_max:
            raise DraftsFull(f"{of_all} bytes of all drafts")

    def add(self, draft: Draft, size: int) -> None:
        """So many bytes came to a draft."""
        networks = {name for name, _ in store.bounded_networks(draft.network)}
        for of in (*networks, _ALL) if draft.owner else (*networks, _STRANGERS, _ALL):
            if of in self._sums:
                self._sums[of].bytes += size

    async def _held(self, of: str) -> int:
        now = monotonic()
        known = self._sums.get(of)
        if known is None or now - known.read_at >= READ_SECONDS:
            self._sums = {
                name: one for name, one in self._sums.items() if now - one.read_at < READ_SECONDS
            }
            # Before it is read: others need not ask meanwhile.
            known = self._sums[of] = _Sum(known.bytes if known else 0, now)
            known.bytes = await self._read(of)
        return known.bytes

    async def _read(self, of: str) -> int:
        if of == _ALL:
            return await self._database.once(store.all_bytes)
        if of == _STRANGERS:
            return await self._database.once(store.strangers_bytes)
        return await self._database.once(store.network_bytes, of)
