"""Reason why a row has no stamped document: stored as a code with facts, shown as a sentence in both languages."""

from collections.abc import Mapping

import msgspec

from meterai.kit.refusal import Refusal, Sentence
from meterai.plumbing.messages import LANGUAGES, catalogue, localize, translate

FACT_LENGTH_MAX = 200  # characters of one stored fact


def kept_refusal(refusal: Refusal) -> dict[str, object]:
    """Convert a refusal to the form stored with a row: its code, and the facts that its sentence contains."""
    return {
        "code": refusal.code,
        "code_facts": {name: _to_json(value) for name, value in refusal.facts().items()},
    }


def _to_json(value: object) -> object:
    if isinstance(value, Sentence):
        return {
            "said": value.key,
            "facts": {name: _to_json(one) for name, one in value.facts.items()},
        }
    if isinstance(value, str):
        return value[:FACT_LENGTH_MAX]
    return (
        value
        if isinstance(value, bool | int | float)
        else str(msgspec.to_builtins(value))[:FACT_LENGTH_MAX]
    )


def _from_json(value: object) -> object:
    if isinstance(value, Mapping) and "said" in value:
        return Sentence(
            str(value["said"]), {name: _from_json(one) for name, one in value["facts"].items()}
        )
    return value


def why(code: str, facts: Mapping[str, object], language: str) -> str:
    """Return the sentence that explains why a row has no stamped document."""
    own = f"stamping.refused.{code}"
    key = own if own in catalogue() else f"refusal.{code}"
    values = {name: _from_json(value) for name, value in facts.items()}
    try:
        return translate(key, language, **localize(values, language))
    except KeyError:  # another version stored other facts
        return translate("stamping.refused", language)


def why_by_language(code: str, facts: Mapping[str, object]) -> dict[str, str]:
    """Return the sentence that explains why a row has no stamped document, in each language."""
    return {language: why(code, facts, language) for language in LANGUAGES}


def said(refusal: Refusal) -> dict[str, str]:
    """Return the sentence of a refusal in each language."""
    kept = kept_refusal(refusal)
    return why_by_language(refusal.code, kept["code_facts"])  # type: ignore[arg-type]
