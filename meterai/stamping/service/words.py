"""Reason of a document that could not be stamped, in words."""

from meterai.plumbing.messages import catalogue, translate


def why_refused(code: str, language: str) -> str:
    """Return the sentence of a stored code; its facts were not stored."""
    own = f"stamping.refused.{code}"
    text = translate(own if own in catalogue() else f"refusal.{code}", language)
    return text if "{" not in text else translate("stamping.refused", language)
