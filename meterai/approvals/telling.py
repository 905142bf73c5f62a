"""Forecasts as sentences, from the forecast itself or from its stored form."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from meterai.approvals.model import Approval
from meterai.commands import Forecast, digest_of
from meterai.kit.money import Rupiah
from meterai.plumbing.messages import localize, translate

_MONEY = frozenset({"rupiah"})  # names of facts that are amounts
_TIME = "_at"  # suffix of names of facts that are moments: ISO 8601 texts in the stored form


def kept(forecast: Forecast) -> Mapping[str, object]:
    """Return a forecast in its stored form (JSON)."""
    found: Mapping[str, object] = msgspec.json.decode(forecast.as_json())
    return found


def forecast_of(kept_forecast: Mapping[str, object]) -> Forecast:
    """Return the forecast from its stored form (JSON)."""
    return msgspec.convert(kept_forecast, Forecast)


def is_as_asked(one: Approval) -> bool:
    """True if lever, arguments and forecast of a request match its stored hash."""
    return digest_of(one.command, one.arguments, one.forecast) == one.forecast_sha256


def sentences(forecast: Forecast, language: str) -> list[str]:
    """Return a sentence in a language for each effect of a forecast."""
    return [
        translate(
            f"effect.{effect.word}", language, **localize(_as_written(effect.facts), language)
        )
        for effect in forecast.effects
    ]


def refused(found: Mapping[str, object], language: str) -> str:
    """Return a stored refusal as a sentence in a language; only its code if the values that the sentence contains were not
    stored.
    """
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
