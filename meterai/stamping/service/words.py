"""Sentence that states why a document could not be stamped."""

from meterai.plumbing.messages import catalogue, translate


def why_refused(code: str, language: str) -> str:
    """Return the sentence for the code of a refusal, without the facts of the refusal, since these are not stored."""
    own = f"stamping.refused.{code}"
    text = translate(own if own in catalogue() else f"refusal.{code}", language)
    return text if "{" not in text else translate("stamping.refused", language)
