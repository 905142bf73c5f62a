"""Configuration: the settings of every room under flat names, and the source of each value.

A room declares its settings as a Struct (a section); `apps` lists the sections of a process.

Later sources override earlier ones: default, the running instance (`DIR/instance.json`, written by `meterai up`), a
TOML file (`DIR/meterai.toml` or `--config FILE`), the environment (`METERAI_<NAME>`, and `DATABASE_URL`), the command
line. No other module reads the environment.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

import msgspec

from meterai.kit.numbers import counted
from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.files import read_settings_file
from meterai.plumbing.toml import read_toml

PREFIX = "METERAI_"
# Process id of a parent whose death ends its children; see plumbing/parent.py.
PARENT = "METERAI_PARENT_PID"
# Sources of a setting other than files; any other source is the path of a file.
NOT_FILES = frozenset({"default", "running instance", "environment", "option"})


class ConfigurationWrong(CommandRefusal):
    """A setting has an unknown name or an invalid value."""

    code = "configuration_wrong"
    status = 500

    def __init__(self, name: str, source: str, reason: str) -> None:
        super().__init__(f"{name} (from {source}): {reason}")
        self.name = name
        self.source = source
        self.reason = reason


Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
Hour = Annotated[int, msgspec.Meta(ge=0, le=23)]
Whole = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
Secret = Annotated[str, msgspec.Meta(extra={"secret": True})]  # never shown


class ProcessSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings that every process needs: addresses, folders and sizes."""

    data: str = "data"
    host: str = "127.0.0.1"
    port: Port = 8000
    public_url: str = ""  # URL at which clients reach us; empty: http://host:port
    proxies: Whole = 0  # number of our proxies in front, whose X-Forwarded-For is trusted
    database_url: Secret = ""  # empty: see `database`
    database: Literal["embedded", "system"] = "embedded"
    workers: Positive = 1  # web processes
    worker_concurrency: Positive = 8  # slow acts that one worker does concurrently
    database_connections: Positive = 16  # per process
    environment: Literal["development", "production"] = "development"
    # Upload bytes on disk at once, per web process.
    uploads_bytes_max: Positive = 1024 * 1024 * 1024
    metrics_port: Port = 0  # port on 127.0.0.1, for the operator only; 0: none
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    # Log faults with the value of every variable; only on a terminal and in development.
    log_values: bool = False

    @property
    def directory(self) -> Path:
        """The data directory."""
        return Path(self.data)

    @property
    def url(self) -> str:
        """The URL at which clients reach us, without a slash at the end."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def is_secure(self) -> bool:
        """True if clients reach us by TLS: then cookies are sent over TLS only."""
        return self.url.startswith("https:")

    @property
    def is_production(self) -> bool:
        """True if money is real; every other environment is development."""
        return self.environment == "production"


Section = TypeVar("Section", bound=msgspec.Struct)
Sections = Sequence[type[msgspec.Struct]]


def names_of(sections: Sections) -> dict[str, type[msgspec.Struct]]:
    """Return every setting with the section that declares it. Raises `ValueError` if two settings have the same name."""
    found: dict[str, type[msgspec.Struct]] = {}
    for section in sections:
        for name in section.__struct_fields__:
            if name in found:
                raise ValueError(f"{name} is a setting of both {found[name]} and {section}")
            found[name] = section
    return found


class Settings:
    """The settings of a process: one section of each room, found by its type.

    Names are flat and unique, so a setting is `METERAI_<NAME>` whichever room reads it.
    """

    def __init__(self, sections: Iterable[msgspec.Struct]) -> None:
        self._sections = {type(section): section for section in sections}
        self._flat = {
            name: getattr(section, name)
            for section in self._sections.values()
            for name in section.__struct_fields__
        }

    def of(self, kind: type[Section]) -> Section:
        """Return the section of this type. Raises `KeyError` if the settings of this process have no such section."""
        found = self._sections[kind]
        assert isinstance(found, kind)
        return found

    @property
    def process(self) -> ProcessSettings:
        """The settings that every process needs."""
        return self.of(ProcessSettings)

    def flat(self) -> Mapping[str, Any]:
        """Return the value of every setting by name, in the order of the sections. Cached, since every page asks for it."""
        return self._flat

    def secrets(self) -> frozenset[str]:
        """Return the names of the settings that are never shown."""
        return frozenset(
            name
            for section in self._sections
            for name, kind in get_type_hints(section, include_extras=True).items()
            if kind == Secret
        )

    def replaced(self, **values: object) -> "Settings":
        """Return a copy with other values for these names. Refuses `ConfigurationWrong`."""
        return _converted(tuple(self._sections), {**self.flat(), **values})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and self._sections == other._sections

    __hash__ = None  # type: ignore[assignment]


def _converted(sections: Sections, values: Mapping[str, object]) -> Settings:
    """Return settings with these values; a setting without a value has its default."""
    known = names_of(sections)
    checked = {name: _one(known, name, value, "option") for name, value in values.items()}
    return Settings(
        section(**{name: checked[name] for name in section.__struct_fields__ if name in checked})
        for section in sections
    )


def settings_of(sections: Sections, **values: object) -> Settings:
    """Return settings with these values, independent of the environment. Refuses `ConfigurationWrong`."""
    return _converted(sections, values)


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings in force, and the source of each."""

    settings: Settings
    sources: dict[str, str]

    def value(self, name: str) -> Any:
        """Return the value of a setting by its name."""
        return self.settings.flat()[name]

    def shown(self) -> list[tuple[str, str, str]]:
        """Return (name, value, source) of every setting, with secrets hidden."""
        rows, secrets = [], self.settings.secrets()
        for name, value in self.settings.flat().items():
            hidden = name in secrets and value
            rows.append((name, "(set)" if hidden else str(value), self.sources[name]))
        return rows


def instance_file(directory: Path) -> Path:
    """Return the file in which a running instance records the addresses it chose."""
    return directory / "instance.json"


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return read_toml(read_settings_file(path))
    except OSError as error:
        raise ConfigurationWrong("config", str(path), error.strerror or "unreadable") from None
    except UnicodeDecodeError:
        raise ConfigurationWrong("config", str(path), "not UTF-8") from None
    except ValueError as error:
        raise ConfigurationWrong("config", str(path), str(error)) from None


def _of_running(path: Path) -> dict[str, Any]:
    """Return the settings in the file of a running instance (`DIR/instance.json`). Refuses `ConfigurationWrong`."""
    try:
        found = json.loads(read_settings_file(path))["settings"]
    except OSError as error:
        reason = error.strerror or "unreadable"
    except (ValueError, KeyError, TypeError, RecursionError):
        reason = "not what meterai up writes"
    else:
        if isinstance(found, dict):
            return found
        reason = "not what meterai up writes"
    raise ConfigurationWrong("running instance", str(path), reason)


def _from_environment(names: Iterable[str], environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if environ.get("DATABASE_URL"):
        found["database_url"] = environ["DATABASE_URL"]
    for name in names:
        if value := environ.get(PREFIX + name.upper()):
            found[name] = value
    return found


def _one(
    known: Mapping[str, type[msgspec.Struct]], name: str, value: object, source: str
) -> object:
    if name not in known:
        raise ConfigurationWrong(name, source, "no such setting")
    kind = get_type_hints(known[name], include_extras=True)[name]
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationWrong(name, source, str(error)) from None


def directory_of(option: object) -> Path:
    """Return the data directory: the option if given, else `METERAI_DATA`, else the default."""
    return Path(str(option or os.environ.get(f"{PREFIX}DATA") or ProcessSettings().data))


def load(
    sections: Sections,
    options: Mapping[str, object] | None = None,
    *,
    config: Path | None = None,
) -> Configuration:
    """Read the values of these sections from all sources. Refuses `ConfigurationWrong`."""
    known = names_of(sections)
    given = {name: value for name, value in (options or {}).items() if value is not None}
    environ = _from_environment(known, os.environ)
    directory = directory_of(given.get("data"))
    instance = instance_file(directory)
    toml = config or directory / "meterai.toml"
    layers: list[tuple[str, dict[str, Any]]] = []
    if instance.exists():
        layers.append(("running instance", _of_running(instance)))
    if config or toml.exists():
        layers.append((str(toml), _from_file(toml)))
    layers += [("environment", environ), ("option", dict(given))]

    values: dict[str, object] = {}
    sources = dict.fromkeys(known, "default")
    for source, layer in layers:
        for name, value in layer.items():
            values[name] = _one(known, name, value, source)
            sources[name] = source
    values["data"] = str(directory.resolve())
    return Configuration(_converted(sections, values), sources)


def parent_pid() -> int | None:
    """Return the process id of the parent process, if this process must end when the parent ends; else None."""
    return counted(os.environ.get(PARENT, ""))


def environment_with(values: Mapping[str, object]) -> dict[str, str]:
    """Return the environment of a process that gets these settings and no other setting of ours."""
    environ = {
        name: value
        for name, value in os.environ.items()
        if name != "DATABASE_URL" and not name.startswith(PREFIX)
    }
    for name, value in values.items():
        if text := str(value):
            environ[PREFIX + name.upper()] = text
    return environ


def environment_for(settings: Settings) -> dict[str, str]:
    """Return the environment of a child process: exactly these settings, and our process id as its parent."""
    return environment_with(settings.flat()) | {PARENT: str(os.getpid())}


def metrics_folder() -> Path:
    """Return the folder in which all processes of this instance write their metrics; it must have been set before."""
    return Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])


def is_counted_together() -> bool:
    """True if this process writes its metrics to a shared folder."""
    return "PROMETHEUS_MULTIPROC_DIR" in os.environ


def count_in(folder: Path) -> None:
    """Set the folder to which this process writes its metrics; call it before `prometheus_client` is imported."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


@contextmanager
def alone() -> Iterator[None]:
    """Hide the shared metrics folder while the block imports modules, so that their metrics stay in this process."""
    folder = os.environ.pop("PROMETHEUS_MULTIPROC_DIR")
    try:
        yield
    finally:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder


def export(settings: Settings) -> None:
    """Put these settings into our own environment, for processes that libraries start for us."""
    environ = environment_for(settings)
    os.environ.clear()
    os.environ.update(environ)
