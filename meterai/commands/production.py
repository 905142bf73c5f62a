"""What production demands: one list, looked at before a command serves or moves anything.

Outside production every stamp says SPECIMEN and no money is real, so everything has a default
that runs.  In production a default that merely runs is how a stand-in bank gets paid, a QR code
with a loopback address is printed, or a session travels in the clear.  Each demand therefore has
a name, the settings it looks at and a sentence (`production.<name>`); every setting is either
looked at here or named in `NEEDS_NONE` with the reason why any value of it can be served with.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from meterai.kit.clock import SystemClock
from meterai.kit.money import STAMP_DUTY
from meterai.kit.refusal import Refusal
from meterai.plumbing.config import NOT_FILES, SECRET, Configuration
from meterai.plumbing.files import read_key_file

# A code has a million values: at so many guesses an hour one address holds for years.
GUESSES_PER_HOUR_MAX = 100
OTHERS_MAY_NOTHING = 0o077
OTHERS_MAY_NOT_WRITE = 0o022
_NOWHERE = ("localhost", "invalid")  # RFC 6761
_PUBLIC_SUFFIXES = frozenset({".pub", ".crl", ".toml", ".pdf", ".pem"})
_PUBLIC_FILES = frozenset({"current"})


class Scope(StrEnum):
    """How much a command needs to be in order."""

    EVERYTHING = "everything"  # it serves the public, or moves money and stamps
    # It speaks to the database only, and may be what puts the rest in order or stops it.
    DATABASE = "database"
    NOTHING = "nothing"  # it only looks at files, or repairs them
    NEVER = "never"  # it belongs to development: it pays for itself, or stamps without a sale


# Every command there is; a test compares.
COMMANDS: Mapping[str, Scope] = {
    "up": Scope.NEVER,
    "standins": Scope.NEVER,
    "seal": Scope.NEVER,
    "web": Scope.EVERYTHING,
    "worker": Scope.EVERYTHING,
    "migrate": Scope.DATABASE,
    "audit": Scope.DATABASE,
    "accounts create": Scope.DATABASE,
    "accounts keys": Scope.DATABASE,
    "accounts end-key": Scope.DATABASE,
    "suspense list": Scope.DATABASE,
    "suspense resolve": Scope.DATABASE,
    "issuing stop": Scope.DATABASE,
    "issuing open": Scope.DATABASE,
    "jobs list": Scope.DATABASE,
    "jobs retry": Scope.DATABASE,
    "objects adopt": Scope.DATABASE,
    "config": Scope.NOTHING,
    "check-config": Scope.NOTHING,
    "verify": Scope.NOTHING,
    "verify-claim": Scope.NOTHING,
    "issuer show": Scope.NOTHING,
    "issuer appoint": Scope.NOTHING,
}

Facts = dict[str, object]


@dataclass(frozen=True, slots=True)
class Complaint:
    """A demand that is not met; `facts` fill its sentence."""

    name: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class Demand:
    """What must be so in production; `check` yields the facts of each thing that is not."""

    name: str
    settings: tuple[str, ...]
    check: Callable[[Configuration], Iterable[Facts]]
    is_of_the_database: bool = False


class NotForProduction(Refusal):
    """The configuration does not meet what production demands."""

    code = "not_for_production"
    status = 500

    def __init__(self, complaints: tuple[Complaint, ...]) -> None:
        super().__init__(", ".join(one.name for one in complaints))
        self.count = len(complaints)
        self._complaints = complaints

    @property
    def complaints(self) -> tuple[Complaint, ...]:
        """Every demand that is not met."""
        return self._complaints


class OnlyForDevelopment(Refusal):
    """The command has no place in production."""

    code = "only_for_development"
    status = 500

    def __init__(self, command: str) -> None:
        super().__init__(f"{command} in production")
        self.command = command


def check_allowed(command: str, configuration: Configuration) -> None:
    """Refuse what must not run in production: `NotForProduction`, `OnlyForDevelopment`."""
    scope = COMMANDS[command]
    if not configuration.settings.process.is_production:
        return
    if scope is Scope.NEVER:
        raise OnlyForDevelopment(command)
    found = tuple(complaints(configuration, scope))
    if found:
        raise NotForProduction(found)


def complaints(
    configuration: Configuration, scope: Scope = Scope.EVERYTHING
) -> Iterator[Complaint]:
    """Every demand of this scope that is not met."""
    for demand in DEMANDS:
        if scope is Scope.EVERYTHING or (demand.is_of_the_database and scope is Scope.DATABASE):
            for facts in demand.check(configuration):
                yield Complaint(demand.name, facts)


# -- addresses ---------------------------------------------------------------------------------


def _split(text: str) -> SplitResult | None:
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        return None
    return url


def _is_a_public_host(host: str) -> bool:
    """True for a name or an address that others than this machine and its neighbours reach."""
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and host.rsplit(".", 1)[-1] not in _NOWHERE


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _public_address(of: Configuration) -> Iterator[Facts]:
    url = _split(of.settings.process.public_url)
    is_one = (
        url is not None
        and url.scheme == "https"
        and url.username is None
        and _is_a_public_host(url.hostname or "")
        and (url.path.rstrip("/"), url.query, url.fragment) == ("", "", "")
    )
    if not is_one:
        yield {"found": of.settings.process.public_url or "nothing"}


def _bank_address(of: Configuration) -> Iterator[Facts]:
    url = _split(of.value("bank_url"))
    if url is None or url.scheme != "https" or not url.hostname or _is_this_machine(url.hostname):
        yield {"found": of.value("bank_url") or "nothing"}


def _bank_identity(of: Configuration) -> Iterator[Facts]:
    for name in ("bank_client_id", "bank_merchant_id", "bank_qr_accounts"):
        if of.sources[name] == "default" or not of.settings.flat()[name]:
            yield {"setting": name}


def _mail_server(of: Configuration) -> Iterator[Facts]:
    host, port = of.value("smtp_host"), of.value("smtp_port")
    if not (host and port):
        yield {"found": f"{host}:{port}"}


def _mail_encryption(of: Configuration) -> Iterator[Facts]:
    if of.value("smtp_tls") == "none" and not _is_this_machine(of.value("smtp_host")):
        yield {}


def _mail_sender(of: Configuration) -> Iterator[Facts]:
    name, at, host = parseaddr(of.value("mail_from"))[1].partition("@")
    if not (name and at and _is_a_public_host(host)):
        yield {"found": of.value("mail_from")}


# -- this machine ------------------------------------------------------------------------------


def _proxies(of: Configuration) -> Iterator[Facts]:
    if of.settings.process.proxies == 0:  # we speak no TLS ourselves
        yield {}


def _port(of: Configuration) -> Iterator[Facts]:
    if of.settings.process.port == 0:
        yield {}


def _database(of: Configuration) -> Iterator[Facts]:
    if not of.settings.process.database_url and of.settings.process.database == "embedded":
        yield {}


def _development_directory(of: Configuration) -> Iterator[Facts]:
    folder = of.settings.process.directory / "standins"
    if of.value("bank_port") or of.value("mail_port") or folder.exists():
        yield {"path": of.settings.process.data}


# -- keys --------------------------------------------------------------------------------------


def _keys_there(of: Configuration) -> Iterator[Facts]:
    keys = of.settings.process.directory / "keys"
    needed = [keys / "instance.key", keys / "provider.key.pem"]
    needed.append(Path(of.value("bank_public_key") or keys / "bank.pub.pem"))
    if not of.value("bank_client_secret"):
        needed.append(keys / "bank-client-secret")
    for path in needed:
        if not path.is_file():
            yield {"path": str(path)}


def _is_secret(path: Path) -> bool:
    """True for a key file that only its owner may read; what is not known as public is secret."""
    if path.name in _PUBLIC_FILES:
        return False
    if path.suffix not in _PUBLIC_SUFFIXES:
        return True
    return path.suffix == ".pem" and b"PRIVATE KEY" in read_key_file(path)


def _key_folders(of: Configuration) -> Iterator[Path]:
    yield of.settings.process.directory / "keys"
    if of.value("issuer"):
        yield Path(of.value("issuer"))


def _keys_closed(of: Configuration) -> Iterator[Facts]:
    for folder in _key_folders(of):
        for path in sorted({folder, *folder.rglob("*")}):
            yield from _open_to_others(path)
    for source in sorted({of.sources[name] for name in SECRET} - NOT_FILES):
        yield from _too_open(Path(source), OTHERS_MAY_NOTHING)  # a settings file with a secret


def _open_to_others(path: Path) -> Iterator[Facts]:
    try:
        if path.is_dir():
            yield from _too_open(path, OTHERS_MAY_NOT_WRITE)
        elif path.is_file():
            secret = _is_secret(path)
            yield from _too_open(path, OTHERS_MAY_NOTHING if secret else OTHERS_MAY_NOT_WRITE)
    except OSError as error:
        yield {"path": str(path), "mode": error.strerror or "unreadable"}


def _too_open(path: Path, forbidden: int) -> Iterator[Facts]:
    mode = path.stat().st_mode & 0o777
    if mode & forbidden:
        yield {"path": str(path), "mode": f"{mode:04o}"}


def _issuer(of: Configuration) -> Iterator[Facts]:
    # Imported here: reading a keyring loads the engine, which most commands do not need.
    from meterai.stamping import issuers_of  # noqa: PLC0415

    try:
        current = issuers_of(of.settings, SystemClock()).current
    except Refusal as refusal:
        yield {"reason": str(refusal)}
        return
    if any("SPECIMEN" in one.subject.rfc4514_string() for one in current.chain):
        yield {"reason": f"{current.name} is an issuer for development"}
    if current.claim_key is None:
        yield {"reason": "it has no claim.key"}


# -- the sale ----------------------------------------------------------------------------------


def _stamp_price(of: Configuration) -> Iterator[Facts]:
    if of.value("stamp_price") != STAMP_DUTY:
        yield {"found": of.value("stamp_price"), "duty": STAMP_DUTY}


def _guesses(of: Configuration) -> Iterator[Facts]:
    guesses = of.value("code_tries_max") * of.value("codes_per_hour_max")
    if guesses > GUESSES_PER_HOUR_MAX:
        yield {"found": guesses, "guesses_max": GUESSES_PER_HOUR_MAX}


DEMANDS: tuple[Demand, ...] = (
    Demand("public_address", ("public_url",), _public_address),
    Demand("proxies", ("proxies",), _proxies),
    Demand("port", ("port",), _port),
    Demand("database", ("database_url", "database"), _database, is_of_the_database=True),
    Demand(
        "development_directory",
        ("data", "bank_port", "mail_port"),
        _development_directory,
        is_of_the_database=True,
    ),
    Demand("bank_address", ("bank_url",), _bank_address),
    Demand(
        "bank_identity", ("bank_client_id", "bank_merchant_id", "bank_qr_accounts"), _bank_identity
    ),
    Demand("keys_there", ("bank_public_key", "bank_client_secret"), _keys_there),
    Demand("keys_closed", ("bank_client_secret", "smtp_password"), _keys_closed),
    Demand("issuer", ("issuer",), _issuer),
    Demand("mail_server", ("smtp_host", "smtp_port"), _mail_server),
    Demand("mail_encryption", ("smtp_tls",), _mail_encryption),
    Demand("mail_sender", ("mail_from",), _mail_sender),
    Demand("stamp_price", ("stamp_price",), _stamp_price),
    Demand("sign_in_guesses", ("code_tries_max", "codes_per_hour_max"), _guesses),
)

_TIME = "a time that people wait or have, whatever it is"
_LOAD = "how much is done at once; too little is slow and no more"
NEEDS_NONE: Mapping[str, str] = {
    "environment": "it says whether this list applies",
    "host": "loopback behind a proxy of this machine, or an address of its own: both are right",
    "workers": _LOAD,
    "worker_concurrency": _LOAD,
    "database_connections": _LOAD,
    "seals_at_once": _LOAD,
    "metrics_port": "nobody but this machine reaches it",
    "uploads_bytes_max": _LOAD,
    "log_level": "no level writes secrets or personal data",
    "log_values": "production writes JSON, which tells no values whatever this says",
    "service_fee": "none is a fee too; buyers see it before they pay",
    "order_total_max": "the provider refuses what is above its own",
    "stampings_per_order_max": _LOAD,
    "order_lapses_seconds": _TIME,
    "stamps_due_seconds": _TIME,
    "documents_due_seconds": _TIME,
    "document_bytes_max": _LOAD,
    "document_kept_seconds": _TIME,
    "seal_algorithm": "of development issuers only; in production the key says which",
    "seal_lease_seconds": _TIME,
    "bank_path": "the provider's; a wrong one is answered 404 and nothing is sold",
    "bank_signature": "the provider's; a wrong one is refused and nothing is sold",
    "bank_timeout_seconds": _TIME,
    "bank_lease_seconds": "compared with the time-outs it covers when a process starts (leases.py)",
    "bank_window_days": "the provider's; a shorter one is asked less long, and news still counts",
    "unpaid_orders_max": _LOAD,
    "poll_after_seconds": _TIME,
    "smtp_user": "a server may ask for none",
    "code_lives_seconds": _TIME,
    "codes_per_hour_per_network_max": _LOAD,
    "session_lives_seconds": _TIME,
}
