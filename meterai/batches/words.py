"""What is said of a row that has no stamped document: its code is kept with its facts, and told in both languages."""

from collections.abc import Mapping

import msgspec

from meterai.kit.refusal import Refusal, Sentence
from meterai.plumbing.messages import LANGUAGES, catalogue, localize, translate

FACT_LENGTH_MAX = 200  # characters of one fact that is kept


def kept_refusal(refusal: Refusal) -> dict[str, object]:
    """A refusal as it is kept with a row: its code, and what its sentence needs."""
    return {
        "code": refusal.code,
        "code_facts": {name: _kept(value) for name, value in refusal.facts().items()},
    }


def _kept(value: object) -> object:
    if isinstance(value, Sentence):
        return {"said": value.key, "facts": {name: _kept(one) for name, one in value.facts.items()}}
    if isinstance(value, str):
        return value[:FACT_LENGTH_MAX]
    return (
        value
        if isinstance(value, bool | int | float)
        else str(msgspec.to_builtins(value))[:FACT_LENGTH_MAX]
    )


def _told(value: object) -> object:
    if isinstance(value, Mapping) and "said" in value:
        return Sentence(
            str(value["said"]), {name: _told(one) for name, one in value["facts"].items()}
        )
    return value


def why(code: str, facts: Mapping[str, object], language: str) -> str:
    """Why a row has no stamped document, as a sentence."""
    own = f"stamping.refused.{code}"
    key = own if own in catalogue() else f"refusal.{code}"
    told = {name: _told(value) for name, value in facts.items()}
    try:
        return translate(key, language, **localize(told, language))
    except KeyError:  # of a version before or after this one, with other facts
        return translate("stamping.refused", language)


def why_in_both(code: str, facts: Mapping[str, object]) -> dict[str, str]:
    """The same in each language."""
    return {language: why(code, facts, language) for language in LANGUAGES}


def said(refusal: Refusal) -> dict[str, str]:
    """The sentence of a refusal in each language."""
    kept = kept_refusal(refusal)
    return why_in_both(refusal.code, kept["code_facts"])  # type: ignore[arg-type]
