"""Configuration: one flat list of settings, and for each where its value came from.

Later sources win: default, the running instance (`DIR/instance.json`, written by `meterai up`),
a TOML file (`DIR/meterai.toml` or `--config FILE`), the environment (`METERAI_<NAME>`, and
`DATABASE_URL`), the command line.  This is the only module that reads the environment.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from meterai.kit.refusal import Refusal

PREFIX = "METERAI_"
PARENT = "METERAI_PARENT_PID"  # a parent whose death ends its children; see plumbing/parent.py
# Where a setting may come from that is not a file; any other source is the path of one.
NOT_FILES = frozenset({"default", "running instance", "environment", "option"})
SECRET = frozenset({"bank_client_secret", "database_url", "smtp_password"})


class ConfigurationWrong(Refusal):
    """A setting has a name or a value that cannot be used."""

    code = "configuration_wrong"
    status = 500

    def __init__(self, name: str, source: str, reason: str) -> None:
        super().__init__(f"{name} (from {source}): {reason}")
        self.name = name
        self.source = source
        self.reason = reason


Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
Whole = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be set.  Times are in seconds, sizes in bytes, money in rupiah."""

    # where things are
    data: str = "data"
    host: str = "127.0.0.1"
    port: Port = 8000
    public_url: str = ""  # how the outside reaches us; empty: http://host:port
    proxies: Whole = 0  # of ours in front, whose X-Forwarded-For is believed
    database_url: str = ""  # empty: see `database`
    database: Literal["embedded", "system"] = "embedded"
    workers: Positive = 1  # web processes
    worker_concurrency: Positive = 8  # slow acts one worker does at the same time
    database_connections: Positive = 16  # per process
    environment: Literal["development", "production"] = "development"
    uploads_bytes_max: Positive = 1024 * 1024 * 1024  # bodies on disk at once, per web process
    metrics_port: Port = 0  # of 127.0.0.1, for the operator's eyes only; 0: none
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    # the sale
    stamp_price: Positive = 10_000  # UU 10/2020, section 5
    service_fee: Whole = 0  # per stamp; comes back with the stamp if it was not executed
    order_total_max: Positive = 10_000_000  # QRIS: highest amount of one transaction
    order_lapses_seconds: Seconds = 900  # how long a QR can be paid
    stamps_due_seconds: Seconds = 900  # paid stamps not issued by then go back as money
    documents_due_seconds: Seconds = 86_400  # the same for documents not stamped
    stampings_per_order_max: Positive = 20
    unpaid_orders_max: Positive = 100  # of one account at the same time; each has a QR at the bank

    # documents and seals
    document_bytes_max: Positive = 20 * 1024 * 1024
    document_kept_seconds: Seconds = 7 * 86_400  # then only the delta remains
    seal_algorithm: Literal["p256", "rsa2048"] = "p256"
    seal_lease_seconds: Seconds = 60  # after this silence another process may seal
    seals_at_once: Positive = 2  # per process; sealing is processor work
    issuer: str = ""  # keyring, or the directory of one issuer; empty: a development one in DIR

    # the payment provider (SNAP BI)
    bank_url: str = ""
    bank_path: str = "/snap/v1.0"
    bank_client_id: str = "METERAI"
    bank_client_secret: str = ""  # empty: DIR/keys/bank-client-secret
    bank_public_key: str = ""  # PEM file; empty: DIR/keys/bank.pub.pem
    bank_merchant_id: str = "METERAI"
    bank_signature: Literal["symmetric", "asymmetric"] = "symmetric"
    bank_timeout_seconds: Seconds = 5
    bank_lease_seconds: Seconds = (
        15  # who called has died; more than two time-outs, see apps/leases
    )
    poll_after_seconds: Seconds = 5  # first question about a payment nobody told us about
    # How long the provider answers about a payment and can return it.  QRIS: 7 days off-us, 45 on-us
    # at most acquirers; after this a payment can only be learned from its own record.
    bank_window_days: Positive = 45

    # mail
    smtp_host: str = "127.0.0.1"
    smtp_port: Port = 0
    smtp_user: str = ""
    smtp_password: str = ""
    smtp_tls: Literal["none", "starttls", "implicit"] = "none"
    mail_from: str = "meterai <no-reply@meterai.invalid>"

    # sign-in
    code_lives_seconds: Seconds = 600
    code_tries_max: Positive = 5
    # Per e-mail address; a device that the address signed in with has as many of its own.
    codes_per_hour_max: Positive = 6
    codes_per_hour_per_network_max: Positive = 2_000  # a carrier's phones share one address
    session_lives_seconds: Seconds = 30 * 86_400

    # stand-ins (development only)
    bank_port: Port = 0
    mail_port: Port = 0

    @property
    def directory(self) -> Path:
        """The data directory."""
        return Path(self.data)

    @property
    def url(self) -> str:
        """How the outside reaches us, without a slash at the end."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def is_secure(self) -> bool:
        """True where the outside reaches us by TLS: then cookies travel over nothing else."""
        return self.url.startswith("https:")

    @property
    def is_specimen(self) -> bool:
        """Outside production every stamp is marked SPECIMEN."""
        return self.environment != "production"


NAMES = frozenset(Settings.__struct_fields__)


class Configuration(msgspec.Struct, frozen=True):
    """Settings in force, and for each the source it came from."""

    settings: Settings
    sources: dict[str, str]

    def shown(self) -> list[tuple[str, str, str]]:
        """(name, value, source) of every setting, secrets hidden."""
        rows = []
        for name in Settings.__struct_fields__:
            value = getattr(self.settings, name)
            hidden = name in SECRET and value
            rows.append((name, "(set)" if hidden else str(value), self.sources[name]))
        return rows


def instance_file(directory: Path) -> Path:
    """Where a running instance writes the addresses it chose."""
    return directory / "instance.json"


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise ConfigurationWrong("config", str(path), error.strerror or "unreadable") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationWrong("config", str(path), str(error)) from None


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if environ.get("DATABASE_URL"):
        found["database_url"] = environ["DATABASE_URL"]
    for name in NAMES:
        if value := environ.get(PREFIX + name.upper()):
            found[name] = value
    return found


def _one(name: str, value: object, source: str) -> object:
    if name not in NAMES:
        raise ConfigurationWrong(name, source, "no such setting")
    kind = Settings.__annotations__[name]
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationWrong(name, source, str(error)) from None


def load(
    options: Mapping[str, object] | None = None, *, config: Path | None = None
) -> Configuration:
    """Gather the settings.  Refuses with `ConfigurationWrong`."""
    given = {name: value for name, value in (options or {}).items() if value is not None}
    environ = _from_environment(os.environ)
    directory = Path(str(given.get("data") or environ.get("data") or Settings().data))
    instance = instance_file(directory)
    toml = config or directory / "meterai.toml"
    layers: list[tuple[str, dict[str, Any]]] = []
    if instance.is_file():
        layers.append(("running instance", json.loads(instance.read_text())["settings"]))
    if config or toml.is_file():
        layers.append((str(toml), _from_file(toml)))
    layers += [("environment", environ), ("option", dict(given))]

    values: dict[str, object] = {}
    sources = dict.fromkeys(Settings.__struct_fields__, "default")
    for source, layer in layers:
        for name, value in layer.items():
            values[name] = _one(name, value, source)
            sources[name] = source
    values["data"] = str(directory.resolve())
    return Configuration(msgspec.convert(values, Settings), sources)


def parent_pid() -> int | None:
    """The parent that wants this process to end with it, if there is one."""
    text = os.environ.get(PARENT, "")
    return int(text) if text.isdigit() else None


def environment_for(settings: Settings) -> dict[str, str]:
    """The environment in which a child finds exactly these settings, and its parent's number."""
    environ = {
        name: value
        for name, value in os.environ.items()
        if name != "DATABASE_URL" and not name.startswith(PREFIX)
    }
    for name in Settings.__struct_fields__:
        if text := str(getattr(settings, name)):
            environ[PREFIX + name.upper()] = text
    environ[PARENT] = str(os.getpid())
    return environ


def metrics_folder() -> Path:
    """Where the processes of this instance count together, once that was exported."""
    return Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])


def export(settings: Settings, **more: str) -> None:
    """Put these settings into our own environment, for processes that others start for us."""
    environ = environment_for(settings) | more
    os.environ.clear()
    os.environ.update(environ)
