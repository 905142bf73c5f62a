"""What payments count."""

from meterai.plumbing.metrics import Counter

OUTCOMES_MAX = 64  # codes of a provider that get a line of their own
PROVIDER = Counter(
    "meterai_provider_calls_total", "Calls to a payment provider", ["call", "outcome"]
)
METRICS = (PROVIDER,)
_outcomes: set[str] = set()


def count_call(call: str, outcome: str) -> None:
    """Count one call to a provider.

    Its codes are its own: those that come after the first `OUTCOMES_MAX` are counted as `other`.
    """
    if outcome not in _outcomes and len(_outcomes) >= OUTCOMES_MAX:
        outcome = "other"
    _outcomes.add(outcome)
    PROVIDER.labels(call=call, outcome=outcome).inc()
