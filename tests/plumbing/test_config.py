"""Sources of settings: the last source wins, and each setting shows its source."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from meterai.apps.settings import SECTIONS, load
from meterai.apps.settings import settings_of as make_settings
from meterai.plumbing.config import (
    Configuration,
    ConfigurationWrong,
    environment_for,
    instance_file,
    names_of,
)

NAMES = frozenset(names_of(SECTIONS))
SECRET = make_settings().secrets()


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    for name in NAMES:
        monkeypatch.delenv(f"METERAI_{name.upper()}", raising=False)
    monkeypatch.setenv("METERAI_DATA", str(tmp_path))


def found(configuration: Configuration, name: str) -> tuple[object, str]:
    return configuration.settings.flat()[name], configuration.sources[name]


def test_later_source_wins_over_an_earlier_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert found(load(), "port") == (8000, "default")
    instance_file(tmp_path).write_text(json.dumps({"settings": {"port": 8001}}))
    assert found(load(), "port") == (8001, "running instance")
    toml = tmp_path / "meterai.toml"
    toml.write_text("port = 8002\n")
    assert found(load(), "port") == (8002, str(toml))
    monkeypatch.setenv("METERAI_PORT", "8003")
    assert found(load(), "port") == (8003, "environment")
    assert found(load({"port": 8004}), "port") == (8004, "option")
    assert found(load({"port": None}), "port") == (8003, "environment"), "an option not given"


def from_toml(folder: Path, text: str) -> None:
    (folder / "meterai.toml").write_text(text)
    load()


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "unknown option": (lambda _: load({"colour": "red"}), "colour"),
    "unknown name in a file": (lambda folder: from_toml(folder, "colour = 1\n"), "colour"),
    "no number": (lambda folder: from_toml(folder, 'port = "x"\n'), "port"),
    "port too large": (lambda _: load({"port": 70_000}), "port"),
    "price of nothing": (lambda _: load({"stamp_price": 0}), "stamp_price"),
    "fee below zero": (lambda _: load({"service_fee": -1}), "service_fee"),
    "no such choice": (lambda _: load({"environment": "staging"}), "environment"),
    "time of zero": (lambda _: load({"bank_timeout_seconds": 0}), "bank_timeout_seconds"),
    "no TOML": (lambda folder: from_toml(folder, "port = = 1\n"), "config"),
    "no such file": (lambda folder: load(config_file=folder / "none.toml"), "config"),
}


@pytest.mark.parametrize(("attempt", "name"), WRONG.values(), ids=WRONG)
def test_unusable_value_is_refused_with_its_name(
    attempt: Callable[[Path], object], name: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationWrong) as refused:
        attempt(tmp_path)
    assert refused.value.name == name


def test_wrong_value_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERAI_PORT", "http")
    with pytest.raises(ConfigurationWrong) as refused:
        load()
    assert refused.value.source == "environment"


def test_secrets_are_not_shown() -> None:
    given = dict.fromkeys(SECRET, "postgresql://me:hunter2@db/x")
    shown = load(given).shown()
    assert "hunter2" not in str(shown)
    assert {name for name, _, _ in shown} == NAMES


def test_child_process_has_the_same_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = load({"port": 8123, "service_fee": 250, "database_url": "postgresql:///x"}).settings
    environ = environment_for(settings)
    for name in list(NAMES):
        monkeypatch.delenv(f"METERAI_{name.upper()}", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert load().settings == settings
