"""What is said of a document that could not be stamped."""

from meterai.plumbing.messages import catalogue, translate


def why_refused(code: str, language: str) -> str:
    """Why a stamping failed, in words, from the code that was kept; its facts were not."""
    own = f"stamping.refused.{code}"
    text = translate(own if own in catalogue() else f"refusal.{code}", language)
    return text if "{" not in text else translate("stamping.refused", language)
