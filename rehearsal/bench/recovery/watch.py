"""Ten faults of a real instance: the seconds until the published files of a watcher show the fault, and until they show the
repair.

The files are right when every component broken by the fault is shown as not working properly, and all others as
operational. Then, without a fault, the processor time that the watcher costs the platform.

python -m bench.recovery --only watch [--short | --fault NAME ...]
"""

import argparse
import datetime
import signal
import ssl
import subprocess
import tempfile
import threading
import time
from asyncio import StreamReader, StreamWriter, new_event_loop, open_connection, start_server
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.machine import Group, parts_of_instance
from meterai.kit.components import Component
from meterai_rehearsal.rehearsal.faults import fill, free
from tests.support.instance import Client, Instance, free_ports
from tests.support.watching import Watching, all_work, configured

RIGHT_SECONDS_AIM, AGAIN_SECONDS_AIM = 30.0, 60.0
SECONDS_MAX = 150.0  # a later detection counts as missed
COST_AIM = 0.005  # of a core
COST_SECONDS, COST_ROUNDS = 95.0, 2  # five intervals of every check
SHORT = ("worker frozen", "checking broken")
CLOCK, CLOCK_OFF_SECONDS = "clock off by 10 minutes", 600
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
PLATFORM = ("web", "worker", "postgres")
_C = Component
EVERYTHING = frozenset(Component)


@dataclass
class Site:
    """Site of the faults: an instance, a TLS proxy before it, and the folder of both."""

    folder: Path
    instance: Instance
    front: "Front"
    clock: Path | None  # file with the offset of the instance's clock, if it can be moved


@dataclass(frozen=True)
class Fault:
    """A fault: its cause, the components that must be shown as broken, and the components that must not be;
    other components are not checked.
    """

    make: Callable[[Site], "Iterator[None]"]
    breaks: frozenset[Component]
    spares: frozenset[Component] = field(default_factory=frozenset)


# -- the proxy ----------------------------------------------------------------------------------


class Front:
    """Terminates TLS before the instance, with a certificate that can be replaced by an expired one."""

    def __init__(self, folder: Path, port: int) -> None:
        self.authorities, self._folder, self._to = folder / "root.pem", folder, port
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._root = self._certificate("bench root", days=30, is_root=True)
        self.authorities.write_bytes(self._root.public_bytes(serialization.Encoding.PEM))
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.show(days=30)
        [self.port] = free_ports(1)
        self._loop = new_event_loop()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        """URL of the proxy."""
        return f"https://localhost:{self.port}"

    def show(self, *, days: int) -> None:
        """Present a certificate that ends `days` days from now."""
        found = self._certificate("localhost", days=days, is_root=False)
        pem = found.public_bytes(serialization.Encoding.PEM)
        secret = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file = self._folder / "front.pem"
        file.write_bytes(secret + pem)
        self._context.load_cert_chain(file)

    def _certificate(self, name: str, *, days: int, is_root: bool) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = subject if is_root else self._root.subject
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=60))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        )
        return made.sign(self._key, hashes.SHA256())

    def _serve(self) -> None:
        self._loop.run_until_complete(
            start_server(self._relay, "127.0.0.1", self.port, ssl=self._context)
        )
        self._loop.run_forever()

    async def _relay(self, reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(OSError):
            there, back = await open_connection("127.0.0.1", self._to)
            one = self._loop.create_task(_copied(reader, back))
            await _copied(there, writer)
            one.cancel()
        writer.close()


async def _copied(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(OSError, ssl.SSLError):
        while content := await reader.read(65_536):
            writer.write(content)
            await writer.drain()
        writer.close()


# -- the faults ---------------------------------------------------------------------------------


def _parts(site: Site) -> Mapping[str, psutil.Process]:
    found = {}
    for one in site.instance.parent.children():
        is_database = Path(one.exe()).name == "postgres"
        found["postgres" if is_database else one.cmdline()[-1]] = one
    return found


def _killed(part: str, how: signal.Signals) -> Callable[[Site], Iterator[None]]:
    def make(site: Site) -> Iterator[None]:
        one = _parts(site)[part]
        site.instance.parent.suspend()  # the parent would start another process at once
        below = one.children(recursive=True)
        one.send_signal(how)
        if how is signal.SIGKILL:
            for child in below:
                child.kill()
        yield
        site.instance.parent.resume()
        site.instance.wait_ready()

    return make


def _worker_frozen(site: Site) -> Iterator[None]:
    worker = _parts(site)["worker"]
    every = [worker, *worker.children(recursive=True)]
    for one in every:
        one.suspend()
    yield
    for one in every:
        one.resume()


def _bank(**faults: object) -> Callable[[Site], Iterator[None]]:
    def make(site: Site) -> Iterator[None]:
        site.instance.bank.faults(**faults)
        yield
        site.instance.bank.clear_faults()

    return make


def _mail_dead(site: Site) -> Iterator[None]:
    mail = Client(site.instance.mail)
    mail.post("/standin/faults", {"refuse": -1})
    yield
    mail.call("DELETE", "/standin/faults")


def _disk_full(site: Site) -> Iterator[None]:
    objects = site.instance.data / "objects"
    if objects.is_mount():
        fill(objects)
        rest = objects / "rest"  # fill this space too: a document of the watcher would fit in it
        with suppress(OSError), rest.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(512))
        yield
        rest.unlink()
        free(objects)
        return
    kept = objects.rename(objects.with_name("objects.kept"))  # nothing can be written there
    objects.write_bytes(b"")
    yield
    objects.unlink()
    kept.rename(objects)


def _certificate_expired(site: Site) -> Iterator[None]:
    site.front.show(days=-1)
    yield
    site.front.show(days=30)


def _clock_off(site: Site) -> Iterator[None]:
    assert site.clock is not None
    site.clock.write_text(f"+{CLOCK_OFF_SECONDS}")
    yield
    site.clock.write_text("+0")
    site.instance.kill("web")  # the web would keep the last time until the clock reaches it
    site.instance.wait_ready()


def _checking_broken(site: Site) -> Iterator[None]:
    url = site.instance.settings.process.database_url
    for old, new in (("serial_directory", "serials_away"), ("serials_away", "serial_directory")):
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute(f"ALTER TABLE {old} RENAME TO {new}".encode())
        if new == "serials_away":
            yield


_LIVES_WITHOUT_BANK = frozenset({_C.SITE, _C.SIGN_IN, _C.STAMPING, _C.CHECKING, _C.LINE})
FAULTS: Mapping[str, Fault] = {
    "web killed": Fault(_killed("web", signal.SIGKILL), frozenset({_C.SITE, _C.BUYING, _C.CHECKING})),
    "worker frozen": Fault(
        _worker_frozen,
        frozenset({_C.PAYMENT, _C.REFUNDS, _C.SIGN_IN}),
        frozenset({_C.SITE, _C.CHECKING, _C.STAMPING}),
    ),
    "database gone": Fault(
        _killed("postgres", signal.SIGQUIT), frozenset({_C.BUYING, _C.STAMPING, _C.SIGN_IN})
    ),
    "bank silent": Fault(
        _bank(response_delay_seconds=60, token_delay_seconds=60, drop_notifications=-1),
        frozenset({_C.BUYING}),
        _LIVES_WITHOUT_BANK,
    ),
    "bank slow": Fault(_bank(response_delay_seconds=4), frozenset({_C.BUYING}), _LIVES_WITHOUT_BANK),
    "mail dead": Fault(
        _mail_dead, frozenset({_C.SIGN_IN}), EVERYTHING - {_C.SIGN_IN}
    ),
    "disk full": Fault(_disk_full, frozenset({_C.STAMPING}), frozenset({_C.SITE, _C.BUYING, _C.CHECKING})),
    "certificate expired": Fault(_certificate_expired, frozenset({_C.SITE, _C.BUYING})),
    CLOCK: Fault(_clock_off, frozenset({_C.SITE})),
    "checking broken": Fault(
        _checking_broken, frozenset({_C.CHECKING}), frozenset({_C.SITE, _C.BUYING, _C.PAYMENT})
    ),
}  # fmt: skip


def _right(fault: Fault, states: Mapping[Component, str]) -> bool:
    return all(states.get(one) not in (None, "operational") for one in fault.breaks) and all(
        states.get(one) == "operational" for one in fault.spares
    )


def _seconds_until(
    watching: Watching, is_so: Callable[[Mapping[Component, str]], bool]
) -> float | None:
    begun = time.monotonic()
    while time.monotonic() - begun < SECONDS_MAX:
        if is_so(watching.states()):
            return time.monotonic() - begun
        time.sleep(0.1)
    return None


def _measured(name: str, site: Site, watching: Watching) -> Iterator[str]:
    """Make the named fault and repair it. Yield errors."""
    fault = FAULTS[name]
    if name == CLOCK and site.clock is None:
        print(f"{name:26}  not made: {FAKETIME.name} is not on this machine", flush=True)
        return
    watching.until_all_work(SECONDS_MAX)
    with contextmanager(fault.make)(site):
        right = _seconds_until(watching, lambda states: _right(fault, states))
        shown = {one: state for one, state in watching.states().items() if state != "operational"}
    again = _seconds_until(watching, all_work)
    told = ", ".join(f"{one} {state}" for one, state in shown.items())
    print(f"{name:26}{_shown(right)}{_shown(again)}  {told}", flush=True)
    if right is None or right > RIGHT_SECONDS_AIM:
        yield f"{name}: right after {_shown(right).strip()}, aim {RIGHT_SECONDS_AIM:.0f} s"
    if again is None or again > AGAIN_SECONDS_AIM:
        yield f"{name}: green again after {_shown(again).strip()}, aim {AGAIN_SECONDS_AIM:.0f} s"


def _shown(seconds: float | None) -> str:
    return f"{f'{seconds:.1f} s' if seconds is not None else 'never':>11}"


# -- the cost -----------------------------------------------------------------------------------


def _cost(watching: Watching, seconds: float, rounds: int) -> Iterator[str]:
    """Compare the processor time of the platform with and without the watcher, alternately. Yield errors."""
    parts = {name: one for name, one in parts_of_instance().items() if name in PLATFORM}
    rates: dict[bool, list[Mapping[str, float]]] = {True: [], False: []}
    for is_on in (True, False) * rounds:
        if not is_on:
            watching.stop()
        time.sleep(5)
        rates[is_on].append(_rates(parts, seconds))
        if not is_on:
            watching.start()
            watching.until_all_work()
    more = {
        name: sum(one[name] for one in rates[True]) / rounds
        - sum(one[name] for one in rates[False]) / rounds
        for name in PLATFORM
    }
    share = sum(more.values())
    told = ", ".join(f"{name} {rate * 1e3:.2f}" for name, rate in more.items())
    print(f"cost to the platform: {share:.2%} of a core (aim {COST_AIM:.1%}); ms a second: {told}")
    if share > COST_AIM:
        yield f"the watch costs {share:.2%} of a core, aim {COST_AIM:.1%}"


def _rates(parts: Mapping[str, Group], seconds: float) -> Mapping[str, float]:
    before = {name: one.cpu() for name, one in parts.items()}
    time.sleep(seconds)
    return {name: (one.cpu() - before[name]) / seconds for name, one in parts.items()}


# -- all of it ----------------------------------------------------------------------------------


@contextmanager
def _site(folder: Path) -> Iterator[Site]:
    data = folder / "data"
    (data / "objects").mkdir(parents=True)
    given: dict[str, str] = {}
    clock = folder / "clock" if FAKETIME.exists() else None
    if clock is not None:
        clock.write_text("+0")
        given = {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
    with ExitStack() as stack:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(data / "objects")],
            capture_output=True,
            check=False,
        )
        if mounted.returncode == 0:
            stack.callback(subprocess.run, ["umount", "-l", str(data / "objects")], check=False)
        instance = stack.enter_context(Instance(data, **given))
        yield Site(folder, instance, Front(folder, instance.port), clock)


def main(given: Sequence[str]) -> int:
    """Print the table, and errors. Return 1 if there were any."""
    parser = argparse.ArgumentParser(prog="python -m bench.recovery --only watch")
    parser.add_argument("--short", action="store_true", help="only see that everything runs")
    parser.add_argument("--fault", action="append", choices=FAULTS, help="this one, and no cost")
    found = parser.parse_args(given)
    names = found.fault or (SHORT if found.short else FAULTS)
    with (
        tempfile.TemporaryDirectory(prefix="meterai-bench-") as folder,
        _site(Path(folder)) as site,
    ):
        wrong = _watched(site, names)
        wrong += [] if CLOCK in names and site.clock else _broken(site)
    print("\n".join(wrong) or "the watch is right in time; every invariant holds")
    return int(bool(wrong))


def _broken(site: Site) -> list[str]:
    """Audit the instance and return the findings. Not called after the clock was moved, because the audit
    reports times that went back.
    """
    done = site.instance.command("audit")
    lines = [line for line in done.stdout.splitlines() if line.startswith("BROKEN")]
    return [f"the audit failed: {lines} {done.stderr}"] if done.returncode else []


def _watched(site: Site, names: Collection[str]) -> list[str]:
    more = f'authorities = "{site.front.authorities}"'
    file = configured(site.folder / "watcher", site.instance, url=site.front.url, more=more)
    wrong: list[str] = []
    with Watching(file) as watching:
        print(f"{'':26}{'right':>11}{'again':>11}  shown meanwhile", flush=True)
        for name in names:
            wrong += _measured(name, site, watching)
        if len(names) == len(FAULTS):
            wrong += _cost(watching, COST_SECONDS, COST_ROUNDS)
    log = (file.parent / "watch.log").read_text()
    at = log.find("walk_failed")
    return wrong if at < 0 else [*wrong, f"a walk failed by a fault of ours: {log[at:][:300]}"]
