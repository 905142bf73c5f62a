"""The courier: brings notifications (service 52) to the merchant, signed with the bank's key.

A notification is delivered when the merchant answers 200 with responseCode 2005200.  Else it is
tried again after 1, 2, 4, 8 ... seconds, at most `WAIT_SECONDS_MAX` apart and `TRIES_MAX` times,
always with the same body and X-EXTERNAL-ID, freshly signed.  What waits is in the books: a
restart goes on where the bank stopped.
"""

import asyncio
import json
import logging
from collections.abc import Callable

import aiohttp
from yarl import URL

from standins import clock
from standins.bank.model import Letter, LetterState
from standins.bank.signing import PrivateKey, asymmetric_text
from standins.bank.store import Books
from standins.faults import Faults

TRIES_MAX = 20
FIRST_PAUSE_SECONDS = 1.0  # after the first try; every next pause is twice as long
WAIT_SECONDS_MAX = 30.0  # longest pause between two tries
ANSWER_SECONDS_MAX = 10.0  # how long the merchant may think
DELIVERIES_MAX = 32  # at the same time; protects a merchant from a bank that was down for long
CHANNEL_ID = "95221"

log = logging.getLogger(__name__)


class Courier:
    """Delivers to one merchant.  `on_news` is called when a delivery ended."""

    def __init__(
        self,
        books: Books,
        key: PrivateKey,
        target: str,
        partner_id: str,
        faults: Faults,
        on_news: Callable[[], None],
    ) -> None:
        self._books = books
        self._faults = faults
        self._key = key
        # As given: the path that is signed must be the path that is sent.
        self._target = URL(target, encoded=True)
        self._partner_id = partner_id
        self._on_news = on_news
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._session: aiohttp.ClientSession | None = None

    def send_what_is_due(self) -> float | None:
        """Start due deliveries; seconds until the next, None if the end of one comes first."""
        free = DELIVERIES_MAX - len(self._under_way)
        # Those under way are still `waiting` in the books, so as many more are asked for.
        for letter in self._books.waiting_letters(DELIVERIES_MAX + 1):
            if letter.external_id in self._under_way:
                continue
            if free == 0:
                return None
            wait = letter.due_at - clock.now_ms()
            if wait > 0:
                return wait / 1000
            free -= 1
            self._under_way[letter.external_id] = asyncio.create_task(self._deliver(letter))
        return None

    async def close(self) -> None:
        """Stop at once.  What was under way is tried again after the next start."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _deliver(self, letter: Letter) -> None:
        try:
            answers = await asyncio.gather(*(self._post(letter) for _ in range(letter.copies)))
            self._record(letter, is_delivered=any(answers))
        finally:
            self._under_way.pop(letter.external_id)
            self._on_news()

    def _record(self, letter: Letter, *, is_delivered: bool) -> None:
        tries = letter.attempts + 1
        if is_delivered:
            state = LetterState.DELIVERED
        else:
            state = LetterState.WAITING if tries < TRIES_MAX else LetterState.GIVEN_UP
            log.info("notification %s, try %d: %s", letter.external_id, tries, state)
        self._books.letter_tried(
            letter.external_id, state, clock.now_ms() + round(pause_seconds(tries) * 1000)
        )

    async def _post(self, letter: Letter) -> bool:
        ahead = round(self._faults.seconds("clock_ahead_seconds") * 1000)
        timestamp = clock.snap_time(clock.now_ms() + ahead)
        text = asymmetric_text("POST", self._target.raw_path_qs, letter.body, timestamp)
        headers = {
            "Content-Type": "application/json",
            "X-TIMESTAMP": timestamp,
            "X-SIGNATURE": self._key.sign(text),
            "X-PARTNER-ID": self._partner_id,
            "X-EXTERNAL-ID": letter.external_id,
            "CHANNEL-ID": CHANNEL_ID,
        }
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS_MAX)
            self._session = aiohttp.ClientSession(timeout=timeout)
        try:
            async with self._session.post(
                self._target, data=letter.body, headers=headers, allow_redirects=False
            ) as response:
                return response.status == 200 and _is_success(await response.read())
        except (aiohttp.ClientError, TimeoutError):
            return False


def pause_seconds(tries: int) -> float:
    """How long to wait after so many tries."""
    return min(FIRST_PAUSE_SECONDS * 2.0 ** (tries - 1), WAIT_SECONDS_MAX)


def _is_success(answer: bytes) -> bool:
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError):
        return False
    # Some partners write the code as a number.
    return isinstance(found, dict) and str(found.get("responseCode")) == "2005200"
