"""`meterai up`: all processes on one machine, for development and rehearsal.

The parent prepares database, keys and ports, starts web, worker and stand-ins as child processes, restarts processes
that die, and stops all when requested.
"""

import json
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import structlog

from meterai.commands import database_of, is_embedded
from meterai.draw import DrawSettings
from meterai.installation.instance import (
    PortTaken,
    free_port,
    holding,
    is_free,
    remember,
    sole_owner,
    standins_directory,
)
from meterai.installation.parts import ServerProcess, Stopping, telling, wait_for
from meterai.installation.settings import StandinSettings
from meterai.installation.standin_banks import port_of, standin_banks
from meterai.kit.clock import SystemClock
from meterai.notifications import NotificationSettings
from meterai.payments import SnapSettings, client_secret, midtrans, signing_key, snap
from meterai.plumbing.config import Settings
from meterai.plumbing.db.embedded import EmbeddedPostgres, PostgresNotStarted
from meterai.plumbing.db.migrations import migrate
from meterai.plumbing.keyring import keyring_of, new_secret, write_once
from meterai.stamping import issuers_of

_log = structlog.get_logger()


def _with_ports(settings: Settings) -> Settings:
    """Return the settings with a free port for each process; ports of the last start are used again if they are free."""
    if settings.process.port and not is_free(settings.process.host, settings.process.port):
        raise PortTaken(settings.process.port)
    for bank in standin_banks(settings):
        if not is_free(settings.process.host, port_of(bank)):
            raise PortTaken(port_of(bank))
    host, standins = settings.process.host, settings.of(StandinSettings)
    chosen = [settings.process.port or free_port(host, 0)]
    for there, wanted in (
        (host, standins.bank_port),
        (host, standins.mail_port),
        (host, settings.of(NotificationSettings).smtp_port),
        (host, standins.drand_port),
        ("127.0.0.1", settings.process.metrics_port),
        (host, standins.midtrans_port),
    ):
        chosen.append(free_port(there, wanted, besides=chosen))
    port, first, mail, smtp, drand, metrics, aggregator = chosen
    # If a drand chain is configured, its relays are configured too, and the stand-in is not used.
    is_named = settings.of(DrawSettings).waiting_room_drand_chain
    relay = f"http://{host}:{drand}"
    beacon = (
        {}
        if is_named
        else {
            "waiting_room_drand_urls": relay,
            "waiting_room_drand_chain": str(_chain_file(settings)),
        }
    )
    return settings.replaced(
        port=port,
        bank_port=first,
        mail_port=mail,
        smtp_port=smtp,
        metrics_port=metrics,
        bank_url=f"http://{host}:{first}",
        drand_port=drand,
        midtrans_port=aggregator,
        midtrans_url=f"http://{host}:{aggregator}",
        **beacon,
    )


def _chain_file(settings: Settings) -> Path:
    return standins_directory(settings) / "drand-chain.json"


def prepare_keys(settings: Settings) -> None:
    """Make the keys of an installation for development, and the keys of its stand-ins."""
    # Imported here because the stand-ins need not be installed outside development.
    from standins import bank_keys, drand_chain  # noqa: PLC0415

    keyring = keyring_of(settings)
    signing_key(keyring)
    client_secret(settings, keyring)
    if midtrans.is_configured(settings):
        server_key = f"SB-Mid-server-{new_secret().hex()}"
        write_once(keyring.directory / midtrans.SERVER_KEY_FILE, server_key.encode())
    folder = standins_directory(settings)
    _write_public(keyring.directory / "bank.pub.pem", bank_keys(folder))
    for bank in standin_banks(settings):
        keyring.rsa_key(bank.key_file("signing"))
        snap.secret_of(bank, keyring)
        _write_public(keyring.directory / bank.key_file("bank"), bank_keys(folder, bank.name))
    chain = drand_chain(folder)
    _chain_file(settings).write_text(json.dumps(chain.info()))
    issuers_of(settings, SystemClock(), may_make=True)


def _write_public(path: Path, public: bytes) -> None:
    if write_once(path, public) != public:
        path.write_bytes(public)


def up(settings: Settings, tell: Callable[[str], None]) -> None:
    """Run all processes until SIGINT or SIGTERM; `tell` gets lines with their addresses. Refuses `AlreadyRunning`,
    `PortTaken`, `DatabaseMissing`, `NotReady`.
    """
    stopping = Stopping()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)

    with ExitStack() as stack:
        stack.enter_context(sole_owner(settings))
        chosen = _with_ports(settings)
        stack.enter_context(holding(chosen.process.port, "up"))
        embedded = EmbeddedPostgres(settings.process.directory)
        with telling("the database"):
            found = database_of(chosen, embedded, may_make=True)
            ready = stack.enter_context(found)
        _remember(ready)
        with telling("migrations"):
            migrate(ready.process.database_url)
        prepare_keys(ready)
        bank = ready.of(SnapSettings).bank_url
        web = f"http://{ready.process.host}:{ready.process.port}"
        parts: list[ServerProcess] = []
        try:
            parts.append(ServerProcess("standins", ready, f"{bank}/healthz"))
            wait_for(parts, stopping)
            parts += [ServerProcess("worker", ready), ServerProcess("web", ready, f"{web}/readyz")]
            wait_for(parts[1:], stopping)
            if not stopping.is_set:
                tell(f"bank {bank}")
                for other in standin_banks(ready):
                    tell(f"bank {other.name} {other.url}")
                if midtrans.is_configured(ready):
                    tell(f"midtrans {ready.of(midtrans.MidtransSettings).midtrans_url}")
                tell(f"mail http://{ready.process.host}:{ready.of(StandinSettings).mail_port}")
                tell(f"metrics http://127.0.0.1:{ready.process.metrics_port}/metrics")
                tell(f"ready {web}")
            while not stopping.wait(0.2):
                if is_embedded(settings):
                    _revive(embedded)
                for part in parts:
                    part.revive()
        finally:
            for part in reversed(parts):
                part.stop()


def _revive(embedded: EmbeddedPostgres) -> None:
    """Restart the embedded database if it died. If the restart fails, web processes answer 503 until a later restart
    succeeds.
    """
    try:
        if embedded.revive():
            _log.warning("database_died")
    except PostgresNotStarted as fault:
        _log.error("database_not_started", log=str(fault))


def _remember(settings: Settings) -> None:
    chosen = {
        name: settings.flat()[name]
        for name in (
            "host",
            "bank_url",
            "bank_port",
            "midtrans_url",
            "midtrans_port",
            "mail_port",
            "smtp_port",
            "metrics_port",
            "port",
        )
    }
    remember(settings, **chosen)
