"""Forecasts in words, as they were made or as they were kept."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from meterai.approvals.model import Approval
from meterai.commands import Forecast, digest_of
from meterai.kit.money import Rupiah
from meterai.plumbing.messages import localize, translate

_MONEY = frozenset({"rupiah"})  # facts that are sums
_TIME = "_at"  # how facts that are moments end: text in ISO 8601, in what is kept


def kept(forecast: Forecast) -> Mapping[str, object]:
    """The forecast as JSON, as it is kept."""
    found: Mapping[str, object] = msgspec.json.decode(forecast.as_json())
    return found


def forecast_of(kept_forecast: Mapping[str, object]) -> Forecast:
    """The forecast that was kept."""
    return msgspec.convert(kept_forecast, Forecast)


def is_as_asked(one: Approval) -> bool:
    """True where lever, arguments and forecast still have the hash of what was asked for."""
    return digest_of(one.command, one.arguments, one.forecast) == one.forecast_sha256


def sentences(forecast: Forecast, language: str) -> list[str]:
    """One sentence for each effect of a forecast."""
    return [
        translate(
            f"effect.{effect.word}", language, **localize(_as_written(effect.facts), language)
        )
        for effect in forecast.effects
    ]


def refused(found: Mapping[str, object], language: str) -> str:
    """The refusal that was found in the place of a forecast, in words; its code where its facts were not kept."""
    code, facts = found["refused"], found.get("facts")
    if not isinstance(facts, Mapping):
        return str(code)
    return translate(f"refusal.{code}", language, **localize(_as_written(facts), language))


def _as_written(facts: Mapping[str, object]) -> dict[str, object]:
    return {name: _value(name, value) for name, value in facts.items()}


def _value(name: str, value: object) -> object:
    if name in _MONEY and isinstance(value, int):
        return Rupiah(value)
    if name.endswith(_TIME) and isinstance(value, str):
        return datetime.fromisoformat(value)
    return value
