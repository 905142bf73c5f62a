"""The worker: effects of jobs, and the rounds that look for what is due."""

import asyncio
import signal
from collections.abc import Mapping, Sequence

from meterai import notifications
from meterai.apps.container import House, open_house
from meterai.apps.retention import Retention
from meterai.notifications import jobs as notification_jobs
from meterai.orders import jobs as order_jobs
from meterai.payments import jobs as payment_jobs
from meterai.plumbing import dead_jobs, telemetry
from meterai.plumbing.config import Settings
from meterai.plumbing.jobs import Effect, Rounds, Sweep, Worker
from meterai.refunds import jobs as refund_jobs
from meterai.stamping import jobs as stamping_jobs
from meterai.stamps import jobs as stamp_jobs

WATCH_SECONDS = 15.0
# Nobody waits for a worker: what is locked is tried again later, and its place is for another.
LOCK_WAIT_MS_MAX = 1_000


def effects(house: House) -> Mapping[str, Sequence[Effect]]:
    """Who listens to what.  Every kind of job that is ever emitted is here; a test compares."""
    return {
        "sign_in_asked": [notification_jobs.queue_sign_in_code],
        "notification_received": [payment_jobs.take_from_inbox],
        "payment_captured": [order_jobs.settle],
        "payment_declined": [order_jobs.offer_again],
        "payment_denied": [refund_jobs.take_denial],
        "payment_refunded": [refund_jobs.take_refund_news],
        "order_paid": [stamping_jobs.reserve_for(house.stamping)],
        "order_executed": [order_jobs.tell_executed],
        "order_lapsed": [],  # late money may still come: its documents wait
        "order_withdrawn": [stamping_jobs.drop_waiting],
        "order_returning": [stamping_jobs.drop_waiting],
        "order_returned": [],
        "order_denied": [stamping_jobs.drop_waiting],
        "money_to_return": [refund_jobs.return_money_for(house.refunds)],
        "stamping_delivered": [
            stamp_jobs.enter_directory,
            stamping_jobs.finish_order,
            stamping_jobs.tell_delivered,
        ],
        "stamping_failed": [
            refund_jobs.return_unstamped_for(house.refunds),
            stamping_jobs.finish_order,
            stamping_jobs.tell_failed,
        ],
        "refund_requested": [refund_jobs.tell_requested],
        "refund_settled": [refund_jobs.tell_settled],
    }


def rounds(house: House) -> Sequence[Rounds]:
    """What is looked for by state, and how long each round rests when it finds nothing."""
    return [
        Rounds("open_payments", house.payments.open_waiting, 0.1),
        Rounds("ask_about_payments", house.payments.ask_waiting, 0.5),
        Rounds("cancel_payments", house.payments.cancel_closed, 0.5),
        Rounds("lapse_orders", house.orders.lapse_unpaid, 1.0),
        Rounds("execute_orders", house.orders.execute_paid, 1.0),
        Rounds("resume_stampings", house.stamping.resume, 0.1),
        Rounds("turn_money_round", house.refunds.turn_round, 1.0),
        Rounds("send_refunds", house.refunds.send_due, 0.2),
        Rounds("watch_suspense", house.suspense.watch, 10.0),
        Rounds("watch_queues", watch_queues(house), WATCH_SECONDS),
        Rounds("forget_documents", house.documents.forget_old, 60.0),
        *Retention(house.database, house.clock).rounds(),
        Rounds("sweep_objects", house.documents.sweep, 600.0),
    ]


def watch_queues(house: House) -> Sweep:
    """Tell the metrics how the queues stand."""

    async def watch() -> int:
        async with house.database.transaction() as tx:
            counts = await dead_jobs.counts(tx)
            mails = await notifications.count_given_up(tx)
        telemetry.JOBS_FAILING.set(counts["failing"])
        telemetry.JOBS_LATE.set(counts["late_seconds"])
        telemetry.GIVEN_UP.labels(queue="jobs").set(counts["dead"])
        telemetry.GIVEN_UP.labels(queue="mails").set(mails)
        telemetry.QUEUES_SEEN.set_to_current_time()
        return 0

    return watch


async def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then finish what is begun.  Refuses `StoreDiffers`."""
    telemetry.configure(
        level=settings.log_level, as_json=settings.environment == "production", who="worker"
    )
    async with open_house(settings, lock_wait_ms=LOCK_WAIT_MS_MAX) as house:
        await house.documents.check_store()
        worker = Worker(
            house.database,
            effects(house),
            rounds(house),
            concurrency=settings.worker_concurrency,
            lanes=[house.mails.lane()],
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, worker.stop)
        await worker.run()
