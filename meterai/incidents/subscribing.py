"""Subscriptions to mails about incidents: confirmed by a mail, served in batches, ended with one click."""

import hmac
from base64 import b32encode
from collections import Counter
from datetime import timedelta
from uuid import UUID

from meterai import notifications
from meterai.accounts import NOBODY, normalized
from meterai.incidents import store
from meterai.incidents.model import (
    Incident,
    StatusUpdate,
    Subscriber,
    SubscriptionUnknown,
    TooManySubscriptions,
)
from meterai.incidents.settings import IncidentSettings
from meterai.incidents.steps import one
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id, read, show
from meterai.plumbing.db.database import Database, Tx
from meterai.plumbing.messages import LANGUAGES, translate
from meterai.plumbing.networks import Buckets, nested, provider

PURPOSE = "subscriptions to incidents"  # purpose from which the key of the links is derived
KIND = "sub"
PATH = "/status/subscription"
TELLING = "tell_subscribers"  # name of the periodic task
AN_HOUR = timedelta(hours=1)
# Share of one provider's network in the hour's remaining mails, in one web process: a dozen leave a third to others.
PROVIDERS = 10
BATCH = 100  # mails in one transaction
# Mails to subscribers that wait at once: tens of thousands would delay the receipts of buyers.
WAITING_MAX = 300


class Subscriptions:
    """Addresses that get a mail about each update of an incident."""

    def __init__(
        self, database: Database, key: bytes, settings: IncidentSettings, clock: Clock
    ) -> None:
        self._database = database
        self._key = key
        self._clock = clock
        self._most = settings.subscriptions_per_hour_max
        most = settings.subscriptions_per_hour_per_network_max
        self._networks = Buckets(most, AN_HOUR.total_seconds())
        self._asked: Counter[str] = Counter()  # mails in this hour, by provider
        self._counted_from = clock.now()

    def path(self, subscriber: UUID) -> str:
        """Return the path of a subscription's page; only mails to the subscriber contain this path."""
        return f"{PATH}/{show(KIND, subscriber)}/{self._secret(subscriber)}"

    def _secret(self, subscriber: UUID) -> str:
        made = hmac.digest(self._key, subscriber.bytes, "sha256")[:15]
        return b32encode(made).decode().lower()

    def opened(self, shown: str, secret: str) -> UUID:
        """Return the id of the subscription that a link is for.  Refuses `NotFound`, `SubscriptionUnknown`."""
        found = read(KIND, shown)
        if not (secret.isascii() and hmac.compare_digest(secret, self._secret(found))):
            raise SubscriptionUnknown("the link was not made by us")
        return found

    async def ask(self, email: str, language: str, network: str) -> None:
        """Send a confirmation mail to an address that is not subscribed.

        The caller does not learn whether a mail was sent.  Refuses `Malformed`, `TooManySubscriptions`.
        """
        address = normalized(email)
        if not self._networks.take(nested(network)):
            raise TooManySubscriptions("the limit of subscriptions of a network is reached")
        now, wide = self._clock.now(), provider(network)
        if now - self._counted_from >= AN_HOUR:
            self._counted_from = now
            self._asked.clear()

        async def act(tx: Tx) -> bool:
            left = self._most - await store.asked_since(tx, now - AN_HOUR)
            if PROVIDERS * self._asked[wide] >= left:
                raise TooManySubscriptions(
                    "the limit of mails in an hour, or to one mail provider, is reached"
                )
            asked = await store.ask(tx, new_id(), address, language, now)
            if asked is not None:
                await notifications.queue_to(
                    tx,
                    NOBODY,
                    address,
                    language,
                    f"incident_subscribe:{asked}:{now.date()}",
                    template="incident_subscribe",
                    facts={"path": self.path(asked)},
                )
            return asked is not None

        if await self._database.run(act):
            self._asked[wide] += 1

    async def subscriber(self, subscriber: UUID) -> Subscriber:
        """Return one subscriber, confirmed or not.  Refuses `SubscriptionUnknown`."""
        found = await self._database.once(store.subscriber, subscriber)
        if found is None:
            raise SubscriptionUnknown("it has ended")
        return found

    async def confirm(self, subscriber: UUID) -> None:
        """Store that the owner of an address confirmed its subscription."""
        await self._database.once(store.confirm, subscriber, self._clock.now())

    async def end(self, subscriber: UUID) -> None:
        """End a subscription and delete its address."""
        await self._database.once(store.unsubscribe, subscriber)

    async def tell(self) -> int:
        """Periodic task: queue the next mails about an update; return the number of subscribers handled in this run."""
        return await self._database.run(self._tell)

    async def _tell(self, tx: Tx) -> int:
        mailing = await store.next_mailing(tx)
        if (
            mailing is None
            or await notifications.waiting_of(tx, NOBODY, WAITING_MAX) >= WAITING_MAX
        ):
            return 0
        incident = await one(tx, mailing.incident)
        said = next(update for update in incident.updates if update.id == mailing.update)
        people = await store.subscribers(tx, mailing.told_to, BATCH)
        for subscriber in people:
            await self._queue(tx, subscriber, incident, said)
        if len(people) < BATCH:
            await store.end_mailing(tx, mailing)
        else:
            await store.set_last_told(tx, mailing, people[-1].id)
        return len(people)

    async def _queue(
        self, tx: Tx, subscriber: Subscriber, incident: Incident, said: StatusUpdate
    ) -> None:
        if subscriber.confirmed_at is None or subscriber.confirmed_at > said.at:
            return  # who subscribed after the update can read it on the page
        states = {language: translate(f"incident.{said.state}", language) for language in LANGUAGES}
        await notifications.queue_to(
            tx,
            NOBODY,
            subscriber.email,
            subscriber.language,
            f"incident_told:{said.id}:{subscriber.id}",
            template="incident_told",
            facts={
                "title": dict(incident.title),
                "state_now": states,
                "words": dict(said.text),
                "incident": incident.shown,
                "unsubscribe": self.path(subscriber.id),
            },
        )
